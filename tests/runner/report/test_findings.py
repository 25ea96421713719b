"""The findings of a report: each pair with its own interval, the host, and what was not shown."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.checks.losses import LossesCheck
from runner.cli import main
from runner.report.contents import compose
from runner.report.findings import warnings
from runner.report.host_sections import host_in_words
from runner.report.measured import measured
from runner.stats.pairs import Comparison
from runner.storage import runs
from runner.support.wording import interval, significant, topology_title, true_largest
from runner.vocabulary import Group


def change_header(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Alter run.json."""
    header = json.loads((folder / "run.json").read_text())
    change(header)
    (folder / "run.json").write_text(json.dumps(header))


def findings_of(folder: Path) -> list[str]:
    """The sentences on pairs."""
    return [text for text in compose(measured(runs.load(folder))).findings if " against " in text]


def keep(folder: Path, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Plan and keep only the launches that are wanted."""
    change_header(
        folder, lambda header: header["plan"].update(launches=list(filter(wanted, header["plan"]["launches"])))
    )
    left = {entry["launch_id"] for entry in json.loads((folder / "run.json").read_text())["plan"]["launches"]}
    lines = (folder / "records.jsonl").read_text().splitlines(keepends=True)
    (folder / "records.jsonl").write_text("".join(line for line in lines if json.loads(line)["launch_id"] in left))


def test_a_bar_that_is_named_stands_with_its_own_interval(older_run: Path) -> None:
    """It is the bar's in speedups.csv; where the largest true one may be another's, its own clause says so."""
    found = measured(runs.load(older_run))
    bars = found.speedups
    clauses = 0
    for row, text in zip(found.summaries, findings_of(older_run), strict=True):
        assert row.largest is not None
        group = Group(row.stack, row.largest.topology, row.batch_size)
        bar, joint = bars[Comparison(group, row.baseline, row.candidate)].together, row.largest.joint
        assert bar is not None
        own = f"{significant(bar.low)}, {significant(bar.high)}"
        assert re.search(rf"the largest is \w+'s, {significant(bar.value)}x \[{own}\] \(95% for all 16 comp", text)
        within = f"the largest true one lies within [{significant(joint.low)}, {significant(joint.high)}]"
        assert (within in text) == (interval(joint.low, joint.high) != own.replace(",", " to"))
        clauses += within in text
    assert clauses > 0


def test_where_the_largest_true_one_lies_is_told_only_if_it_is_elsewhere() -> None:
    """As printed: what differs in the fourth digit reads alike."""
    assert true_largest((1.69, 2.83), (1.69, 2.95)) == "; the largest true one lies within [1.69, 2.95]"
    assert true_largest((1.69, 2.83), (1.6901, 2.8301)) == ""


def test_a_single_topology_has_its_own_interval_of_all_at_once_and_no_mean(older_run: Path) -> None:
    """A mean over one network is that network, with an interval that no verdict is read off."""
    keep(older_run, lambda launch: launch["topology"] == "vgg16")
    assert main(["report", str(older_run)]) == 0
    with (older_run / "speedups.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row, text in zip(rows, findings_of(older_run), strict=True):
        low, high = (significant(float(row[name])) for name in ("family_ci_low", "family_ci_high"))
        shown = f"VGG16 {significant(float(row['speedup']))}x [{low}, {high}]"
        assert text.endswith(f", {shown} (95% for all 4 comparisons of the run at once).")
        assert "mean" not in text


def test_one_block_has_no_interval_and_none_is_spoken_of(older_run: Path) -> None:
    """The report does not call intervals simultaneous where there is none."""
    keep(older_run, lambda launch: launch["block"] == 1)
    change_header(older_run, lambda header: header["plan"].update(blocks=1))
    for text in findings_of(older_run):
        assert not re.search(r"95%|at once|\[", text)


def test_the_host_is_told_with_the_cores_that_were_used(older_run: Path) -> None:
    """The report tells the pin's cores of the host's. The figure tells those of the pin alone."""

    def wide(header: dict[str, Any]) -> None:
        cpus = header["machine"]["cpus"]
        header["machine"]["cpus"] = [{**cpus[0], "id": n, "core": n, "siblings": str(n)} for n in range(8)]

    change_header(older_run, wide)
    document = compose(measured(runs.load(older_run)))
    assert ", 2 of 8 cores, virtual machine; engine docker; " in document.subtitle
    assert b"2 cores, engine" in next(each for each in document.figures if each.name == "figure1").svg
    change_header(older_run, lambda header: header["machine"]["platform"].update(virtual=False))
    assert host_in_words(measured(runs.load(older_run))).endswith(", 2 of 8 cores")


def not_judged(check: LossesCheck) -> bool:
    """Would a pair's losses leave it open that one side made no update?"""
    return not check.update_judged


def test_without_fingerprints_the_top_says_what_was_not_shown(older_run: Path) -> None:
    """With what the losses show at most, and where not even that; a run that has fingerprints has no such warning."""
    words = "losses show at most that an update was made, and not even that on "
    found = measured(runs.load(older_run))
    blind = {topology_title(pair.group.topology) for pair in found.pairs if pair.losses and not_judged(pair.losses)}
    assert blind == {"VGG16"}
    (warning,) = [text for text in compose(found).warnings if words in text]
    assert set(warning.split(words)[1].split(". `python")[0].split(", ")) == blind
    lines = [json.loads(line) for line in (older_run / "evidence.jsonl").read_text().splitlines()]
    tensors = [["output", "conv1", 1.0, 1.0, 1e-6]]
    (older_run / "evidence.jsonl").write_text("".join(json.dumps({**x, "fingerprint": tensors}) + "\n" for x in lines))
    assert not any(words in text for text in compose(measured(runs.load(older_run))).warnings)


def test_a_bar_that_compares_two_layouts_says_so(older_run: Path) -> None:
    found = measured(runs.load(older_run))
    for row, text in zip(found.summaries, findings_of(older_run), strict=True):
        variants = found.header.stacks[row.stack].variants
        layouts = [variants[name].layout for name in (row.candidate, row.baseline)]
        assert (f", {layouts[0]} against {layouts[1]}: " in text) == (layouts[0] != layouts[1])


@pytest.mark.parametrize(("timed", "is_told"), [(1, True), (2, False)])
def test_launches_of_one_timed_step_are_warned_of(older_run: Path, timed: int, is_told: bool) -> None:
    """One step cannot show that steps had come to one speed."""
    steps = {"timed_steps": timed}
    change_header(
        older_run,
        lambda header: header["plan"].update(launches=[{**each, **steps} for each in header["plan"]["launches"]]),
    )
    told = [text for text in warnings(measured(runs.load(older_run))) if "steady speed" in text]
    assert [text.split(",")[0] for text in told] == ["Launches timed 1 step after 1 warm-up step"] * is_told


def test_the_figures_in_a_drawn_folder_are_those_of_its_report(older_run: Path) -> None:
    """Figures of an earlier drawing are removed. A picture that the kit did not name stays."""
    for name in ("trace-tf-9.99-vgg16.svg", "trace-tf-9.99-vgg16.png", "ladder.png", "mine.png"):
        (older_run / name).write_text("of an earlier drawing")
    assert main(["report", str(older_run)]) == 0
    drawn = {path.name for path in older_run.iterdir() if path.suffix in (".svg", ".png")}
    figures = {figure.name for figure in compose(measured(runs.load(older_run))).figures} | {"forest"}
    assert drawn == {f"{name}.{kind}" for name in figures for kind in ("svg", "png")} | {"mine.png"}
