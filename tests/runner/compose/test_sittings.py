"""A Compose run that was interrupted and goes on: its own scripts, in shells, with a workload that trains nothing.

The workload takes real turns. So the scripts of a block run at the same time, as its containers do.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runner.catalogue.stacks import IMAGES
from runner.cli.compose import Options, compose_files
from runner.cli.parsed import parsed
from runner.cli.parser import build_parser
from runner.compose.collect import collect
from runner.compose.request import request_from
from runner.host.pin import choose_pin
from runner.machine import read_machine
from tests.runner import sysroots
from tests.runner.compose.interpolation import read
from tests.runner.fake_engine import SECONDS
from tests.runner.fake_results import make_result
from tests.runner.told import tells

SETTINGS = {"KIT_CPUS": "0,1", "KIT_THREADS": "2", "KIT_RUN": "sat"}
COMPOSE = ["compose", "--variants", "stock,intel", "--topologies", "alexnet", "--batch-sizes", "1", "--blocks", "2"]
# In place of the image's Python and workload: copies the host's files, and the result that a launch is to have.
WORKLOAD = """
import json, os, shutil, signal, sys
sys.path.insert(0, "{images}")
from workload import turns
option, value, _, target, *more = sys.argv[1:]
turns._LOOK_SECONDS = 0.2

def run(number, turn):
    ends = open("{here}/ends").read().split()
    if ends == [launch, "killed"]:
        os.kill(int(open("{here}/shell-" + launch).read()), signal.SIGKILL)  # the container goes with its shell
        sys.exit(1)
    if ends == [launch, "failed"]:
        sys.exit(1)

if option == "--capture":
    shutil.copytree("{here}/sysroot", target, dirs_exist_ok=True)
else:
    job = json.load(open(value))
    launch, order = job["launch_id"], [turns.Turn(*each) for each in job["turns"]["order"]]
    group = turns.Group(more[1] if more else None, job["turns"]["member"], order)
    group.pass_on(turns.run_bursts(group, run, []))
    shutil.copy("{here}/results/" + launch, target + "/result.json")
"""


class Sat:
    """A host on which the services of a Compose file run, each as soon as those that it depends on have ended."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        host = sysroots.Host(cores=2, governor=None)
        sysroot = sysroots.write(host, folder / "sysroot")
        (folder / "sysroot/proc/uptime").write_text("1000.0 5000.0\n")
        for name, content in compose_files(
            parsed(Options, build_parser().parse_args([*COMPOSE, *options])), folder
        ).items():
            (folder / name).write_text(content)
        self.services: dict[str, Any] = read(folder / "compare.yaml", SETTINGS)["services"]
        pin = choose_pin(read_machine(sysroot), cpus=frozenset({0, 1}))
        self.plan = request_from(json.loads(self.services["host"]["command"][2])).plan(pin)
        self.names = [launch.launch_id for launch in self.plan.launches]
        (folder / "workload").write_text(WORKLOAD.format(here=folder, images=IMAGES))
        (folder / "results").mkdir()
        for launch in self.plan.launches:
            result = make_result(launch, pin, SECONDS[launch.cell.variant])
            result["observed"]["cpu_model"] = host.model
            (folder / "results" / launch.launch_id).write_text(json.dumps(result))
        (folder / "runs").mkdir()
        self.run = folder / "runs" / "sat"

    def up(self, launch: str = "", ends: str = "") -> list[str]:
        """Run the services to the end, or until the launch that is to be killed; return what each said."""
        (self.folder / "ends").write_text(f"{launch} {ends}")
        said: list[str] = []
        for names in self.together():
            with ThreadPoolExecutor(len(names)) as pool:
                done = list(pool.map(self.start, names))
            said += [each.stdout.strip() for each in done]
            if any(each.returncode != 0 for each in done):
                break
        return said

    def together(self) -> list[list[str]]:
        """The services that start at the same time, in the order in which they do."""
        found = {("checks",): ["host"]}
        for name in self.names:
            found.setdefault(tuple(self.services[name]["depends_on"]), []).append(name)
        return list(found.values())

    def start(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run one service to its end."""
        service = self.services[name]
        shell, options, script = service["entrypoint"]
        python = f"{sys.executable} -I -S {self.folder}/workload"
        script = script.replace("/opt/environment/bin/python /opt/workload", python)
        script = re.sub(r"(?<!results)/runs", f"{self.folder}/runs", script)
        script = f'echo "$$" >{self.folder}/shell-{name}\n{script}'
        return subprocess.run(
            [shell, options, script, *service["command"]], capture_output=True, text=True, check=False, timeout=60
        )

    def ended(self) -> list[tuple[str, int]]:
        """The launches that have a record, with their sessions, in the order of the records."""
        return [(record.launch_id, record.session) for record in collect(self.run).read_records()]


@pytest.fixture
def sat(tmp_path: Path) -> Sat:
    """A host with nothing measured yet."""
    return Sat(tmp_path)


def test_the_launches_of_a_block_start_together_and_leave_no_pipes(sat: Sat) -> None:
    """They can only end if they take their turns with one another."""
    assert sat.together() == [["host"], sat.names[:2], sat.names[2:]]
    sat.up()
    assert sat.ended() == [(name, 1) for name in sat.names]
    assert [record.error for record in collect(sat.run).read_records()] == [None] * 4
    assert not (sat.run / "turns").exists()


def test_launches_in_sequence_follow_one_another(tmp_path: Path) -> None:
    sat = Sat(tmp_path, "--in-sequence")
    assert sat.together() == [["host"], *([name] for name in sat.names)]
    sat.up(sat.names[1], "failed")
    assert sat.ended() == [(name, 1) for name in sat.names]
    sat.up()
    assert collect(sat.run).remaining() == []
    assert not (sat.run / "turns").exists()


@pytest.mark.parametrize("how", ["killed", "failed"])
@pytest.mark.parametrize("member", [0, 1])
def test_a_launch_that_dies_ends_its_block_at_once(sat: Sat, how: str, member: int) -> None:
    """The other one notices by itself; that it has failed is recorded, and nothing waits for the deadline."""
    started = time.monotonic()
    sat.up(sat.names[member], how)
    assert time.monotonic() - started < 60
    errors = {record.launch_id: record.error for record in collect(sat.run).read_records()}
    other = errors[sat.names[1 - member]]
    assert other is not None
    assert other["kind"] == "failed"
    assert "TurnError" in other["message"]
    assert [launch.launch_id for launch in collect(sat.run).remaining()][:2] == sat.names[:2]


def test_whichever_script_of_a_broken_block_comes_first_all_run_it_again(sat: Sat) -> None:
    """The second script looks when the first one has moved its old folder aside and waits for its turn."""
    sat.up(sat.names[1], "failed")
    (sat.folder / "ends").write_text("")
    assert sat.start("host").returncode == 0
    late, early = sat.names[0], sat.names[1]
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(sat.start, early)
        end = time.monotonic() + 60
        while not list((sat.run / "turns").rglob("session-2/member-1")):
            assert time.monotonic() < end, "the first script has not joined its block"
            time.sleep(0.05)
        second = sat.start(late)
        assert first.result().stdout == second.stdout == ""
    assert sorted(sat.ended()) == sorted([*((name, 1) for name in sat.names), (late, 2), (early, 2)])
    assert collect(sat.run).remaining() == []


def test_a_run_with_the_pipes_of_a_failed_block_can_be_copied(sat: Sat) -> None:
    """By tar and by cp; the copy is read like the run, with or without the folder of the pipes."""
    sat.up(sat.names[3], "killed")
    assert [path for path in (sat.run / "turns").rglob("*") if path.is_fifo()]
    copies = sat.folder / "copies"
    copies.mkdir()
    for command in (
        ["cp", "-r", str(sat.run), str(copies / "cp")],
        ["sh", "-c", f"mkdir {copies}/tar && tar -C {sat.run} -cf - . | tar -C {copies}/tar -xf -"],
        ["sh", "-c", f"mkdir {copies}/less && tar -C {sat.run} --exclude=./turns -cf - . | tar -C {copies}/less -xf -"],
    ):
        subprocess.run(command, check=True, timeout=60)
    assert not (copies / "less/turns").exists()
    for name in ("cp", "tar", "less"):
        found = [(record.launch_id, record.session) for record in collect(copies / name).read_records()]
        assert found == sat.ended()


def test_a_block_that_was_interrupted_is_run_again_whole_in_another_session(sat: Sat) -> None:
    """The second block is measured again with both of its launches, and the first block is not."""
    assert len(sat.up(sat.names[3], "killed")) == 1 + 4
    assert sat.ended() == [(name, 1) for name in sat.names[:3]]
    assert [launch.launch_id for launch in collect(sat.run).remaining()] == sat.names[2:]
    said = sat.up()
    assert tells(said[0], "results/runs/sat", "session 2")
    assert [tells(text, name, "before") for text, name in zip(said[1:], sat.names, strict=True)] == [
        True,
        True,
        False,
        False,
    ]
    assert sorted(sat.ended()) == sorted(
        [*((name, 1) for name in sat.names[:3]), *((name, 2) for name in sat.names[2:])]
    )
    run = collect(sat.run)
    assert run.remaining() == []
    schema = json.loads((IMAGES.parent / "results" / "record.schema.json").read_text())
    for line in run.records_file.read_text().splitlines():
        jsonschema.validate(json.loads(line), schema, cls=jsonschema.Draft202012Validator)
    before = run.records_file.read_bytes()
    sat.up()
    assert collect(sat.run).records_file.read_bytes() == before, "nothing is left to be run"


def test_a_block_with_a_failed_launch_is_run_again_whole(sat: Sat) -> None:
    """A launch that fails stops no other; at the next `up` its whole block is measured again."""
    assert len(sat.up(sat.names[1], "failed")) == 1 + 4
    assert [launch.launch_id for launch in collect(sat.run).remaining()] == sat.names[:2]
    sat.up()
    assert sorted(sat.ended()) == sorted([*((name, 1) for name in sat.names), *((name, 2) for name in sat.names[:2])])
    assert collect(sat.run).remaining() == []


def test_attempts_that_were_not_collected_in_between_have_their_records_too(sat: Sat) -> None:
    """Nothing that has ended is lost when its launch is run again before anybody looks."""
    sat.up(sat.names[1], "killed")
    sat.up()
    assert (sat.names[0], 1) in sat.ended()
    assert (sat.names[0], 2) in sat.ended()


def test_a_run_of_an_older_file_is_not_gone_on_with(sat: Sat) -> None:
    """Its launches do not say which session they belong to."""
    sat.up()
    (sat.run / "session").unlink()
    assert sat.up() == [""]
    refused = sat.start("host")
    assert refused.returncode != 0
    assert "session" in refused.stderr


@pytest.mark.parametrize("begun", [False, True], ids=["new", "begun"])
def test_a_host_without_room_for_a_block_is_refused(sat: Sat, begun: bool) -> None:
    """Launches that live together never drive it into swap; what to do instead is said."""
    if begun:
        sat.up()
    command = sat.services["host"]["command"]
    assert 0 < int(command[4]) < 10**11
    command[4] = str(10**16)
    refused = sat.start("host")
    assert refused.returncode != 0
    assert tells(refused.stderr, "10000000000000000 bytes", "--in-sequence")
    assert not begun or (sat.run / "session").read_text() == "1\n"


def test_sessions_of_an_older_files_run_are_told_by_what_was_moved_aside(sat: Sat) -> None:
    """There `up` went on launch by launch: the one that was killed began the second session, and its block is none."""
    sat.up()
    for path in sat.run.rglob("session"):
        path.unlink()
    for number, name in enumerate(sat.names):
        (sat.run / "launches" / name / "started").write_text(f"2026-01-0{1 + number}T00:00:00+00:00\n")
    (sat.run / "launches" / f"{sat.names[3]}.before-20260103T235900Z").mkdir()
    assert sat.ended() == [(name, 1) for name in sat.names[:3]] + [(sat.names[3], 2)]
    assert [launch.launch_id for launch in collect(sat.run).remaining()] == sat.names[2:]
