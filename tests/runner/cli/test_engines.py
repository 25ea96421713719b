"""`auto`: which engine is taken, decided once, with one line that says why."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest

from runner.cli.engines import choose_engine
from runner.errors import HostError
from runner.stacks import Stack, find_stack
from tests.runner.fake_engine import FakeEngine

STACKS = (find_stack("tf-2.14"),)
VENV = FakeEngine(name="venv")


class Refusing(FakeEngine):
    """An engine whose prerequisites are not met."""

    def prerequisites(self, stacks: tuple[Stack, ...]) -> None:
        """Refuse, as where no base image is to be had."""
        raise HostError("no base image")


def choose(asked: str, docker: Callable[[argparse.Namespace], FakeEngine]) -> tuple[str, str]:
    """The chosen engine's name and the reason."""
    engines = {"docker": docker, "venv": lambda _arguments: VENV}
    engine, why = choose_engine(argparse.Namespace(engine=asked), engines, STACKS)
    return engine.name, why


def unreachable(_arguments: argparse.Namespace) -> FakeEngine:
    """No engine answers."""
    raise HostError("no daemon")


def test_auto_takes_docker_where_it_can_be_used() -> None:
    """An engine that answers and has its bases is the engine of record."""
    assert choose("auto", lambda _arguments: FakeEngine(name="docker"))[0] == "docker"


@pytest.mark.parametrize(
    ("docker", "reason"), [(unreachable, "no daemon"), (lambda _arguments: Refusing(name="docker"), "no base image")]
)
def test_auto_falls_back_to_venv_and_says_why(docker: Callable[[argparse.Namespace], FakeEngine], reason: str) -> None:
    """The line that is shown carries Docker's own reason."""
    name, why = choose("auto", docker)
    assert name == "venv"
    assert reason in why


def test_an_engine_that_was_named_is_never_replaced() -> None:
    """--engine docker where there is none is an error, not a silent fall-back."""
    with pytest.raises(HostError, match="no daemon"):
        choose("docker", unreachable)


def test_venv_can_be_asked_for_where_docker_runs() -> None:
    """What was named is taken."""
    assert choose("venv", lambda _arguments: FakeEngine(name="docker"))[0] == "venv"
