"""The report: same records, same bytes; offline; complete."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from runner.checks.conditions import flatten
from runner.cli import main
from runner.cli.parser import build_parser
from runner.engines.protocol import Outcome
from runner.support.wording import topology_title
from runner.vocabulary import Launch
from tests.runner.fake_engine import FakeEngine, only
from tests.runner.report.markdown import rows

DERIVED = ("speedups.csv", "figure1.svg", "figure1.png", "figure1.pdf", "report.md", "report.html")
Report = Callable[..., int]


@pytest.fixture
def run(in_folder: Path, finished_run: Callable[..., Path]) -> Path:
    """A finished run of two topologies and three variants."""
    command = ("compare", "--preset", "figure1", "--topologies", "resnet50,vgg16", "--blocks", "2", "--out", "run")
    return finished_run(*command) / "run"


def report(folder: Path) -> str:
    """The report for reading."""
    return (folder / "report.md").read_text()


def header(folder: Path) -> dict[str, Any]:
    """What run.json says."""
    found: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return found


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of every derived file."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in DERIVED}


def test_what_a_host_calls_itself_makes_no_tag_link_or_picture(run: Path) -> None:
    """Reports are pasted into pull requests. The CPU's name is whatever the hypervisor says."""
    changed = header(run)
    changed["machine"]["processor"]["model_name"] = "![x](http://nowhere.example/x.png) <img src=x> | `y` CPU"
    (run / "run.json").write_text(json.dumps(changed))
    assert main(["report", "run"]) == 0
    assert "nowhere.example" in report(run)
    assert "](http" not in report(run)
    assert "<img" not in report(run)
    page = (run / "report.html").read_text()
    assert "&lt;img src=x&gt;" in page
    assert "<img" not in page


def test_deleting_and_redrawing_gives_the_same_bytes(run: Path) -> None:
    """Everything derived comes from run.json and records.jsonl alone."""
    before = digests(run)
    for name in DERIVED:
        (run / name).unlink()
    assert main(["report", "run"]) == 0
    assert digests(run) == before


def test_a_changed_sample_changes_every_derived_file(run: Path) -> None:
    """The comparison of bytes can fail: another measurement gives another report."""
    before = digests(run)
    records = run / "records.jsonl"
    records.write_text(records.read_text().replace('"seconds": 0.25', '"seconds": 0.2'))
    main(["report", "run"])
    after = digests(run)
    assert all(after[name] != before[name] for name in DERIVED)


class Requests(HTMLParser):
    """Collects whatever a browser would fetch for a page."""

    found: list[str]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note every address that is loaded without a click."""
        for name, value in attrs:
            if (name in ("src", "data", "poster", "srcset") or (tag == "link" and name == "href")) and value:
                self.found.append(value)
            if tag in ("use", "image") and name in ("href", "xlink:href") and value and not value.startswith("#"):
                self.found.append(value)


def test_the_html_report_makes_no_request_to_anywhere(run: Path) -> None:
    """No script, style sheet, font or picture from outside of the file; one script in it, which has no address."""
    text = (run / "report.html").read_text()
    parser = Requests()
    parser.found = []
    parser.feed(text)
    assert parser.found == []
    assert text.count("<script") == text.count("<script>") == 1
    assert not re.search(r"@import|url\((?!#)", text)


def test_every_planned_cell_has_its_speed(run: Path) -> None:
    found = rows(report(run), "stack", "variant", "Network", "batch_size", "images/second")
    speeds = {
        (row["stack"], row["variant"], row["Network"], row["batch_size"]): float(row["images/second"]) for row in found
    }
    of_variant = {"stock": 32, "stock-onednn": 64, "intel": 128}
    assert speeds == {
        (each["stack"], each["variant"], topology_title(each["topology"]), str(each["batch_size"])): of_variant[
            each["variant"]
        ]
        for each in header(run)["plan"]["launches"]
    }


def test_every_variable_of_every_variant_is_shown(run: Path) -> None:
    shown = {row["variable"]: row for row in rows(report(run), "variable")}
    launches = header(run)["plan"]["launches"]
    assert set(shown) == {name for launch in launches for name in launch["environment"]}
    for launch in launches:
        column = f"{launch['stack']} {launch['variant']}"
        assert {name: shown[name][column] for name in launch["environment"]} == launch["environment"]


def test_what_differs_and_what_is_set_has_a_reason_and_a_source(run: Path) -> None:
    """The wheel that is compared needs no source; every setting does."""
    text = report(run)
    differing = rows(text, "setting", "stock", "intel", "reason", "source")
    assert {row["setting"] for row in differing} == {"wheel", "TF_ENABLE_ONEDNN_OPTS"}
    practices = rows(text, "setting", "read by", "reason", "source")
    assert {"OMP_NUM_THREADS", "KMP_BLOCKTIME", "intra_op_threads"} <= {row["setting"] for row in practices}
    settings = [row for row in (*differing, *practices) if row["setting"] != "wheel"]
    assert all(len(row["reason"]) > 1 and len(row["source"]) > 1 for row in settings)


def test_every_condition_of_the_records_is_shown(run: Path) -> None:
    lines = (run / "records.jsonl").read_text().splitlines()
    named = {name for line in lines for name, _ in flatten(json.loads(line)["conditions"])}
    assert {"machine.microcode", "enforced.memory_limit_bytes"} <= named
    assert {row["condition"] for row in rows(report(run), "condition", "value")} == named


def test_the_articles_platform_stands_beside_this_host(run: Path) -> None:
    platforms = {row[""]: row for row in rows(report(run), "", "this host")}
    published = {name: row["the article (2018)"] for name, row in platforms.items()}
    assert (published["EC2 instance type"], published["Sockets"], published["Cores per socket"]) == (
        "c5.18xlarge", "2", "18",
    )  # fmt: skip
    assert platforms["Sockets"]["this host"] == str(header(run)["machine"]["sockets"])


def test_the_report_says_what_the_engine_cannot_hold_a_launch_to(run: Path) -> None:
    missing = header(run)["engine"]["cannot_enforce"]
    assert missing
    assert [name for name in missing if name not in report(run)] == []


def test_the_report_holds_what_it_takes_to_repeat_the_run(run: Path) -> None:
    found = header(run)
    assert f"\n    {found['command']}\n" in report(run)
    shown = {row["provenance"]: row["value"] for row in rows(report(run), "provenance", "value")}
    assert shown["seed"] == str(found["plan"]["seed"])
    for name, made in found["stacks"]["tf-2.14"]["installations"].items():
        assert shown[f"tf-2.14/{name}: lock_sha256"] == made["lock_sha256"]


def test_every_command_that_the_report_names_exists(run: Path) -> None:
    """Advice that cannot be typed is none. The run's own command is pytest's here."""
    lines = [line for line in report(run).splitlines() if line.strip() != header(run)["command"]]
    named = set(re.findall(r"python -m runner ([a-z]+)", "\n".join(lines)))
    assert {"ablate", "repeat"} <= named
    for command in named:
        with pytest.raises(SystemExit) as ended:
            build_parser().parse_args([command, "--help"])
        assert ended.value.code == 0


def test_every_pair_has_a_finding(run: Path) -> None:
    """What Intel's build adds to oneDNN switched on is no less a result than what it adds to 2018's."""
    findings = [line for line in (run / "report.md").read_text().splitlines() if line.startswith("- TensorFlow 2.14")]
    findings = [line for line in findings if " against " in line]
    intel, on = "Intel Optimization for TensorFlow", "stock, oneDNN on"
    off = "stock, oneDNN off (as a plain pip install has it here)"
    pairs = [f"{on} against {off}", f"{intel} against {off}", f"{intel} against {on}"]
    assert [f": {pair}: " in line for line, pair in zip(findings, pairs, strict=True)] == [True] * 3


def test_no_limit_is_told_from_one_that_cannot_be_held(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A container has no memory limit unless one was asked for, which is known; so beside a run of processes."""
    engine = FakeEngine(name="docker", cannot_enforce=())
    assert main(["compare", "--topologies", "alexnet", "--blocks", "2", "--out", "run"], only(engine)) == 0
    report = Path("run/report.md").read_text()
    assert "| enforced.memory_limit_bytes | none |" in report
    assert "| enforced.file_system | read-only |" in report
    assert main(["compare", "--topologies", "alexnet", "--blocks", "2", "--out", "other"], only(FakeEngine())) == 0
    capsys.readouterr()
    assert main(["report", "run", "other"]) == 0
    assert re.search(r"enforced\.file_system +read-only +cannot be enforced", capsys.readouterr().out)


def test_the_figure_prints_batch_size_labels_and_numbers(run: Path) -> None:
    svg = (run / "figure1.svg").read_text()
    for words in (
        "batch size 32",
        "ResNet50",
        "VGG16",
        "4.00x",
        "2.00x",
        "stock, oneDNN off",
        "95% intervals",
    ):
        assert words in svg


def test_a_run_of_another_batch_size_does_not_judge_the_article(in_folder: Path) -> None:
    engine = FakeEngine()
    main(["compare", "--topologies", "resnet50", "--blocks", "2", "--out", "run"], only(engine))
    text = (in_folder / "run" / "report.md").read_text()
    assert '"up to 7.4X" at batch size 32: not testable here. This run\'s batch size is 4' in text


def test_several_runs_are_shown_side_by_side_with_what_differs(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Speedups of each run in one table, and the conditions in which the runs differ, by name."""
    engine = FakeEngine(seconds={"stock": 1.0, "intel": 0.5})
    arguments = ["compare", "--preset", "quick", "--topologies", "resnet50", "--batch-sizes", "32", "--blocks", "2",
                 "--variants", "stock,intel"]  # fmt: skip
    main([*arguments, "--steps", "5", "--out", "second"], only(engine))
    capsys.readouterr()
    assert main(["report", "run", "second", "--out", "both"]) == 0
    out = capsys.readouterr().out
    assert "4.00x" in out
    assert "2.00x" in out
    assert "timed_steps" in out
    assert "timed_steps" in Path("both/conditions.csv").read_text()
    assert (
        Path("both/side_by_side.csv").read_text().startswith("stack,topology,batch_size,candidate,baseline,run,second")
    )


def test_a_copy_that_kept_the_name_gets_a_column_of_its_own(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Side by side, two runs of one name are told apart by their folders."""
    shutil.copytree(run, "copy")
    assert main(["report", "run", "copy", "--out", "both"]) == 0
    assert Path("both/side_by_side.csv").read_text().startswith("stack,topology,batch_size,candidate,baseline,run,copy")


def test_a_run_that_is_named_twice_has_two_equal_columns(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "run", "run", "--out", "both"]) == 0
    rows = [line[-2:] for line in csv.reader(Path("both/side_by_side.csv").read_text().splitlines())]
    assert len(rows) == len(Path("run/speedups.csv").read_text().splitlines())
    assert all(one == other for one, other in rows[1:])


def test_markup_in_a_message_stays_text(in_folder: Path) -> None:
    """A library's error can hold headings and tags: no report takes them for its own."""
    engine = FakeEngine(before_result=fails)
    assert main(["compare", "--topologies", "resnet50", "--blocks", "2", "--out", "run"], only(engine)) == 1
    for name in ("report.md", "report.html"):
        text = Path("run", name).read_text()
        assert "words of a library" in text
        assert "<script>alert" not in text
    assert "<code>&lt;script&gt;alert(1)&lt;/script&gt;</code>" in Path("run/report.html").read_text()
    assert "\n# a heading" not in Path("run/report.md").read_text()
    assert "| stock only: passed |" in Path("run/report.md").read_text()  # Intel's side was never measured


def fails(launch: Launch, result: dict[str, Any]) -> None:
    """Every launch of Intel's build ends with a message that is also Markdown and HTML."""
    if launch.cell.variant == "intel":
        message = "words of a library\n# a heading\n`<script>alert(1)</script>`"
        result.update(status="error", error={"kind": "failed", "message": message, "traceback": ""})


def test_two_noisy_blocks_do_not_press_the_bars_flat(in_folder: Path) -> None:
    """An interval far beyond the bars ends in an arrow, with its end in figures."""
    engine = FakeEngine(before_result=noisy)
    assert main(["compare", "--topologies", "resnet50", "--blocks", "2", "--out", "run"], only(engine)) == 0
    assert re.search(r">\(to [0-9.e+]+x\)<", Path("run/figure1.svg").read_text())


def test_a_launch_that_failed_is_counted_with_how_to_measure_it_again(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the terminal and in the report, until it has been measured."""
    engine = FakeEngine()
    arguments = ["compare", "--topologies", "resnet50", "--variants", "stock,intel", "--blocks", "2", "--out", "run"]
    lost = "block1-tf-2.14-intel-resnet50-b4"
    engine.outcomes = {lost: Outcome(137, 1.0, stopped_by_deadline=False, out_of_memory=False)}
    assert main(arguments, only(engine)) == 1
    sentence = "1 of 4 launches failed: --resume runs each of their blocks again"
    assert sentence in " ".join(capsys.readouterr().out.split())
    assert sentence in Path("run/report.md").read_text()
    engine.outcomes = {}
    assert main(["compare", "--resume", "run"], only(engine)) == 0
    assert "launches failed" not in Path("run/report.md").read_text()


def noisy(launch: Launch, result: dict[str, Any]) -> None:
    """The second block is three times slower for one side alone."""
    if launch.cell.variant == "intel" and launch.block == 2:
        for step in result["steps"]:
            step["seconds"] *= 3


def test_a_long_word_may_break_so_that_no_column_is_pushed_out_of_sight(in_folder: Path) -> None:
    """The setting that is a claim's whole text is one word of 49 characters."""
    arguments = ["compare", "--topologies", "resnet50", "--blocks", "2", "--out", "run"]
    assert main(arguments, only(FakeEngine())) == 0
    text = Path("run/report.html").read_text()
    assert '<td class="prose">KMP_AFFINITY=granularity=fine,verbose,compact,1,0</td>' in text
    assert '<td class="word">tf-2.14</td>' in text
