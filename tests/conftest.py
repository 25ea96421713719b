"""Fixtures for all tests, and the rule that a required marker's test may not be skipped."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from runner.catalogue.stacks import find_stack
from runner.engines.environments import EnvironmentCache, default_cache
from runner.errors import HostError
from runner.support.network import PackageIndex


class StackPython(Protocol):
    """Gives the interpreter of an installation of a stack."""

    def __call__(self, installation: str, stack: str = "tf-2.14") -> str:
        """The path of its python."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--require=tensorflow,docker`: a skipped test with one of these markers is a failure."""
    parser.addoption("--base-image", default="", help="base of the Docker images that the tests build")
    parser.addoption("--debian-mirror", default=None, help="where allocators come from (default: Debian's own)")
    parser.addoption("--require", default="", help="markers whose tests must run, separated by commas")


def pytest_configure() -> None:
    """A shell has what it runs in the background ignore Ctrl-C, and so would every process that a test interrupts."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# The groups of tests that must not run beside others of their kind, the longest first.
GROUPS = ("launches", "images", "environments")
# The group of a test with one of these markers; the first that it has counts.
KINDS = {"registry": "images", "docker": "launches", "tensorflow": "environments", "browser": "browser"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each group to one process (pytest-xdist), and the rest to whichever is free.

    The engine's labelled containers are one state: tests look at all of them, and a run removes what it finds of them
    as it begins. So are the images, and the cache of the stacks' environments. A test that is not where its marker puts
    it names its group itself. First, since pytest-xdist reads the groups in its own implementation of this hook. In the
    order of the groups, since a long group that comes last leaves the other process with nothing to do.
    """
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        if "xdist_group" not in marks and marks & KINDS.keys():
            kind = next(group for marker, group in KINDS.items() if marker in marks)
            item.add_marker(pytest.mark.xdist_group(kind))
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    group = item.get_closest_marker("xdist_group")
    return GROUPS.index(group.args[0]) if group is not None and group.args[0] in GROUPS else len(GROUPS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip of a required test into a failure that keeps the skip's reason."""
    report = yield
    required = {name for name in item.config.getoption("--require").split(",") if name}
    if report.skipped and required & {mark.name for mark in item.iter_markers()}:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, but its marker is required: {reason}"
    return report


@pytest.fixture(scope="session")
def stack_python() -> StackPython:
    """The interpreter of an installation, of tf-2.14 unless told, made from its lock on first use; or skips."""
    cache = EnvironmentCache(default_cache(), PackageIndex())

    def python(installation: str, stack: str = "tf-2.14") -> str:
        found = find_stack(stack)
        try:
            artifact = cache.prepare(found, found.installations[installation], print)
        except HostError as error:
            pytest.skip(str(error))
        return f"{artifact.location}/bin/python"

    return python


@pytest.fixture(scope="session")
def debian_mirror(pytestconfig: pytest.Config) -> str | None:
    """The address of the Debian mirror that --debian-mirror names; None for Debian's own."""
    named: str | None = pytestconfig.getoption("--debian-mirror")
    return named


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Run what follows in a folder, with a cache and a machine lock there; for fixtures of more than one test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("KIT_CACHE", str(folder / "cache"))
        patch.setattr("runner.support.machine_lock.LOCK_FILE", folder / "machine.lock")
        yield


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run the test in an empty folder of its own, with an empty cache folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIT_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(autouse=True, scope="session")
def much_memory() -> Iterator[None]:
    """Plans in tests do not depend on how much memory is free: launches of any size may live together."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("runner.session.planned", "runner.session.room_together", "runner.cli.compose"):
            patch.setattr(f"{module}.memory_of", lambda _machine: 10**12)
        yield


@pytest.fixture(autouse=True)
def own_machine_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of fake runs must neither wait for a real measurement nor disturb one."""
    monkeypatch.setattr("runner.support.machine_lock.LOCK_FILE", tmp_path / "machine.lock")
    os.environ.setdefault("COLUMNS", "200")
