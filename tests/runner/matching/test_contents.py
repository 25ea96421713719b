"""Installed files against the hash-locked wheels: a small wheel, installed as pip does it, and then tampered with."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from maintenance.lock_wheels import every_locked
from runner.catalogue.stacks import Installation, find_stack
from runner.engines.environments import NOTES, EnvironmentCache
from runner.engines.protocol import Artifact
from runner.engines.venv import VenvEngine
from runner.errors import HostError, UsageError
from runner.matching import file_list, locked_wheels
from runner.matching.contents import Contents, compare_with_lock
from runner.matching.locked_wheels import LockedWheel
from runner.matching.snapshot import of_folder
from runner.session.matched import match_installations, require_matched
from runner.support.network import PackageIndex
from tests.conftest import StackPython

WHEEL = "tensorflow_cpu-2.14.0-py3-none-any.whl"
METADATA = "tensorflow_cpu-2.14.0.dist-info"
SITE = "lib/python3.11/site-packages"
FILES = {
    "tensorflow/__init__.py": b"x = 1\n",
    "tensorflow/core.so": b"\x7fELF",
    "tensorflow_cpu-2.14.0.data/purelib/tensorflow/moved.py": b"y = 2\n",
    f"{METADATA}/entry_points.txt": b"[console_scripts]\nsaved_model_cli = tensorflow:main\n",
    "other-1.0.dist-info/RECORD": b"other.py,sha256=AA,1\n",  # as Intel's wheel of 1.12 brings stock's
}


def record_of(files: Mapping[str, bytes]) -> bytes:
    """The RECORD that lists these files."""
    hashes = {name: base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
              for name, content in files.items()}  # fmt: skip
    return "".join(f"{name},sha256={hashes[name]},{len(files[name])}\n" for name in files).encode()


@pytest.fixture
def locked(tmp_path: Path) -> dict[str, tuple[LockedWheel, ...]]:
    """What `make locks` writes down of the wheel."""
    path = tmp_path / WHEEL
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in {**FILES, f"{METADATA}/RECORD": b"anything: the content counts"}.items():
            wheel.writestr(name, content)
    files = file_list.of_wheel(path)
    requirement = "tensorflow-cpu==2.14.0"
    return {requirement: (LockedWheel(requirement, "0" * 64, len(files), file_list.sha256_of(files)),)}


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """The wheel as an installer leaves it, in what `python -m venv` makes."""
    root = tmp_path / "environment"
    installed = {name.replace("tensorflow_cpu-2.14.0.data/purelib/", ""): content for name, content in FILES.items()}
    added = {f"{METADATA}/INSTALLER": b"pip\n", "../../../bin/saved_model_cli": b"#!python\n"}
    byte_code = {"tensorflow/__pycache__/moved.cpython-311.pyc": b"compiled"}
    record = record_of({**installed, **added}) + f"{METADATA}/RECORD,,\n".encode()
    for name, content in {**installed, **added, **byte_code, f"{METADATA}/RECORD": record}.items():
        path = Path(os.path.normpath(root / SITE / name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (root / "pyvenv.cfg").touch()
    (root / ".gitignore").touch()
    (root / "bin" / "activate.csh").touch()
    (root / "bin" / "python3.11").symlink_to("/usr/bin/python3")
    (root / "lib64").symlink_to("lib")
    return root


def held(root: Path, locked: Mapping[str, tuple[LockedWheel, ...]]) -> Contents:
    """The environment against the lock."""
    return compare_with_lock("stock", "3.11", of_folder(root, frozenset()), locked)


def test_an_honest_environment_has_no_fault(environment: Path, locked: dict[str, tuple[LockedWheel, ...]]) -> None:
    """The check knows what the installer and `python -m venv` add, and finds files of the wheel's .data folder."""
    contents = held(environment, locked)
    assert (contents.faults, contents.distributions, contents.files) == ((), 1, 5)


def test_a_library_that_is_in_no_wheel_is_held_against_its_own_hash(
    environment: Path, locked: dict[str, tuple[LockedWheel, ...]]
) -> None:
    """Declared it is as good as a file of a wheel: it may neither be missing nor be another one."""
    libraries = {"_solib/libgomp.so.1": hashlib.sha256(b"a library").hexdigest()}

    def faults() -> list[str]:
        found = compare_with_lock("stock", "3.11", of_folder(environment, frozenset()), locked, libraries)
        return [f"{fault.path} {fault.what}" for fault in found.faults]

    assert [fault.split(" is ")[1] for fault in faults()] == ["missing, and its wheel has it"]
    path = environment / SITE / "_solib" / "libgomp.so.1"
    path.parent.mkdir()
    path.write_bytes(b"a library")
    assert faults() == []
    assert "is in no wheel of the lock" in held(environment, locked).faults[0].what
    path.write_bytes(b"another")
    assert "is not the file in its wheel" in faults()[0]


def changed_with_its_record(root: Path) -> None:
    """Change a file, and the line of the installed RECORD that would show it."""
    (root / SITE / "tensorflow" / "core.so").write_bytes(b"\x7fELG")
    record = root / SITE / METADATA / "RECORD"
    old, new = record_of({"f": b"\x7fELF"}).split(b",")[1], record_of({"f": b"\x7fELG"}).split(b",")[1]
    assert old in record.read_bytes()
    record.write_bytes(record.read_bytes().replace(old, new))


def linked_package(root: Path) -> None:
    """Put a folder that is a link beside the packages: a walk does not enter it, an import does."""
    (root / "elsewhere").mkdir()
    (root / SITE / "sitecustomize").symlink_to(root / "elsewhere")


# What is done to the environment; the path that must be named, and words of what is said of it.
TAMPERED: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "a byte of a source": (
        lambda root: (root / SITE / "tensorflow/__init__.py").write_bytes(b"x = 2\n"),
        f"/{SITE}/tensorflow/__init__.py", "not the file in its wheel"),
    "a byte of a library": (
        lambda root: (root / SITE / "tensorflow/core.so").write_bytes(b"\x7fELG"),
        f"/{SITE}/tensorflow/core.so", "not the file in its wheel"),
    "a file and its line in RECORD": (changed_with_its_record, f"/{SITE}/{METADATA}/RECORD", "not the list of files"),
    "a file removed": (
        lambda root: (root / SITE / "tensorflow/moved.py").unlink(), f"/{SITE}/tensorflow/moved.py", "is missing"),
    "a file added to the package": (
        lambda root: (root / SITE / "tensorflow/extra.so").touch(), f"/{SITE}/tensorflow/extra.so", "in no wheel"),
    "a .pth file": (lambda root: (root / SITE / "a.pth").touch(), f"/{SITE}/a.pth", "in no wheel"),
    "byte-code without a source": (
        lambda root: (root / SITE / "tensorflow/late.pyc").touch(), f"/{SITE}/tensorflow/late.pyc", "in no wheel"),
    "a folder that is a link": (linked_package, f"/{SITE}/sitecustomize", "in no wheel"),
    "a command that no wheel has": (lambda root: (root / "bin/ldconfig").touch(), "/bin/ldconfig", "in no wheel"),
    "a distribution that is not in the lock": (
        lambda root: shutil.copytree(root / SITE / METADATA, root / SITE / "more-1.0.dist-info"),
        f"/{SITE}/more-1.0.dist-info/RECORD", "not the list of files"),
    "the distribution's metadata removed": (
        lambda root: shutil.rmtree(root / SITE / METADATA), f"/{SITE}", "lacks the locked tensorflow-cpu==2.14.0"),
}  # fmt: skip


@pytest.mark.parametrize("how", list(TAMPERED))
def test_what_was_tampered_with_is_named(
    environment: Path, locked: dict[str, tuple[LockedWheel, ...]], how: str
) -> None:
    """The files lie inside the TensorFlow package, where the comparison of two sides lets files differ, and beside
    it.
    """
    change, path, words = TAMPERED[how]
    change(environment)
    found = {fault.path: fault.what for fault in held(environment, locked).faults}
    assert words in found[path]


def test_the_interpreters_own_setuptools_is_held_against_its_own_list(
    environment: Path, locked: dict[str, tuple[LockedWheel, ...]]
) -> None:
    """`python -m venv` unpacks it up to Python 3.11, and no lock names it then."""
    metadata = environment / SITE / "setuptools-40.6.2.dist-info"
    metadata.mkdir()
    (environment / SITE / "easy_install.py").write_bytes(b"pass\n")
    (metadata / "RECORD").write_bytes(record_of({"easy_install.py": b"pass\n"}))
    contents = held(environment, locked)
    assert (contents.faults, contents.unlocked) == ((), ("setuptools==40.6.2",))
    (environment / SITE / "easy_install.py").write_bytes(b"evil\n")
    assert [fault.path for fault in held(environment, locked).faults] == [f"/{SITE}/easy_install.py"]


def test_a_wheel_with_files_of_unknown_place_cannot_be_locked(tmp_path: Path) -> None:
    """Where scripts go and how they are rewritten is the installer's choice."""
    path = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("a-1.data/scripts/tool", "#!python")
    with pytest.raises(UsageError, match=r"a-1\.data/scripts/tool"):
        file_list.of_wheel(path)


def test_every_wheel_is_of_the_lock_beside_it() -> None:
    for stack, installation in every_locked():
        lock = installation.lock.read_text(encoding="utf-8")
        wheels = [each for several in locked_wheels.read(installation).values() for each in several]
        assert all(f"sha256:{each.wheel_sha256}" in lock or each.wheel_sha256 == stack.installer.sha256
                   for each in wheels)  # fmt: skip
        asked = {line.split()[0] for line in lock.splitlines() if line and line[0].isalnum()}
        assert {each.requirement for each in wheels} == asked | {stack.installer.requirement}


def test_a_file_of_wheels_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Installation, "wheels", property(lambda self: tmp_path / "none.wheels"))
    with pytest.raises(UsageError, match="make locks"):
        locked_wheels.read(find_stack("tf-2.14").installations["stock"])


@pytest.fixture
def engine(tmp_path: Path) -> VenvEngine:
    """The venv engine, which makes nothing here."""
    return VenvEngine(EnvironmentCache(tmp_path / "cache", PackageIndex()))


def test_byte_code_of_an_environment_is_removed(
    environment: Path, engine: VenvEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Byte-code of the environment and of the workload goes. The next launch compiles the sources anew."""
    (tmp_path / "workload" / "__pycache__").mkdir(parents=True)
    (tmp_path / "workload" / "__pycache__" / "cli.cpython-311.pyc").touch()
    monkeypatch.setattr("runner.engines.venv.WORKLOAD", tmp_path / "workload")
    artifact = Artifact(find_stack("tf-2.14").installations["stock"], str(environment), {})
    assert engine.wrong_bytecode(artifact) == ()
    assert list(tmp_path.rglob("*.pyc")) == []


def test_an_installation_without_another_is_held_against_its_lock_too(
    environment: Path, engine: VenvEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    locked: dict[str, tuple[LockedWheel, ...]],
) -> None:  # fmt: skip
    """A run whose variants share one installation compares no two sides. It still refuses a tampered installation."""
    monkeypatch.setattr("runner.engines.venv.WORKLOAD", tmp_path)
    monkeypatch.setattr("runner.session.matched.locked_wheels.read", lambda installation: locked)
    stack = find_stack("tf-2.14")
    installation = stack.installations["stock"]
    provenance = {"lock_sha256": installation.lock_sha256()}
    artifacts = {("tf-2.14", "stock"): Artifact(installation, str(environment), provenance)}
    require_matched(match_installations(engine, [stack], artifacts, print))
    (environment / SITE / "tensorflow/core.so").write_bytes(b"\x7fELG")
    with pytest.raises(HostError, match=r"stock: .*/tensorflow/core\.so is not the file in its wheel"):
        require_matched(match_installations(engine, [stack], artifacts, print))


def linked(source: str, target: str) -> None:
    """Give a file a second name; copy it where that is on another filesystem."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@pytest.mark.tensorflow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("which", ["stock", "intel"])
def test_a_real_environment_is_as_locked_until_a_byte_changes(
    which: str, stack_python: StackPython, tmp_path: Path
) -> None:
    """A copy of it that has links to the same files, with two of them replaced."""
    stack = find_stack("tf-2.14")
    copy = tmp_path / "copy"
    shutil.copytree(Path(stack_python(which)).parent.parent, copy, symlinks=True, copy_function=linked)
    wheels = locked_wheels.read(stack.installations[which])

    def faults() -> list[str]:
        found = compare_with_lock(which, stack.python, of_folder(copy, NOTES), wheels)
        return [fault.path for fault in found.faults]

    assert faults() == []
    package = copy / SITE / "tensorflow"
    changed = [package / "__init__.py", min(package.rglob("*.so"))]
    for path in changed:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.unlink()  # the other name of the file keeps its content
        path.write_bytes(content)
    assert faults() == sorted(f"/{path.relative_to(copy)}" for path in changed)
