"""From what the containers of a Compose run leave to records, on a machine that is not the one that ran."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runner.catalogue.stacks import IMAGES
from runner.compose.collect import collect
from runner.compose.request import request_from
from runner.errors import RunFormatError
from runner.host.pin import choose_pin
from runner.machine import conditions, read_machine
from runner.planning.job import training_job
from runner.planning.plan import Plan
from runner.storage import records, runs
from runner.storage.records import Record
from tests.runner import sysroots
from tests.runner.cli.conftest import Kit, engine, kit
from tests.runner.compose.interpolation import read
from tests.runner.fake_engine import SECONDS
from tests.runner.fake_results import make_result

TWO_CPUS = {"KIT_CPUS": "0,1", "KIT_THREADS": "2", "KIT_RUN": "elsewhere"}
TWO_CORES = sysroots.Host(cores=2, governor=None, model="Faraway CPU")
FILES = IMAGES.parent / "compose"
# Changes the request, as another version of the kit would have written it.
Request = Callable[[dict[str, Any]], dict[str, Any]]
ENDED = "2026-01-01T00:{:02}:30+00:00"
__all__ = ["engine", "kit"]  # fixtures


class ComposeRun:
    """A run's folder as the containers of the smoke overlay leave it; tests change files in it."""

    def __init__(
        self, folder: Path, host: sysroots.Host = TWO_CORES, request: Request | None = None, **environment: str
    ) -> None:
        self.folder = folder
        variables = {**TWO_CPUS, **environment}
        composed = read(FILES / "smoke.yaml", variables)["services"]["host"]["command"][2]
        composed = composed if request is None else json.dumps(request(json.loads(composed)))
        sysroot = sysroots.write(host, folder / "host")
        (folder / "compose.json").write_text(composed)
        self.machine = read_machine(sysroot)
        self.pin = choose_pin(self.machine, cpus=frozenset({0, 1}))
        self.plan: Plan = request_from(json.loads(composed)).plan(self.pin)
        for number, launch in enumerate(self.plan.launches):
            base = folder / "launches" / launch.launch_id
            sysroots.write(host, base / "before")
            sysroots.write(host, base / "after")
            for name, uptime in (("before", 1000 + number), ("after", 1020.5 + number)):
                (base / name / "proc/uptime").write_text(f"{uptime} 5000.0\n")
            result = make_result(launch, self.pin, SECONDS[launch.cell.variant])
            result["observed"]["cpu_model"] = host.model
            for name, text in {
                "job/job.json": json.dumps(training_job(launch)), "result/result.json": json.dumps(result),
                "log.txt": "first words\nlast words\n", "exit_code": "0\n", "session": "1\n",
                "started": f"2026-01-01T00:{number:02}:00+00:00\n", "ended": ENDED.format(number) + "\n",
            }.items():  # fmt: skip
                (base / name).parent.mkdir(parents=True, exist_ok=True)
                (base / name).write_text(text)

    def launch(self, number: int = 0) -> Path:
        """The folder of one launch."""
        return self.folder / "launches" / self.plan.launches[number].launch_id

    def result(self, number: int = 0) -> dict[str, Any]:
        """The result of one launch."""
        found: dict[str, Any] = json.loads((self.launch(number) / "result/result.json").read_text())
        return found

    def change_result(self, number: int = 0, **changes: Any) -> None:
        """Change the result of one launch."""
        (self.launch(number) / "result/result.json").write_text(json.dumps({**self.result(number), **changes}))

    def fail(self, code: int, **files: str) -> None:
        """Let the first launch end with an exit code and without a result."""
        (self.launch() / "exit_code").write_text(f"{code}\n")
        (self.launch() / "result/result.json").unlink()
        for name, text in files.items():
            path = self.launch() / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def first(self) -> Record:
        """The first launch's record."""
        return collect(self.folder).read_records()[0]


@pytest.fixture
def finished(tmp_path: Path) -> ComposeRun:
    """A run in which all went well."""
    return ComposeRun(tmp_path / "elsewhere")


def test_a_record_is_what_the_kits_own_engine_would_have_written(finished: ComposeRun) -> None:
    """Conditions, facts and settings are of the host that ran; every record fits the schema."""
    run = collect(finished.folder)
    schema = json.loads((IMAGES.parent / "results" / "record.schema.json").read_text())
    for line in run.records_file.read_text().splitlines():
        jsonschema.validate(json.loads(line), schema, cls=jsonschema.Draft202012Validator)
    found = run.read_records()
    assert [record.launch_id for record in found] == [launch.launch_id for launch in finished.plan.launches]
    first = found[0]
    assert first.error is None
    assert first.conditions["engine"] == "docker"
    assert first.conditions["machine"] == conditions(finished.machine)
    assert first.conditions["pin"] == finished.pin.to_json()
    assert first.conditions["enforced"]["mems"] == "0"
    assert first.facts["seconds"] == 20.5
    assert (first.facts["started"], first.facts["ended"]) == ("2026-01-01T00:00:00+00:00", ENDED.format(0))
    assert first.facts["before"]["load_1_minute"] == 0.1
    assert run.header["machine"]["processor"]["model_name"] == "Faraway CPU"
    assert run.header["created"] == "2026-01-01T00:00:00+00:00"


def test_report_draws_the_run_and_gives_the_same_bytes_again(kit: Kit, in_folder: Path) -> None:
    """Collecting twice adds nothing; deleting what is derived changes nothing."""
    made = ComposeRun(in_folder / "elsewhere")
    assert kit("report", "elsewhere") == 0
    names = ("records.jsonl", "run.json", "report.html", "report.md", "speedups.csv")
    before = {name: (made.folder / name).read_bytes() for name in names}
    for name in names:
        if name.startswith(("report", "speedups")):
            (made.folder / name).unlink()
    assert kit("report", "elsewhere") == 0
    assert {name: (made.folder / name).read_bytes() for name in names} == before
    assert b"Docker Compose" in before["report.md"]


def test_a_launch_that_has_not_ended_has_no_record_until_it_has(kit: Kit, in_folder: Path) -> None:
    """The report of an unfinished run says so with its exit code; later the launch is added.

    Those that took turns with it have ended well and have no record either: the turns of all are judged together.
    """
    made = ComposeRun(in_folder / "elsewhere")
    (made.launch(3) / "exit_code").unlink()
    assert kit("report", "elsewhere") == 1
    assert len(runs.load(made.folder).read_records()) == 3
    (made.launch(3) / "exit_code").write_text("0\n")
    assert kit("report", "elsewhere") == 0
    assert len(runs.load(made.folder).read_records()) == 6


def test_a_launch_whose_neighbour_was_killed_for_good_has_a_record(finished: ComposeRun) -> None:
    """What was moved aside without an end will have none: the other launches are judged without it."""
    killed = finished.launch(0)
    (killed / "exit_code").unlink()
    assert len(collect(finished.folder).read_records()) == 3
    killed.rename(killed.with_name(f"{killed.name}.before-20260102T000000.0Z"))
    assert len(collect(finished.folder).read_records()) == 5


def test_launches_that_trained_at_the_same_time_are_not_as_planned(finished: ComposeRun) -> None:
    """The turns of a block are held against one another, as `compare` does."""
    first, *others = finished.result(0)["bursts"]
    until = finished.result(1)["bursts"][0]["ended"]
    finished.change_result(0, bursts=[{**first, "ended": until}, *others])
    errors = [record.error for record in collect(finished.folder).read_records()]
    assert [error is None for error in errors] == [False, False, True, True, True, True]
    assert errors[0] is not None
    assert errors[0]["kind"] == "not_as_planned"
    assert f"of {finished.plan.launches[1].launch_id} trained at the same time" in errors[0]["message"]


def test_turns_of_two_sessions_are_not_held_against_one_another(finished: ComposeRun) -> None:
    """They had nothing to do with one another."""
    (finished.launch(1) / "session").write_text("2\n")
    bursts = finished.result(0)["bursts"]
    finished.change_result(1, bursts=bursts)
    assert [record.error for record in collect(finished.folder).read_records()] == [None] * 6


def test_an_unfinished_run_is_completed_by_compose_and_resumed_by_no_engine(
    kit: Kit, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The advice is another `up`; the engines' own --resume is refused with it."""
    made = ComposeRun(in_folder / "elsewhere")
    (made.launch(3) / "exit_code").unlink()
    assert kit("report", "elsewhere") == 1
    text = (made.folder / "report.md").read_text()
    assert "docker-compose up" in text
    assert "--resume" not in text
    capsys.readouterr()
    assert kit("compare", "--resume", "elsewhere") == 2
    told = capsys.readouterr()
    assert "docker-compose up with its Compose file again" in " ".join((told.out + told.err).split())


def test_a_failed_launch_is_a_record_and_a_second_attempt_another(kit: Kit, in_folder: Path) -> None:
    """It keeps its last words; when its block has succeeded in another session, that success counts."""
    made = ComposeRun(in_folder / "elsewhere")
    kept = (made.launch() / "result/result.json").read_text()
    made.fail(1)
    assert kit("report", "elsewhere") == 1
    error = runs.load(made.folder).read_records()[0].error
    assert error is not None
    assert error["kind"] == "failed"
    assert error["message"] == "ended with exit code 1 and no result; its last lines: first words / last words"
    (made.launch() / "result/result.json").write_text(kept)
    (made.launch() / "exit_code").write_text("0\n")
    for number in (0, 1, 2):
        (made.launch(number) / "ended").write_text(ENDED.format(57 + number) + "\n")
        (made.launch(number) / "session").write_text("2\n")
    assert kit("report", "elsewhere") == 0
    again = runs.load(made.folder).read_records()
    assert len(again) == 9
    assert records.latest(again)[made.plan.launches[0].launch_id].session == 2


@pytest.mark.parametrize(
    "file", ["after__sys/fs/cgroup/memory.events", "after__sys/fs/cgroup/memory/memory.oom_control"], ids=["v2", "v1"]
)
def test_a_kill_for_want_of_memory_is_told_by_the_control_group(finished: ComposeRun, file: str) -> None:
    """Version 2 and version 1 both count it."""
    finished.fail(137, **{file: "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"})
    error = finished.first().error
    assert error is not None
    assert error["kind"] == "out_of_memory"


def test_a_kill_at_the_deadline_is_told_by_the_time_it_took(finished: ComposeRun) -> None:
    """The same exit code earlier, without a kill for memory, is a plain failure. Three launches share the time."""
    finished.fail(137)
    error = finished.first().error
    assert error is not None
    assert error["kind"] == "failed"
    other = ComposeRun(finished.folder.parent / "other")
    other.fail(137, after__proc__uptime=f"{1000 + 3 * 1800 + 600}.0 1.0\n")
    error = other.first().error
    assert error is not None
    assert error["kind"] == "timeout"


NOT_AS_PLANNED: Sequence[tuple[dict[str, Any], str]] = [
    ({"workload_sha256": "other"}, "workload_sha256 other instead of"),
    ({"evidence": {"wheel": {"distribution": "tensorflow", "version": "2.15.0"}}}, "wheel tensorflow==2.15.0 instead"),
]


@pytest.mark.parametrize(("changes", "words"), NOT_AS_PLANNED, ids=["workload", "wheel"])
def test_what_was_not_planned_is_an_error(finished: ComposeRun, changes: dict[str, Any], words: str) -> None:
    """An image of another version of the kit, or one with another wheel, gives no number."""
    finished.change_result(**changes)
    error = finished.first().error
    assert error is not None
    assert error["kind"] == "not_as_planned"
    assert words in error["message"]


def test_another_job_than_planned_is_an_error(finished: ComposeRun) -> None:
    job = json.loads((finished.launch() / "job/job.json").read_text())
    (finished.launch() / "job/job.json").write_text(json.dumps({**job, "topology": "vgg16"}))
    error = finished.first().error
    assert error is not None
    assert error["kind"] == "not_as_planned"
    assert error["message"].endswith("topology vgg16 instead of alexnet")


def test_a_wrong_number_of_threads_is_an_error(tmp_path: Path) -> None:
    made = ComposeRun(tmp_path / "elsewhere")
    path = made.launch() / "result/result.json"
    observed = {**json.loads(path.read_text())["observed"], "intra_op_threads": 7}
    made.change_result(observed=observed)
    error = made.first().error
    assert error is not None
    assert "intra_op_threads 7 instead of 2" in error["message"]


def test_memory_nodes_that_compose_cannot_hold_are_said_not_to_be(tmp_path: Path) -> None:
    """On two nodes with a pin on one of them, the record holds null and the report tells the limit."""
    made = ComposeRun(tmp_path / "elsewhere", sysroots.Host(cores=8, nodes=(0, 1), governor=None))
    run = collect(made.folder)
    assert run.header["engine"]["cannot_enforce"] == ["memory nodes"]
    assert run.read_records()[0].conditions["enforced"]["mems"] is None


def test_a_memory_limit_is_held_against_what_was_observed(tmp_path: Path) -> None:
    made = ComposeRun(tmp_path / "elsewhere", KIT_MEMORY=str(6 << 30))
    error = made.first().error
    assert error is not None
    assert f"memory limit (bytes) None instead of {6 << 30}" in error["message"]


@pytest.mark.parametrize("name", ["compose.json", "host/proc", "launches"])
def test_a_damaged_folder_is_told(finished: ComposeRun, name: str) -> None:
    path = finished.folder / name
    if name == "launches":
        (finished.launch() / "ended").unlink()
    elif path.is_dir():
        path.rename(path.with_name("gone"))
    else:
        path.write_text("{")
    with pytest.raises(RunFormatError, match="ended" if name == "launches" else name.partition("/")[0]):
        collect(finished.folder)


def test_a_newer_file_is_refused(finished: ComposeRun) -> None:
    composed = json.loads((finished.folder / "compose.json").read_text())
    (finished.folder / "compose.json").write_text(json.dumps({**composed, "schema_version": 3}))
    with pytest.raises(RunFormatError, match="schema_version 3"):
        collect(finished.folder)


def test_a_run_of_the_first_version_is_read_as_one_without_turns(tmp_path: Path) -> None:
    """Its launches followed one another, and each of them is judged by itself."""

    def older(composed: dict[str, Any]) -> dict[str, Any]:
        request = {key: value for key, value in composed["request"].items() if key not in ("turns", "memory_bytes")}
        return {**composed, "schema_version": 1, "request": request}

    made = ComposeRun(tmp_path / "elsewhere", request=older)
    assert all(launch.turns is None for launch in made.plan.launches)
    found = collect(made.folder).read_records()
    assert [record.error for record in found] == [None] * 6
    assert "turns" not in found[0].conditions
