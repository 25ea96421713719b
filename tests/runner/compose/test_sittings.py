"""A Compose run that was interrupted and goes on: its own scripts, in a shell, with a workload that trains nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
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
option, value, _, target = sys.argv[1:]
if option == "--capture":
    shutil.copytree("{here}/sysroot", target, dirs_exist_ok=True)
else:
    launch = json.load(open(value))["launch_id"]
    ends = open("{here}/ends").read().split()
    if ends == [launch, "killed"]:
        os.kill(int(open("{here}/shell").read()), signal.SIGKILL)  # the container goes with its shell
        sys.exit(1)
    if ends == [launch, "failed"]:
        sys.exit(1)
    shutil.copy("{here}/results/" + launch, target + "/result.json")
"""


class Sat:
    """A host on which the services of a Compose file run one after the other, as `up` starts them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        host = sysroots.Host(cores=2, governor=None)
        sysroot = sysroots.write(host, folder / "sysroot")
        (folder / "sysroot/proc/uptime").write_text("1000.0 5000.0\n")
        for name, content in compose_files(parsed(Options, build_parser().parse_args(COMPOSE)), folder).items():
            (folder / name).write_text(content)
        self.services: dict[str, Any] = read(folder / "compare.yaml", SETTINGS)["services"]
        pin = choose_pin(read_machine(sysroot), cpus=frozenset({0, 1}))
        self.plan = request_from(json.loads(self.services["host"]["command"][2])).plan(pin)
        self.names = [launch.launch_id for launch in self.plan.launches]
        (folder / "workload").write_text(WORKLOAD.format(here=folder))
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
        said = []
        for name in ("host", *self.names):
            done = self.start(name)
            said.append(done.stdout.strip())
            if done.returncode != 0:
                break
        return said

    def start(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run one service to its end."""
        service = self.services[name]
        shell, options, script = service["entrypoint"]
        python = f"{sys.executable} -I -S {self.folder}/workload"
        script = script.replace("/opt/environment/bin/python /opt/workload", python)
        script = re.sub(r"(?<!results)/runs", f"{self.folder}/runs", script)
        script = f'echo "$$" >{self.folder}/shell\n{script}'
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


def test_a_block_that_was_interrupted_is_run_again_whole_in_another_session(sat: Sat) -> None:
    """The second block's first launch had ended: it is measured again with the second, and the first block is not."""
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
