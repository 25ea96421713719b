"""The data files: stacks, locks, presets and BKMs, as they are in the repository, and as a user may get them wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.catalogue.presets import load_presets
from runner.catalogue.stacks import (
    HOLDS_MATRIX_PRODUCT,
    HOLDS_NOTHING,
    HOLDS_PRIMITIVES,
    STACKS_FILE,
    Stack,
    load_stacks,
)
from runner.errors import UsageError
from runner.host.pin import Pin
from runner.planning.bkm import load_bkms, resolve
from runner.vocabulary import TOPOLOGIES
from tests.runner.builders import PIN

STACKS = list(load_stacks().values())


def requirements(lock: Path) -> dict[str, str]:
    """Every requirement of a lock with its hashes, by name."""
    joined = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return {line.split("==")[0]: line for line in lines}


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)
def test_the_locks_of_a_pair_differ_in_the_wheel_or_in_what_one_side_adds(stack: Stack) -> None:
    """Everything else is the same file by hash on both sides."""
    baseline, *others = stack.installations.values()
    for other in others:
        ours, theirs = requirements(baseline.lock), requirements(other.lock)
        only_ours = [line.split()[0] for name, line in ours.items() if theirs.get(name) != line]
        only_theirs = [line.split()[0] for name, line in theirs.items() if ours.get(name) != line]
        if other.additions:
            assert (only_ours, sorted(only_theirs)) == ([], sorted(other.additions))
            assert other.wheel == baseline.wheel
        else:
            assert (only_ours, only_theirs) == ([baseline.wheel], [other.wheel])


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)
def test_every_requirement_of_every_lock_has_a_hash(stack: Stack) -> None:
    """Nothing is installed that was not looked at when the lock was made."""
    for installation in stack.installations.values():
        assert all("--hash=sha256:" in line for line in requirements(installation.lock).values())


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)
def test_the_baseline_has_onednn_off_by_name(stack: Stack) -> None:
    """Stock is the baseline, and where TensorFlow could switch oneDNN on by itself it is told not to."""
    assert stack.baseline == "stock"
    declared = {entry.name: entry.value for entry in stack.variants["stock"].environment}
    assert declared.get("TF_ENABLE_ONEDNN_OPTS") == "0" or stack.tensorflow.startswith("1.")


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)
def test_every_choice_has_a_reason_and_a_source(stack: Stack) -> None:
    for variant in stack.variants.values():
        texts = [variant.layout_reason, variant.layout_source, variant.threading_source]
        texts += [text for entry in variant.environment for text in (entry.reason, entry.source)]
        assert all(text.strip() for text in texts)


def test_every_wheel_says_what_it_holds_of_onednn_with_the_command_that_tells_it() -> None:
    """Only the oldest stock wheel has nothing of it in it, and no label says so of another."""
    held = {
        (stack.name, installation.name): installation.holds
        for stack in STACKS
        for installation in stack.installations.values()
        if (installation.holds_source or "").startswith("nm ")
    }
    of_stock = {stack: holds for (stack, name), holds in held.items() if name == "stock"}
    old = {"tf-1.12": HOLDS_NOTHING, "tf-1.15": HOLDS_MATRIX_PRODUCT}
    assert of_stock == {stack.name: old.get(stack.name, HOLDS_PRIMITIVES) for stack in STACKS}
    assert {holds for (_, name), holds in held.items() if name == "intel"} == {HOLDS_PRIMITIVES}
    for stack in STACKS:
        nothing_in_it = "no MKL-DNN in it" in stack.variants["stock"].label
        assert nothing_in_it == (held[stack.name, "stock"] == HOLDS_NOTHING)


def test_a_wheel_of_unknown_content_is_a_slip_and_one_that_nobody_looked_into_is_not(tmp_path: Path) -> None:
    """`holds` may be left out, and then nothing is claimed of it; a word that is none of the three is refused."""
    text = STACKS_FILE.read_text(encoding="utf-8")
    path = tmp_path / "stacks.toml"
    path.write_text(text.replace('holds = "nothing"', 'holds = "something"'), encoding="utf-8")
    with pytest.raises(UsageError, match="content of a wheel"):
        load_stacks(path)
    lines = [line for line in text.splitlines() if not line.startswith(("holds ", "holds_source "))]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert load_stacks(path)["tf-1.12"].installations["stock"].holds is None


def test_presets_name_only_what_exists_and_are_balanced() -> None:
    for preset in load_presets().values():
        assert set(preset.topologies) <= set(TOPOLOGIES)
        assert preset.blocks % 2 == preset.bursts % 2 == 0


def test_the_articles_bkms_are_all_there_with_sources() -> None:
    """The seven settings of the article resolve to values for a pin."""
    resolved = resolve(load_bkms("article"), PIN)
    assert {setting.name for setting in resolved.settings} == {
        "OMP_NUM_THREADS", "KMP_AFFINITY", "KMP_BLOCKTIME", "KMP_SETTINGS", "OMP_PROC_BIND", "intra_op_threads",
        "inter_op_threads",
    }  # fmt: skip
    assert resolved.environment["KMP_BLOCKTIME"] == "1"
    assert all(setting.source and setting.reason for setting in resolved.settings)


def test_a_users_file_of_bkms_may_use_threads_and_cpus(tmp_path: Path) -> None:
    """Physical cores and logical CPUs of the pin can be written into any value."""
    path = tmp_path / "mine.toml"
    path.write_text(
        'schema_version = 1\nname = "mine"\ntitle = "t"\nsource = "s"\n[[settings]]\nname = "OMP_NUM_THREADS"\n'
        'target = "environment"\nvalue = "{threads}/{cpus}"\nread_by = ["openmp"]\nreason = "r"\nsource = "s"\n'
    )
    pin = Pin(cores=((0, 2), (1, 3)), mems=(0,), nodes=1, sockets=1)
    assert resolve(load_bkms(str(path)), pin).environment == {"OMP_NUM_THREADS": "2/4"}


SET = (
    'schema_version = 1\nname = "mine"\ntitle = "t"\nsource = "s"\n[[settings]]\nname = "X"\n'
    'target = "environment"\nvalue = "1"\nread_by = ["openmp"]\nreason = "r"\nsource = "s"\n'
)
SETTING = SET[SET.index("[[settings]]") :]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("target =", "tarjet ="), "lacks target"),
        (('"environment"', '"environ"'), "Did you mean environment"),
        (("schema_version = 1", "schema_version = 2"), "schema_version 2"),
        (('reason = "r"', 'reason = "r"\nsauce = "s"'), "unknown key sauce"),
        (("[[settings]]", "[[settings"), "not valid TOML"),
        ((SETTING, "settings = 3"), "settings is 3; a list of tables"),
        ((SETTING, 'settings = ["a"]'), "settings.1. is 'a'; a table"),
        (('title = "t"', "title = 5"), "title is 5; a text"),
        (('name = "X"', "name = 5"), "settings.1..name is 5; a text"),
        (('name = "X"', 'name = "A=B"'), "settings.1.: 'A=B'"),
        (('value = "1"', "value = true"), "settings.1..value is True; a text"),
        (('value = "1"', "value = 1.5"), "settings.1..value is 1.5; a text"),
        (('value = "1"', 'value = "{thread}"'), "settings.1..value: .* 'thread'. Did you mean threads"),
        (('value = "1"', 'value = "{branches}"'), "settings.1..value: .* 'branches'"),
        (('["openmp"]', '"openmp"'), "settings.1..read_by is 'openmp'; a list of texts"),
        (('["openmp"]', "[1]"), "settings.1..read_by.1. is 1; a text"),
        (('reason = "r"', 'reason = "r"\nwhen = ["always"]'), "settings.1..when is .'always'.; a text"),
        (('reason = "r"', "reason = 1"), "settings.1..reason is 1; a text"),
        ((SETTING, SETTING * 2), "settings.2. sets X to '1', which an earlier setting sets to '1'"),
        ((SETTING, SETTING + SETTING + 'when = "siblings"'), "always. and .siblings"),
    ],
)
def test_a_malformed_file_of_bkms_is_refused_with_place_and_key(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    assert change[0] in SET
    path = tmp_path / "mine.toml"
    path.write_text(SET.replace(*change))
    with pytest.raises(UsageError, match=words) as error:
        load_bkms(str(path))
    assert "mine.toml" in str(error.value)


@pytest.mark.parametrize(("value", "expected"), [("3", "3"), ('"{0:4},{4:4}"', "{0:4},{4:4}"), ('"{threads}"', "2")])
def test_a_value_may_be_a_whole_number_or_openmp_places(tmp_path: Path, value: str, expected: str) -> None:
    """Braces around anything but a word stay as they are."""
    path = tmp_path / "mine.toml"
    path.write_text(SET.replace('"1"', value))
    assert resolve(load_bkms(str(path)), PIN).environment == {"X": expected}


def test_settings_of_one_name_that_exclude_each_other_are_no_contradiction(tmp_path: Path) -> None:
    """A value for pins with siblings and another for pins without may stand side by side."""
    path = tmp_path / "mine.toml"
    path.write_text(SET + 'when = "siblings"\n' + SETTING.replace('"1"', '"2"') + 'when = "no-siblings"\n')
    assert resolve(load_bkms(str(path)), PIN).environment == {"X": "2"}


def test_a_thread_count_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'schema_version = 1\nname = "mine"\ntitle = "t"\nsource = "s"\n[[settings]]\nname = "intra_op_threads"\n'
        'target = "job"\nvalue = "many"\nread_by = []\nreason = "r"\nsource = "s"\n'
    )
    with pytest.raises(UsageError, match="'many'"):
        resolve(load_bkms(str(path)), PIN)


def test_a_stack_with_a_key_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    """A slip in stacks.toml is an error, not a setting that silently does nothing."""
    path = tmp_path / "stacks.toml"
    path.write_text(STACKS_FILE.read_text(encoding="utf-8").replace("lock_platform", "lock_platfrom"))
    with pytest.raises(UsageError, match="unknown key lock_platfrom"):
        load_stacks(path)
