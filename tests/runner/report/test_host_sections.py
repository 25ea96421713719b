"""What host and pin did to a run shows in its report, and on the terminal when it begins."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runner.machine import read_machine
from runner.machine.identity import read_identity
from runner.machine.sysroot import Sysroot
from tests.conftest import working_in
from tests.runner.cli.conftest import Kit, engine, kit
from tests.runner.sysroots import GIB, Host, isolated, throttled, two_fast_four_slow, write

COMMAND = ("compare", "--topologies", "alexnet", "--blocks", "2", "--no-peak", "--no-probe", "--out", "run")
On = Callable[..., str]
__all__ = ["engine", "kit"]  # fixtures


@pytest.fixture
def on(kit: Kit, in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> On:
    """Carry out a small run as on another host; return its report."""

    def report(host: Host, *options: str) -> str:
        machine = read_machine(write(host, in_folder / "host"))
        # The launches run here: another processor than the one they see would be another machine.
        processor = replace(machine.processor, model_name=str(read_identity(Sysroot()).cpu_model))
        machine = replace(machine, processor=processor)
        monkeypatch.setattr("runner.session.this_host.read_machine", lambda _sysroot: machine)
        with working_in(in_folder):
            assert kit(*COMMAND, *options) == 0
        return (in_folder / "run/report.md").read_text()

    return report


def parts(report: str) -> tuple[str, str]:
    """What stands before the first section, and the section on the platform."""
    return report.partition("\n## ")[0], report.partition("beside the article's")[2].partition("\n## ")[0]


def test_a_pin_on_isolated_cpus_is_a_warning_of_the_report(on: On, capsys: pytest.CaptureFixture[str]) -> None:
    """The warning stands at the top, in the host's description, among the conditions, and before the first launch."""
    report = on(isolated(None), "--cpus", "4-7")
    words = "CPUs 4-7 of the pin are isolated"
    assert all(words in part for part in parts(report))
    assert "| machine.isolated_cpus | 4-7 |" in report
    told = " ".join(capsys.readouterr().out.split())
    assert told.count(words) == 2  # when it begins, and with the results


def test_what_the_pin_leaves_out_stands_where_the_host_is_described(on: On) -> None:
    """It is no warning, because it does not put the figures in doubt."""
    top, platform = parts(on(two_fast_four_slow()))
    assert "4 efficiency cores (CPUs 2-5) are left out" in platform
    assert "efficiency" not in top


def test_launches_that_met_memory_high_are_counted(on: On, kit: Kit, in_folder: Path) -> None:
    """The warning of the limit is there before; that it was met is read from each launch's own count."""
    report = on(throttled())
    assert "memory.high is 4.0 GiB" in parts(report)[0]
    assert "launches reached memory.high" not in report
    assert f"| machine.memory_high_bytes | {4 * GIB} |" in report
    records = [json.loads(line) for line in (in_folder / "run/records.jsonl").read_text().splitlines()]
    records[0]["result"]["observed"]["cgroup"].update(memory_high_bytes=4 * GIB, memory_high_events=9)
    (in_folder / "run/records.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
    assert kit("report", "run") == 0
    again = (in_folder / "run/report.md").read_text()
    assert f"1 of {len(records)} launches reached memory.high (4.0 GiB)" in parts(again)[0]


def test_a_host_without_any_of_it_has_no_word_of_it(on: On) -> None:
    report = on(Host())
    assert not any(words in "".join(parts(report)) for words in ("isolated", "efficiency", "memory.high"))
    assert "| machine.memory_high_bytes | none |" in report
