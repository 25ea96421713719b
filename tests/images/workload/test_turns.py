"""Turns between real processes, through real FIFOs: nobody overlaps, nobody who waits burns CPU, a death is noticed."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from workload import turns
from workload.turns import Group, Turn, TurnError, fifo_name, wait_until_asleep

ROOT = Path(__file__).resolve().parents[3] / "images"
ORDER = [(0, "warmup", 1), (1, "warmup", 1), (0, "timed", 2), (1, "timed", 2), (1, "timed", 2), (0, "timed", 2),
         (1, "end", 0), (0, "end", 0)]  # fmt: skip
# A member: it burns CPU for some milliseconds a step, and writes its bursts down.
MEMBER = """
import json, sys, time
from workload.turns import Group, Turn, run_bursts
folder, member, order = sys.argv[1], int(sys.argv[2]), [Turn(*each) for each in json.loads(sys.argv[3])]
time.sleep(0.3 * member)  # start-ups differ
group = Group(folder, member, order)
def run(number, turn):
    until = time.process_time() + 0.03 * turn.steps
    while time.process_time() < until:
        pass
bursts = []
last = run_bursts(group, run, bursts)
print(json.dumps([burst._asdict() for burst in bursts]))
group.pass_on(last)
"""


def start(tmp_path: Path, member: int, order: Sequence[tuple[int, str, int]]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", MEMBER, str(tmp_path), str(member), json.dumps(order)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def bursts(tmp_path: Path, order: Sequence[tuple[int, str, int]]) -> list[dict[str, Any]]:
    """Every burst of a group, in the order in which they began, each with its member."""
    members = [start(tmp_path, member, order) for member in sorted({member for member, _, _ in order})]
    found = []
    for number, process in enumerate(members):
        out, err = process.communicate(timeout=60)
        if process.returncode != 0:
            for each in members:
                each.kill()
                each.communicate()
            pytest.fail(err)
        found += [{**each, "member": number} for each in json.loads(out)]
    return sorted(found, key=lambda each: each["began"])


@pytest.mark.parametrize(
    "order", [ORDER, [(2, "warmup", 1), *ORDER[:4], (2, "timed", 1), *ORDER[4:], (2, "end", 0)]], ids=["two", "three"]
)
def test_turns_come_in_their_order_and_never_overlap(tmp_path: Path, order: list[tuple[int, str, int]]) -> None:
    found = bursts(tmp_path, order)
    assert [(each["member"], each["phase"]) for each in found] == [
        (member, phase) for member, phase, _ in order if phase != "end"
    ]
    assert [each["turn"] for each in found] == [n for n, each in enumerate(order) if each[1] != "end"]
    assert all(one["ended"] <= other["began"] for one, other in itertools.pairwise(found))


def test_who_waits_uses_next_to_no_cpu(tmp_path: Path) -> None:
    found = bursts(tmp_path, ORDER)
    idle = [each["idle_cpu_seconds"] for each in found if each["idle_cpu_seconds"] is not None]
    assert len(idle) == len(ORDER) - 4
    assert max(idle) < 0.01
    assert all(each["settled_seconds"] is not None for each in found)


def test_a_member_that_died_is_noticed_by_the_one_before_it(tmp_path: Path) -> None:
    order = [Turn(0, "timed", 1), Turn(1, "timed", 1)]
    group, other = (Group(str(tmp_path), member, order) for member in (0, 1))
    other.gather()
    group.gather()
    other.close()
    with pytest.raises(TurnError, match="cannot pass the turn on to member 1"):
        group.pass_on(0)


ENDS = [Turn(0, "timed", 1), Turn(1, "timed", 1), Turn(0, "end", 0), Turn(1, "end", 0)]


@pytest.mark.parametrize("dead", [0, 1])
def test_a_member_that_dies_before_all_are_ready_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dead: int
) -> None:
    """Nobody ends the others from outside, and the wait for their start ends at the death."""
    monkeypatch.setattr(turns, "_LOOK_SECONDS", 0.1)
    members = [Group(str(tmp_path), member, ENDS) for member in (0, 1)]
    members[dead].close()
    with pytest.raises(TurnError, match="member 0" if dead == 0 else "dead"):
        members[1 - dead].gather()


def test_a_member_that_never_starts_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "_START_SECONDS", 0.1)
    with pytest.raises(TurnError, match="member 1 has not started"):
        Group(str(tmp_path), 0, ENDS).gather()


@pytest.mark.parametrize("passes_on", [True, False], ids=["passed on", "died in it"])
def test_the_last_turn_of_the_one_before_ends_with_a_token_or_a_death(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passes_on: bool
) -> None:
    """A member that ends after its last turn is not missed; one that dies in it is."""
    monkeypatch.setattr(turns, "_LOOK_SECONDS", 0.1)
    first, other = (Group(str(tmp_path), member, ENDS) for member in (0, 1))
    other.gather()
    first.gather()
    if passes_on:
        first.pass_on(2)
    first.close()
    if passes_on:
        other.wait_for(3)
    else:
        with pytest.raises(TurnError, match="dead"):
            other.wait_for(3)


def test_a_token_that_is_none_is_refused(tmp_path: Path) -> None:
    group, _ = (Group(str(tmp_path), member, [Turn(0, "timed", 1), Turn(1, "timed", 1)]) for member in (0, 1))
    (tmp_path / fifo_name(0)).write_text("nonsense\n")
    with pytest.raises(TurnError, match="nonsense"):
        group.gather()


def test_a_folder_in_which_no_fifo_can_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(TurnError, match=f"member 1: .*{fifo_name(1)}"):
        Group(str(tmp_path / "missing"), 1, [Turn(0, "timed", 1), Turn(1, "timed", 1)])


def test_a_member_waits_for_one_that_starts_later(tmp_path: Path) -> None:
    order = [Turn(0, "timed", 1), Turn(1, "timed", 1)]
    early = Group(str(tmp_path), 1, order)
    with ThreadPoolExecutor(1) as pool:
        ready = pool.submit(early.gather)
        time.sleep(0.1)
        assert not ready.done()
        Group(str(tmp_path), 0, order).gather()
        ready.result(timeout=10)


def test_a_group_of_one_needs_no_folder() -> None:
    group = Group(None, 0, [Turn(0, "timed", 1), Turn(0, "end", 0)])
    group.gather()
    group.wait_for(1)
    group.pass_on(0)
    group.close()


def test_a_group_of_two_needs_a_folder() -> None:
    with pytest.raises(TurnError, match="--turns-dir"):
        Group(None, 0, [Turn(0, "timed", 1), Turn(1, "timed", 1)])


def test_threads_that_spin_are_waited_for_until_they_sleep() -> None:
    now, used = [0.0], [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds
        used[0] += seconds if now[0] < 0.2 else 0.0  # as KMP_BLOCKTIME=200 would

    assert wait_until_asleep(lambda: used[0], lambda: now[0], sleep) == pytest.approx(0.2, abs=0.01)


def test_threads_that_never_sleep_are_told() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    assert wait_until_asleep(lambda: now[0], lambda: now[0], sleep) is None


def test_an_idle_process_sleeps_at_once() -> None:
    started = time.monotonic()
    assert wait_until_asleep() is not None
    assert time.monotonic() - started < 1.0


def test_fifos_that_were_removed_before_all_had_started_are_noticed(tmp_path: Path) -> None:
    """In a container the folder itself stays, since it is mounted."""
    group = Group(str(tmp_path), 1, [Turn(0, "timed", 1), Turn(1, "timed", 1)])
    (tmp_path / fifo_name(1)).unlink()
    with pytest.raises(TurnError, match="are gone"):
        group.gather()
