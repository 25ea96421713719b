"""The venv engine with real processes; a tiny stand-in for the workload shows what a launch really gets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.catalogue.stacks import find_stack
from runner.engines import venv
from runner.engines.environments import EnvironmentCache
from runner.engines.protocol import Artifact, LaunchFolders
from runner.engines.venv import VenvEngine, was_out_of_memory
from runner.errors import DiskError
from runner.host.pin import Pin
from runner.support.network import PackageIndex
from runner.vocabulary import Launch
from tests.runner.builders import plan

WORKLOAD = """
import json, os, sys, time
folder = sys.argv[sys.argv.index("--result-dir") + 1]
job = json.load(open(sys.argv[sys.argv.index("--job") + 1]))
open(os.path.join(folder, "pid"), "w").write(str(os.getpid()))
print("the workload runs")
if job.get("background"):
    import subprocess
    child = subprocess.Popen(["/bin/sleep", "60"])
    open(os.path.join(folder, "child"), "w").write(str(child.pid))
if job.get("sleep"):
    time.sleep(job["sleep"])
own_session = os.getsid(0) == os.getpid()
seen = {"cpus": sorted(os.sched_getaffinity(0)), "environment": dict(os.environ), "session": own_session}
json.dump(seen, open(os.path.join(folder, "seen.json"), "w"))
sys.exit(job.get("exit", 0))
"""
FIRST_CPU = min(os.sched_getaffinity(0))
ONE_CPU = Pin(cores=((FIRST_CPU,),), mems=(0,), nodes=1, sockets=1)


@pytest.fixture
def launch() -> Launch:
    """Any launch of the plan."""
    return plan().launches[0]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VenvEngine:
    """An engine whose workload is the stand-in."""
    workload = tmp_path / "workload.py"
    workload.write_text(WORKLOAD, encoding="utf-8")
    monkeypatch.setattr(venv, "WORKLOAD", workload)
    return VenvEngine(EnvironmentCache(tmp_path / "cache", PackageIndex()))


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    """An "environment" whose Python is the one that runs the tests."""
    binaries = tmp_path / "environment" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(sys.executable)
    return Artifact(find_stack("tf-2.14").installations["stock"], str(binaries.parent), {})


def folders(tmp_path: Path, **job: object) -> LaunchFolders:
    """A launch's folders with a job in them."""
    made = LaunchFolders("run", tmp_path / "job", tmp_path / "result", tmp_path / "log.txt")
    made.job.mkdir()
    made.result.mkdir()
    (made.job / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return made


def test_a_launch_gets_its_cpus_its_environment_and_nothing_else(
    engine: VenvEngine, artifact: Artifact, launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process runs on the pin, in a session of its own, with the declared variables and what a process needs."""
    monkeypatch.setenv("OMP_NUM_THREADS", "77")
    monkeypatch.setenv("SOMETHING_ELSE", "1")
    places = folders(tmp_path)
    outcome = engine.run(launch, ONE_CPU, artifact, places, 30)
    seen = json.loads((places.result / "seen.json").read_text())
    assert (outcome.exit_code, outcome.stopped_by_deadline, outcome.out_of_memory) == (0, False, False)
    assert seen["cpus"] == [FIRST_CPU]
    assert seen["session"]
    seen["environment"].pop("LC_CTYPE", None)  # Python's own, from PEP 538
    assert set(seen["environment"]) == {"PATH", "HOME", "TMPDIR", *launch.environment}
    assert seen["environment"]["OMP_NUM_THREADS"] == "2"
    assert "the workload runs" in places.log.read_text()


def test_a_launch_that_exceeds_its_deadline_is_killed_and_said_to_be(
    engine: VenvEngine, artifact: Artifact, launch: Launch, tmp_path: Path
) -> None:
    places = folders(tmp_path, sleep=60)
    outcome = engine.run(launch, ONE_CPU, artifact, places, 1.5)
    assert (outcome.exit_code, outcome.stopped_by_deadline, outcome.out_of_memory) == (-9, True, False)
    assert outcome.seconds < 20
    assert not alive(int((places.result / "pid").read_text()))


def test_what_a_launch_started_in_the_background_ends_with_it(
    engine: VenvEngine, artifact: Artifact, launch: Launch, tmp_path: Path
) -> None:
    """It would take CPU time from the next launch."""
    places = folders(tmp_path, background=True)
    assert engine.run(launch, ONE_CPU, artifact, places, 30).exit_code == 0
    child = int((places.result / "child").read_text())
    wait_until(lambda: not alive(child))


def test_a_log_that_cannot_be_written_is_told(
    engine: VenvEngine, artifact: Artifact, launch: Launch, tmp_path: Path
) -> None:
    places = folders(tmp_path)
    places.log.mkdir()
    with pytest.raises(DiskError, match=r"log\.txt of a launch cannot be written.*--resume"):
        engine.run(launch, ONE_CPU, artifact, places, 30)


def test_the_exit_code_is_passed_on(engine: VenvEngine, artifact: Artifact, launch: Launch, tmp_path: Path) -> None:
    assert engine.run(launch, ONE_CPU, artifact, folders(tmp_path, exit=7), 30).exit_code == 7


def test_the_printed_command_does_the_same_when_pasted(
    engine: VenvEngine, artifact: Artifact, launch: Launch, tmp_path: Path
) -> None:
    """`plan` prints a line that a shell runs to the same effect."""
    places = folders(tmp_path)
    stack = find_stack(launch.cell.stack)
    cache = EnvironmentCache(tmp_path / "cache", PackageIndex())
    environment = cache.location(stack, stack.installations[launch.installation])
    line = engine.command(launch, ONE_CPU, places).replace(environment, artifact.location)
    subprocess.run(line, shell=True, check=True, timeout=30, capture_output=True)
    seen = json.loads((places.result / "seen.json").read_text())
    assert seen["cpus"] == [FIRST_CPU]
    assert seen["environment"]["OMP_NUM_THREADS"] == "2"


@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGINT])
def test_a_launch_dies_with_the_runner(
    engine: VenvEngine, artifact: Artifact, tmp_path: Path, deadly: signal.Signals
) -> None:
    """Neither kill -9 of the runner nor Ctrl-C leaves a training behind that would disturb the next measurement."""
    places = folders(tmp_path, sleep=60)
    script = f"""
from pathlib import Path
from runner.engines import venv
from tests.runner.engines.test_venv import *
venv.WORKLOAD = Path({str(places.job.parent / "workload.py")!r})
engine = VenvEngine(EnvironmentCache(Path("/nowhere"), PackageIndex()))
places = LaunchFolders("run", *(Path(each) for each in {[str(places.job), str(places.result), str(places.log)]!r}))
artifact = Artifact(find_stack("tf-2.14").installations["stock"], {artifact.location!r}, {{}})
engine.run(plan().launches[0], ONE_CPU, artifact, places, 60)
"""
    root = Path(__file__).resolve().parents[3]
    runner = subprocess.Popen([sys.executable, "-c", script], cwd=root, stderr=subprocess.DEVNULL)
    pid_file = places.result / "pid"
    wait_until(lambda: pid_file.exists() and pid_file.read_text() != "")
    pid = int(pid_file.read_text())
    runner.send_signal(deadly)
    runner.wait(20)
    wait_until(lambda: not alive(pid))


@pytest.mark.parametrize(
    ("exit_code", "before", "after", "expected"),
    [(-9, 3, 4, True), (-9, 3, 3, False), (-9, None, None, False), (1, 3, 4, False), (0, 3, 4, False)],
)
def test_out_of_memory_is_a_sigkill_while_the_kernels_counter_rose(
    exit_code: int, before: int | None, after: int | None, expected: bool
) -> None:
    """A kill by somebody else, or another exit in the same minute, is not called out of memory."""
    assert was_out_of_memory(exit_code, before, after) is expected


def alive(pid: int) -> bool:
    """Is there a process of that number that has not ended?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: object, seconds: float = 20.0) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
