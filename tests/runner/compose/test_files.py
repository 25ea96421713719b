"""The Compose files: committed as generated, with the plan's settings, for whatever host runs them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from runner.cli import compare, main
from runner.cli.compose import FOLDER, Options, compose_files
from runner.cli.parsed import parsed
from runner.cli.parser import build_parser
from runner.engines.docker import SHM_BYTES, TMPFS_BYTES
from runner.host.pin import Pin, choose_pin
from runner.machine import parse_cpu_list, read_machine
from runner.planning.job import training_job
from runner.planning.memory import why_not_together
from runner.planning.plan import Plan
from runner.session.execute import launch_folders
from runner.session.planned import plan_from
from tests.runner import sysroots
from tests.runner.compose.interpolation import read
from tests.runner.fake_engine import FakeEngine, only

SUCCESS = {"condition": "service_completed_successfully"}
TWO_CPUS = {"KIT_CPUS": "0,1", "KIT_THREADS": "2"}
HOST = sysroots.Host(cores=2, governor=None)


@pytest.fixture
def planned(tmp_path: Path) -> Plan:
    """What `compare` would run on a host of two cores."""
    sysroots.write(HOST, tmp_path / "host")
    composed = parsed(compare.Options, build_parser().parse_args(["compare"]))
    return plan_from(composed.request, composed.pin, contained=False, sysroot=tmp_path / "host").plan


@pytest.fixture
def services() -> dict[str, Any]:
    """The committed file's services on that host."""
    content: dict[str, Any] = read(FOLDER / "compare.yaml", TWO_CPUS)["services"]
    return content


def test_the_committed_files_are_what_the_command_writes() -> None:
    """Run `python -m runner compose` after a change of the plan, the locks or the workload."""
    for name, content in compose_files(parsed(Options, build_parser().parse_args(["compose"])), FOLDER).items():
        assert (FOLDER / name).read_text(encoding="utf-8") == content, name


def test_each_variant_has_one_service_that_builds_its_image(services: dict[str, Any], planned: Plan) -> None:
    """It checks the image before anything is measured, with the settings of the variant's launches."""
    checks = {name: each for name, each in services.items() if "build" in each}
    assert list(checks) == ["tf-2.14-stock", "tf-2.14-intel"]
    for name, check in checks.items():
        assert check["command"] == ["--version"]
        ids = [each.launch_id for each in planned.launches if f"{each.cell.stack}-{each.cell.variant}" == name]
        launches = [services[each] for each in ids]
        assert len(launches) == 24
        own = ("command", "labels", "depends_on", "entrypoint", "build")
        settings = {key: value for key, value in check.items() if key not in own}
        assert all({key: each[key] for key in each if key not in own} == settings for each in launches)


def test_every_launch_of_the_plan_is_a_service_in_its_order(services: dict[str, Any], planned: Plan) -> None:
    """All of a block start when all before them have ended; the first block after the capture of the host."""
    names = [launch.launch_id for launch in planned.launches]
    assert [name for name in services if name.startswith("block")] == names
    blocks = [list(block) for _, block in groupby(names, key=lambda name: sorted(services[name]["depends_on"]))]
    assert [len(block) for block in blocks] == [3] * 24
    for before, block in zip([["host"], *blocks], blocks, strict=False):
        for name in block:
            assert services[name]["depends_on"] == dict.fromkeys(before, SUCCESS)


def test_launches_that_take_turns_share_a_folder_and_a_deadline(services: dict[str, Any], planned: Plan) -> None:
    """Its folder is the one that `compare` uses; each of the three may train up to its limit."""
    for launch in planned.launches:
        *_, deadline, block, _job, folder = services[launch.launch_id]["command"]
        assert deadline == f"{3 * 1800 + 600}"
        assert len(block.split()) == launch.members == 3
        assert folder == str(launch_folders("any", Path(), launch).turns)


def test_the_host_is_told_how_much_memory_the_largest_block_needs(services: dict[str, Any]) -> None:
    """In exactly this much free memory `compare` would let the launches of each block live together."""
    needed = int(services["host"]["command"][4])
    assert why_not_together("vgg16", 4, 3, needed) is None
    assert why_not_together("vgg16", 4, 3, needed - 10) is not None


def test_a_stack_whose_library_is_in_no_wheel_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its image could not be built from images/ alone."""
    assert main(["compose", "--stack", "tf-2.21-zentf", "--out", str(tmp_path)], only(FakeEngine())) == 2
    assert "tf-2.21-zentf/zentf needs libgomp" in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []


def test_launches_in_sequence_depend_on_the_one_before(tmp_path: Path) -> None:
    """They share no folder, and each has a deadline of its own."""
    assert main(["compose", "--in-sequence", "--out", str(tmp_path)], only(FakeEngine())) == 0
    services = read(tmp_path / "compare.yaml", TWO_CPUS)["services"]
    assert services["host"]["command"][4] == "0"
    launches = {name: each for name, each in services.items() if "block" in name}
    for before, (_, service) in zip(["host", *launches], launches.items(), strict=False):
        assert list(service["depends_on"]) == [before]
        assert service["command"][3] == "2400"
        assert len(service["command"]) == 6
        assert len({member for member, _, _ in json.loads(service["command"][5])["turns"]["order"]}) == 1


def test_a_launch_is_the_container_that_the_engine_would_make(services: dict[str, Any], planned: Plan) -> None:
    """Same CPUs, environment, limits, hardening and job as the Docker engine gives."""
    for launch in planned.launches:
        service = services[launch.launch_id]
        assert parse_cpu_list(service["cpuset"]) == set(planned.pin.cpus)
        assert service["environment"] == launch.environment
        assert json.loads(service["command"][5]) == training_job(launch)
        assert service["command"][:3] == ["launch", "compose-quick", launch.launch_id]
        hard = {"network_mode": "none", "read_only": True, "cap_drop": ["ALL"], "init": True, "shm_size": SHM_BYTES,
                "security_opt": ["no-new-privileges"], "tmpfs": [f"/tmp:size={TMPFS_BYTES},mode=1777"]}  # fmt: skip
        assert {key: service[key] for key in hard} == hard
        assert service["user"] == "1000:1000"
        assert service["volumes"] == ["../results/runs:/runs"]


def test_a_memory_limit_covers_swap_too(tmp_path: Path) -> None:
    """As on the Docker engine; the default is no limit."""
    compose = ["compose", "--memory", "6g", "--out", str(tmp_path)]
    assert main(compose, only(FakeEngine())) == 0
    service = read(tmp_path / "compare.yaml", {})["services"]["tf-2.14-stock"]
    assert service["mem_limit"] == service["memswap_limit"] == str(6 << 30)
    assert read(FOLDER / "compare.yaml", {})["services"]["tf-2.14-stock"]["mem_limit"] == "0"


def test_images_can_be_taken_by_digest(services: dict[str, Any]) -> None:
    """A variable for each installation names another image than the one that is built."""
    image = "registry.example/kit@sha256:" + "ab" * 32
    other = read(FOLDER / "compare.yaml", {"KIT_IMAGE_TF_2_14_INTEL": image})["services"]
    assert other["block1-tf-2.14-intel-resnet50-b4"]["image"] == image
    assert (
        other["tf-2.14-stock"]["image"] == services["tf-2.14-stock"]["image"] == "tensorflow-speedup-kit:tf-2.14-stock"
    )


def test_a_file_can_be_made_for_one_host(tmp_path: Path) -> None:
    """With a pin option, the defaults are that host's. Siblings in the pin change a BKM as they do in a plan."""
    sysroots.write(sysroots.ec2_c5_18xlarge(), tmp_path / "host")
    command = ["compose", "--cpus", "0-1,36-37", "--sysroot", str(tmp_path / "host"), "--out", str(tmp_path / "files")]
    assert main(command, only(FakeEngine())) == 0
    service = read(tmp_path / "files" / "compare.yaml", {})["services"]["tf-2.14-intel"]
    assert (service["cpuset"], service["environment"]["OMP_NUM_THREADS"]) == ("0-1,36-37", "2")
    assert service["environment"]["KMP_AFFINITY"] == "granularity=fine,verbose,compact,1,0"


def test_the_overlay_switches_the_launches_off_and_adds_its_own() -> None:
    """The overlay's launches are AlexNet at batch size 1, in two blocks of three variants, with bursts of one step."""
    main_services = read(FOLDER / "compare.yaml", {})["services"]
    smoke = read(FOLDER / "smoke.yaml", {})["services"]
    off = [name for name, each in smoke.items() if each == {"profiles": ["compare"]}]
    assert off == [name for name in main_services if name.startswith("block")]
    jobs = [json.loads(each["command"][5]) for name, each in smoke.items() if name.startswith("smoke-")]
    assert [(job["topology"], job["batch_size"], job["timed_steps"]) for job in jobs] == [("alexnet", 1, 2)] * 6
    assert {steps for job in jobs for _, phase, steps in job["turns"]["order"] if phase != "end"} == {1}
    assert smoke["host"]["command"][1] == "compose-smoke"


PINS = [
    (sysroots.ec2_c5_18xlarge(), 36), (sysroots.amd_with_gaps(), 16), (sysroots.vm_without_numa(), 8),
    (sysroots.Host(cores=4, smt=2, offline=frozenset({0, 3})), 4),
    (sysroots.hybrid_laptop(), 6), (sysroots.compact_cores_by_clock(), 4), (sysroots.isolated(), 4),
    (sysroots.Host(cores=2, smt=2, extra={f"{sysroots.CPUS}/isolated": "0"}), 2),
    (sysroots.Host(extra={f"{sysroots.CPUS}/cpu{cpu}/cpu_capacity": ("446", "1024")[cpu > 1] for cpu in range(4)}), 2),
    (replace(sysroots.hybrid_laptop(), offline=frozenset(range(6))), 8),
]  # fmt: skip
PIN_NAMES = (
    "c5", "amd", "vm", "offline", "hybrid", "clock", "isolated", "isolated sibling", "capacity", "efficiency only",
)  # fmt: skip


@pytest.mark.parametrize(("host", "cores"), PINS, ids=PIN_NAMES)
def test_the_settings_script_chooses_the_kits_own_pin(host: sysroots.Host, cores: int, tmp_path: Path) -> None:
    """One logical CPU of each physical core that the kit takes by default, without Python."""
    root = sysroots.write(host, tmp_path)
    script = ["sh", str(FOLDER / "settings.sh"), str(tmp_path)]
    lines = subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()
    settings = dict(line.split("=") for line in lines)
    pin: Pin = choose_pin(read_machine(root))
    assert parse_cpu_list(settings["KIT_CPUS"]) == set(pin.cpus)
    assert int(settings["KIT_THREADS"]) == pin.threads == cores


def test_the_settings_script_says_what_to_do_where_the_host_tells_nothing(tmp_path: Path) -> None:
    """It exits with 3 and names the variables to set by hand."""
    (tmp_path / "sys/devices/system/cpu/cpu0").mkdir(parents=True)
    script = ["sh", str(FOLDER / "settings.sh"), str(tmp_path)]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "set KIT_CPUS and KIT_THREADS yourself" in done.stderr
