"""Bad input: one clear paragraph, the right exit code, no traceback."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import runner.support.machine_lock
from runner.machine import read_machine
from tests.runner.sysroots import Host, isolated, throttled, two_fast_four_slow, write

Kit = Callable[..., int]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compare", "--stack", "tf-2.41"], "no stack 'tf-2.41'. Did you mean tf-2.21 or tf-2.14"),
        (["compare", "--topologies", "resnet5"], "no topology 'resnet5'. Did you mean resnet50"),
        (["compare", "--preset", "figure"], "no preset 'figure'. Did you mean figure1"),
        (["compare", "--bkms", "artcle"], "no set of BKMs 'artcle'. Did you mean article"),
        (["compare", "--bkms", "absent.toml"], "Cannot read absent.toml"),
        (["compare", "--batch-sizes", "0"], "a whole number of 1 or more was expected, not '0'"),
        (["compare", "--batch-sizes", "-4"], "a whole number of 1 or more was expected, not '-4'"),
        (["compare", "--batch-sizes", "32,many"], "a whole number of 1 or more was expected, not 'many'"),
        (["compare", "--blocks", "1"], "too few for an interval"),
        (["compare", "--blocks", "5"], "odd"),
        (["compare", "--steps", "0"], "a whole number of 1 or more"),
        (["compare", "--cpus", "9000"], "9000"),
        (["compare", "--cpus", "three"], "a list of CPUs such as 0-3,8"),
        (["compare", "--cores", "5000"], "5000"),
        (["compare", "--time-limit", "nan"], "a positive number of seconds"),
        (["compare", "--time-limit", "6_0"], "a positive number of seconds"),
        (["compare", "--memory", "lots"], "a size such as 8g"),
        (["compare", "--memory", "\u0668g"], "a size such as 8g"),
        (["compare", "--cores", "1_8"], "a whole number of 1 or more was expected, not '1_8'"),
        (["compare", "--batch-sizes", "\u0663"], "a whole number of 1 or more was expected"),
        (["compare", "--warmup", "1_0"], "a whole number of 0 or more was expected, not '1_0'"),
        (["doctor", "--memory", "8g"], "unrecognized arguments: --memory 8g"),
        (["compare", "--variants", "intel"], "needs two variants"),
        (["compare", "--resume", "nowhere"], "nowhere is not a run's folder"),
        (["compare", "--resume"], "no unfinished run"),
        (["report", "nowhere"], "nowhere is not a run's folder"),
        (["plan", "--sysroot", "."], "holds neither a proc nor a sys folder"),
        (["plan", "--sysroot", "x" * 5000], "--sysroot"),
        (["compare", "--ca-bundle", "absent.pem", "--engine", "other"], "invalid choice"),
        ([], "COMMAND"),
    ],
)
def test_bad_input_is_told_in_one_paragraph_with_exit_code_2(
    kit: Kit, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert kit(*arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["plan", "--cores", "0"], "python -m runner plan --help"),
        (["plan", "--headroom", "-1"], "python -m runner plan --help"),
        (["plan", "--cpus", "3-1"], "python -m runner plan --help"),
        (["plan", "--cpus", ""], "python -m runner plan --help"),
        (["doctor", "--nodes", "2"], "python -m runner doctor --help"),
        (["images", "diff"], "python -m runner images diff --help"),
        (["--nodes", "plan"], "python -m runner --help"),
    ],
)
def test_a_command_line_that_cannot_be_read_names_the_command_whose_help_lists_the_options(
    kit: Kit, capsys: pytest.CaptureFixture[str], arguments: list[str], command: str
) -> None:
    """One paragraph without argparse's usage, and where to look."""
    assert kit(*arguments) == 2
    error = capsys.readouterr().err
    assert f"`{command}` lists" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("command", [("compare", "--topologies", "alexnet", "--out", "run"), ("build",)])
def test_a_second_run_at_the_same_time_is_refused_and_told_who_measures(
    kit: Kit, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    with Path(runner.support.machine_lock.LOCK_FILE).open("w") as file:
        file.write("run results/runs/other, process 1\n")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        assert kit(*command) == 3
    assert "results/runs/other, process 1" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["plan", "probe", "compose"])
def test_bkms_that_set_what_a_variant_declares_are_refused(
    kit: Kit, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    rest = 'target = "environment"\nvalue = "1"\nread_by = []\nreason = "r"\nsource = "s"\n'
    names = ("X", "TF_ENABLE_ONEDNN_OPTS")
    head = 'schema_version = 1\nname = "mine"\ntitle = "t"\nsource = "s"\n'
    Path("mine.toml").write_text(head + "".join(f'[[settings]]\nname = "{name}"\n{rest}' for name in names))
    assert kit(command, "--bkms", "mine.toml") == 2
    error = capsys.readouterr().err
    assert "'mine' sets TF_ENABLE_ONEDNN_OPTS to '1'" in error
    assert "'0' for tf-2.14/stock" in error
    assert kit("plan", "--bkms", "mine.toml", "--stack", "tf-1.15") == 0


def test_a_results_folder_of_a_newer_schema_is_refused(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    """A run made by a newer kit is not guessed at."""
    Path("run").mkdir()
    Path("run/run.json").write_text('{"schema_version": 99}')
    assert kit("report", "run") == 2
    assert "newer version of the kit" in capsys.readouterr().err


@pytest.mark.parametrize("vendor", ["ACME [/x]", "ACME [rev b]", "ACME [red]"])
def test_a_host_whose_name_looks_like_markup_is_shown_as_it_is(
    kit: Kit, in_folder: Path, capsys: pytest.CaptureFixture[str], vendor: str
) -> None:
    """Square brackets in what the firmware tells are text, and no style."""
    write(Host(extra={"sys/class/dmi/id/sys_vendor": vendor}), in_folder / "host")
    assert kit("doctor", "--sysroot", "host") == 0
    assert vendor in " ".join(capsys.readouterr().out.split())


def test_this_hosts_disk_is_not_judged_for_a_captured_tree(
    kit: Kit, in_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk here says nothing of the host that the tree was captured on."""
    monkeypatch.setattr("runner.support.disk.free_bytes", lambda _path: 0)
    write(Host(), in_folder / "host")
    assert kit("doctor", "--sysroot", "host") == 0
    assert "disk" not in capsys.readouterr().out
    assert kit("doctor") == 3
    assert "disk" in capsys.readouterr().out


def test_a_sysroot_that_may_not_be_entered_is_told(
    kit: Kit, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder whose contents the system refuses to show is named, in one paragraph."""

    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", refuse)
    assert kit("doctor", "--sysroot", "locked") == 2
    error = capsys.readouterr().err
    assert "--sysroot cannot be read" in error
    assert "locked/proc" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("missing", ["proc", "sys"])
def test_a_tree_of_either_proc_or_sys_can_be_planned_for(kit: Kit, in_folder: Path, missing: str) -> None:
    """Each of the two is enough to tell the processors."""
    write(Host(), in_folder / "host")
    shutil.rmtree(in_folder / "host" / missing)
    assert kit("plan", "--sysroot", "host") == 0


@pytest.mark.parametrize(
    ("host", "options", "words"),
    [
        (Host(flags="sse4_2"), (), "instruction sets is Imaginary CPU (Skylake-SP or -X): sse4_2"),
        (Host(extra={"proc/sys/kernel/arch": "aarch64"}), (), "architecture is aarch64"),
        (Host(extra={"sys/fs/cgroup/cpu.max": "200000 100000"}), (), "or use --cores 2."),
        (Host(extra={"sys/fs/cgroup/cpu.max": "200000 100000"}), ("--cpus", "0-2"), "--cores 2 instead of --cpus."),
    ],
)
def test_a_plan_notes_what_a_run_would_be_refused_for(
    kit: Kit, in_folder: Path, capsys: pytest.CaptureFixture[str], host: Host, options: tuple[str, ...], words: str
) -> None:
    """Every problem is a note, for people and in JSON; the plan itself is made all the same."""
    write(host, in_folder / "host")
    assert kit("plan", "--sysroot", "host", *options) == 0
    noted = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note     This host cannot")]
    assert len(noted) == 1
    assert words in noted[0]
    assert kit("plan", "--sysroot", "host", *options, "--json") == 0
    assert json.loads(capsys.readouterr().out)["notes"] == [noted[0].removeprefix("note     ")]


def test_a_dry_run_notes_what_the_run_would_be_refused_for(
    kit: Kit, in_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`compare --dry-run` says so and ends with 0, `compare` refuses in the same words."""
    machine = read_machine(write(Host(flags="sse4_2"), in_folder / "host"))
    monkeypatch.setattr("runner.session.this_host.read_machine", lambda _sysroot: machine)
    assert kit("compare", "--dry-run") == 0
    assert "note     This host cannot measure: instruction sets" in capsys.readouterr().out
    assert kit("compare", "--out", "run") == 3
    assert "This host cannot measure: instruction sets" in capsys.readouterr().err


def test_a_plan_for_a_fit_host_has_no_notes(kit: Kit, in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`doctor` gives advice; a plan notes problems only."""
    write(Host(governor="powersave"), in_folder / "host")
    assert kit("plan", "--sysroot", "host", "--json") == 0
    assert json.loads(capsys.readouterr().out)["notes"] == []


@pytest.mark.parametrize(
    ("host", "options", "words"),
    [
        (two_fast_four_slow(), (), "4 efficiency cores (CPUs 2-5) are left out"),
        (two_fast_four_slow(), ("--cores", "4"), "2 performance cores (CPUs 0-1) and 2 efficiency cores (CPUs 2-3)"),
        (isolated(), (), "The CPUs 4-7 are isolated and not in the pin."),
        (isolated(None), ("--cpus", "4-7"), "The CPUs 4-7 of the pin are isolated"),
        (throttled(), (), "memory.high is 4.0 GiB"),
    ],
)
def test_a_plan_notes_what_makes_the_host_uneven(
    kit: Kit, in_folder: Path, capsys: pytest.CaptureFixture[str], host: Host, options: tuple[str, ...], words: str
) -> None:
    """The notes stand in the text and in the JSON. None of them is a refusal, and `doctor` succeeds too."""
    write(host, in_folder / "host")
    assert kit("plan", "--sysroot", "host", *options) == 0
    noted = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note     ")]
    assert any(words in line for line in noted)
    assert kit("plan", "--sysroot", "host", *options, "--json") == 0
    assert any(words in note for note in json.loads(capsys.readouterr().out)["notes"])
    assert kit("doctor", "--sysroot", "host", *options) == 0


@pytest.mark.parametrize("command", ["plan", "doctor"])
def test_a_mask_of_isolated_cpus_is_refused_with_what_to_do(
    kit: Kit, in_folder: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Exit code 3 and one paragraph; naming the CPUs makes the plan."""
    write(isolated(frozenset({4, 5, 6, 7})), in_folder / "host")
    assert kit(command, "--sysroot", "host") == 3
    error = capsys.readouterr().err
    assert "moves no thread between isolated CPUs" in error
    assert "--cpus 4-7." in error
    assert kit(command, "--sysroot", "host", "--cpus", "4-7") == 0
