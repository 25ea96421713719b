"""Every file of a run's folder is valid by its schema in results/, whichever command wrote it, and typed on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runner.engines.protocol import Outcome
from runner.storage import runs
from runner.storage.header_json import header_to_json
from runner.vocabulary import Launch
from tests.runner.fake_engine import FakeEngine
from tests.runner.registry.locks import lock

Kit = Callable[..., int]
Document = dict[str, Any]
ROOT = Path(__file__).resolve().parents[3]
WITHOUT_TURNS = ROOT / "tests" / "data" / "run_without_turns"
# Each file of a run's folder that is JSON, and the schema of it, or of a line of it.
SCHEMAS = {"run.json": "run", "records.jsonl": "record", "evidence.jsonl": "evidence", "peaks.jsonl": "peak"}
KILLED = Outcome(-9, 5.0, stopped_by_deadline=False, out_of_memory=True)


def validator(schema: str) -> jsonschema.Draft202012Validator:
    """A schema of results/, checked to be one."""
    found = json.loads((ROOT / "results" / f"{schema}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def documents(path: Path) -> list[Document]:
    """What a file holds: one document, or one on each line."""
    text = path.read_text(encoding="utf-8")
    return [json.loads(each) for each in (text.splitlines() if path.suffix == ".jsonl" else [text])]


def faults(folder: Path) -> Iterator[str]:
    """Where a run's folder departs from the schemas."""
    for name, schema in SCHEMAS.items():
        if (folder / name).exists():
            for number, document in enumerate(documents(folder / name), start=1):
                for error in validator(schema).iter_errors(document):
                    yield f"{name}, document {number}, {error.json_path}: {error.message[:300]}"


def require_typed(folder: Path) -> None:
    """The types hold all of run.json: written again, its bytes are the same."""
    text = (folder / "run.json").read_text(encoding="utf-8")
    assert json.dumps(header_to_json(runs.load(folder).about), indent=1) + "\n" == text


def names_in(folder: Path) -> set[str]:
    """The JSON files of a run's folder."""
    return {path.name for path in folder.iterdir() if path.suffix in (".json", ".jsonl")}


@pytest.mark.parametrize("folder", ["results/sample", "tests/data/run_without_turns", "tests/data/earlier_run"])
def test_the_committed_runs_are_valid(folder: str) -> None:
    """Earlier versions of the kit wrote some of them."""
    assert names_in(ROOT / folder) <= set(SCHEMAS)
    assert list(faults(ROOT / folder)) == []


def of_version_2(document: Document) -> Document:
    """A record of version 1 as version 2 has it: a launch whose job only counts steps."""
    steps = [{**step, "began": 0.5, "turn": None} for step in document["result"]["steps"]]
    result = {**document["result"], "schema_version": 2, "steps": steps, "bursts": []}
    return {**document, "schema_version": 2, "result": result}


def without(document: Document, *path: str) -> Document:
    """The document without one key."""
    first, *rest = path
    if not rest:
        return {key: value for key, value in document.items() if key != first}
    inner = document[first]
    if isinstance(inner, list):
        return {**document, first: [without(each, *rest) for each in inner]}
    return {**document, first: without(inner, *rest)}


def test_a_record_has_what_its_version_has_and_nothing_of_the_other() -> None:
    old = documents(WITHOUT_TURNS / "records.jsonl")[0]
    new = of_version_2(old)
    turns = {"members": 3, "bursts": 6, "burst_seconds": 2.0}
    valid = validator("record").is_valid
    assert valid(old)
    assert valid(new)
    assert valid({**new, "conditions": {**new["conditions"], "turns": turns}})
    assert not valid({**old, "conditions": {**old["conditions"], "turns": turns}})
    for version in (1, 3):
        assert not valid({**new, "schema_version": version})
    assert not valid({**old, "schema_version": 2}), "a result of the version before"
    for key in ("bursts", "began", "turn"):
        path = ("result", key) if key == "bursts" else ("result", "steps", key)
        assert not valid(without(new, *path)), f"version 2 has {key}"
        others = [each for each in (("result", "bursts"), ("result", "steps", "began"), ("result", "steps", "turn"))
                  if each != path]  # fmt: skip
        mixed = without(without(new, *others[0]), *others[1])
        mixed = {**mixed, "schema_version": 1, "result": {**mixed["result"], "schema_version": 1}}
        assert not valid(mixed), f"version 1 has no {key}"


def test_a_comparison_and_its_repetition_are_valid(kit: Kit, small: Sequence[str]) -> None:
    """The run has all four files and launches of the user's own topology. Each of its JSON files has a schema."""
    Path("my_net.py").write_bytes((ROOT / "tests" / "data" / "my_net.py").read_bytes())
    assert kit(*small, "--topology-file", "my_net.py") == 0
    assert kit("repeat", "run", "--out", "again") == 0
    for folder in (Path("run"), Path("again")):
        assert names_in(folder) == set(SCHEMAS)
        assert list(faults(folder)) == []
        require_typed(folder)
    assert list(faults(Path("again/original"))) == []
    assert runs.load(Path("again")).about.repeats == "run"


def test_a_ladder_is_valid(kit: Kit, ladder: list[str]) -> None:
    """Its run.json holds rungs and their settings."""
    assert kit(*ladder) == 0
    assert list(faults(Path("run"))) == []
    require_typed(Path("run"))
    about = runs.load(Path("run")).about
    assert about.is_ladder
    assert [rung.id for rung in about.rungs("tf-2.14")] == ["slow", "wheel", "blocktime", "top", "side"]


def test_failures_are_valid(kit: Kit, small: Sequence[str], engine: FakeEngine) -> None:
    wanted = ("probe-tf-2.14-stock-vgg16-b2", "quiet-tf-2.14-intel-vgg16-b2", "gemm-tf-2.14-intel",
              "block1-tf-2.14-stock-vgg16-b4")  # fmt: skip
    engine.outcomes = dict.fromkeys(wanted, KILLED)
    assert kit(*small) == 1
    assert [each for name in sorted(SCHEMAS) for each in documents(Path("run") / name) if each.get("error")]
    assert any(each["quiet_error"] for each in documents(Path("run/evidence.jsonl")))
    assert any(each["error"] for each in documents(Path("run/peaks.jsonl")))
    assert list(faults(Path("run"))) == []


def test_a_file_that_is_only_begun_is_valid(kit: Kit, small: Sequence[str], engine: FakeEngine) -> None:
    """After Ctrl-C in the first launch there are no records yet."""

    def interrupt(_launch: Launch, _result: Document) -> None:
        raise KeyboardInterrupt

    engine.before_result = interrupt
    assert kit(*small) == 130
    assert not Path("run/records.jsonl").exists()
    assert list(faults(Path("run"))) == []


def test_the_images_lock_in_a_header_is_valid() -> None:
    (data,) = documents(WITHOUT_TURNS / "run.json")
    assert list(validator("run").iter_errors({**data, "images": lock().to_json()})) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("run.json", lambda data: data.update(weather="fine")),
        ("run.json", lambda data: data["plan"].pop("seed")),
        ("run.json", lambda data: data["plan"]["launches"][0].update(layout="CHWN")),
        ("run.json", lambda data: data["stacks"]["tf-2.14"]["variants"]["intel"].update(colour="blue")),
        ("run.json", lambda data: data["machine"]["cpus"][0].update(siblings="a")),
        ("run.json", lambda data: data.update(kind="ladder")),
        ("records.jsonl", lambda data: data["case"].pop("block")),
        ("evidence.jsonl", lambda data: data["verdicts"][0].pop("passed")),
        ("evidence.jsonl", lambda data: data.update(fingerprint=[["output", "conv1", 1.0]])),
        ("peaks.jsonl", lambda data: data["result"]["gemm"][0].update(gflops_per_second=0)),
        ("peaks.jsonl", lambda data: data["conditions"].pop("pin")),
    ],
)
def test_a_schema_refuses_what_nobody_writes(name: str, change: Callable[[Document], Any]) -> None:
    """A schema that everything fits would show nothing."""
    data = documents(WITHOUT_TURNS / name)[0]
    assert validator(SCHEMAS[name]).is_valid(data)
    change(data)
    assert not validator(SCHEMAS[name]).is_valid(data)
