"""run.json as types: nothing that any version of the kit has recorded is lost, and what is wrong names its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.errors import RunFormatError
from runner.storage import runs
from runner.storage.header_json import header_from_json, header_to_json
from tests.runner.conftest import FinishedRun

ROOT = Path(__file__).resolve().parents[3]
WITHOUT_TURNS, NEWEST, EARLIER_RUN = (
    ROOT / folder for folder in ("tests/data/run_without_turns", "results/sample", "tests/data/earlier_run")
)
Change = Callable[[dict[str, Any]], Any]


def recorded(folder: Path = WITHOUT_TURNS) -> dict[str, Any]:
    """A run.json as it stands on disk."""
    found: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return found


def lost(before: Any, after: Any, place: str = "") -> Iterator[str]:
    """Where `after` has not what `before` has; what it has besides does not matter."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            yield from lost(value, after[key], f"{place}.{key}") if key in after else (f"{place}.{key}",)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{place}[{index}]")
    elif before != after:
        yield f"{place}: {before!r} became {after!r}"


@pytest.mark.parametrize("folder", [NEWEST, WITHOUT_TURNS, EARLIER_RUN], ids=["sample", "without turns", "earlier run"])
def test_nothing_of_an_older_run_is_lost(folder: Path) -> None:
    """Defaults may be added; what was recorded stays."""
    written = json.loads(json.dumps(header_to_json(runs.load(folder).about)))
    assert list(lost(recorded(folder), written)) == []


def test_a_loss_would_be_seen() -> None:
    """This tests the comparison itself, on a header with another seed and one launch less."""
    header = runs.load(WITHOUT_TURNS).about
    other = replace(header, plan=replace(header.plan, seed=1, launches=header.plan.launches[1:]))
    places = [each.split(":")[0] for each in lost(recorded(), json.loads(json.dumps(header_to_json(other))))]
    assert places == [".plan.seed", ".plan.launches"]


def test_a_new_runs_header_is_written_again_to_the_same_bytes(in_folder: Path, finished_run: FinishedRun) -> None:
    """The order of keys is kept, and nulls are."""
    finished_run("compare", "--topologies", "resnet50", "--blocks", "2", "--out", "run")
    written = json.dumps(header_to_json(runs.load(Path("run")).about), indent=1) + "\n"
    assert written == Path("run/run.json").read_text(encoding="utf-8")


def test_what_the_first_version_did_not_write_has_defaults() -> None:
    """A run of the first version is read like one of today."""
    header = runs.load(EARLIER_RUN).about
    stack = header.stacks["tf-2.14"]
    assert (header.peak, header.probes, header.matched, header.ladder, header.repeats) == (None, None, {}, None, None)
    assert (stack.released, stack.holds, stack.baseline) == ("", {}, "stock")
    assert stack.wheel_of("intel") == "intel-tensorflow==2.14.0"  # its artifact's word: it had no other
    assert all(launch.graph_optimisation for launch in header.plan.launches)
    assert header.machine.isolated_cpus == ()


def test_the_samples_header_is_read_into_types() -> None:
    """One value of each kind: nested, listed, by key, and written otherwise than it is kept."""
    header = runs.load(WITHOUT_TURNS).about
    assert (header.plan.pin.threads, header.plan.bkms.settings[0].read_by) == (2, ("openmp",))
    assert (header.engine.name, header.engine.enforced.file_system) == ("docker", "read-only")
    assert (header.machine.processor.model_name, header.machine.nodes[0].cpus) == ("AMD EPYC", (0, 1))
    made = header.stacks["tf-1.12"].installations["stock"]
    assert made.is_of_an_image
    assert (made.wheel, made.base_image) == ("tensorflow==1.12.0", "kit-base:3.6")
    assert header.stacks["tf-2.14"].variants["stock"].environment[0].name == "TF_ENABLE_ONEDNN_OPTS"
    assert header.matched["tf-2.14"].packages[0].package == "intel_tensorflow"
    assert not header.is_ladder


def test_what_a_newer_version_writes_besides_is_passed_over() -> None:
    """Unknown keys are ignored at the top, deep inside, and in a list."""
    data = recorded()
    data |= {"weather": "fine"}
    data["machine"]["processor"]["cache_bytes"] = 1
    data["plan"]["launches"][0]["colour"] = "blue"
    assert header_from_json(data, "run.json") == runs.load(WITHOUT_TURNS).about


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.pop("created"), "run.json lacks created."),
        (lambda data: data["kit"].pop("version"), "run.json, kit lacks version."),
        (lambda data: data["plan"].update(blocks="4"), "run.json, plan.blocks is '4'; a whole number was expected."),
        (lambda data: data["plan"].update(blocks=True), "run.json, plan.blocks is True; a whole number was expected."),
        (lambda data: data["plan"]["launches"][1].pop("stack"), "run.json, plan.launches[2].cell lacks stack."),
        (lambda data: data["plan"]["launches"].append(3), "run.json, plan.launches[81] is 3; a table was expected."),
        (lambda data: data["plan"].update(launches={}), "run.json, plan.launches is {}; a list of tables was"),
        (lambda data: data["plan"]["pin"].update(mems=0), "run.json, plan.pin.mems is 0; a list of CPUs such as"),
        (lambda data: data["plan"]["pin"].update(mems="x"), "run.json, plan.pin.mems: "),
        (lambda data: data["engine"].update(name="dokker"), "run.json, engine.name: There is no value 'dokker'. Did"),
        (
            lambda data: data["stacks"]["tf-2.14"]["variants"]["intel"].pop("label"),
            "run.json, stacks.tf-2.14.variants.intel lacks label.",
        ),
        (
            lambda data: data["stacks"]["tf-2.14"]["installations"].update(intel=[]),
            "run.json, stacks.tf-2.14.installations.intel is []; a table was expected.",
        ),
    ],
)
def test_what_is_wrong_names_its_place(change: Change, message: str) -> None:
    """The message begins with the file and the path in it."""
    data = recorded()
    change(data)
    with pytest.raises(RunFormatError) as error:
        header_from_json(data, "run.json")
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("text", ["[]", "{}", '{"schema_version": 1}', "{"])
def test_a_folder_with_a_damaged_header_is_refused_as_it_is_loaded(tmp_path: Path, text: str) -> None:
    """The error does not wait until the missing key is asked for."""
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(RunFormatError, match=r"run\.json"):
        runs.load(tmp_path)
