"""What stands first in a report: the host, each pair's headline with its own interval, and what was not shown."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.catalogue.publications import load_publication
from runner.checks.losses import LossesCheck
from runner.cli import main
from runner.report.contents import compose
from runner.report.document import FirstScreen
from runner.report.findings import warnings
from runner.report.first_screen import first_screen
from runner.report.forest import forest
from runner.report.host_sections import host_in_words
from runner.report.measured import measured
from runner.stats.pairs import Comparison
from runner.stats.results import Results
from runner.storage import runs
from runner.support.wording import interval, significant, topology_title, true_largest
from runner.vocabulary import Group
from tests.runner.claims.builders import Speed, constant, results

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "run_without_turns"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """The sample's run.json and what it is drawn from; nothing that is drawn."""
    folder = tmp_path / "sample"
    folder.mkdir()
    for name in ("run.json", "records.jsonl", "evidence.jsonl", "peaks.jsonl"):
        shutil.copy(SAMPLE / name, folder)
    return folder


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


def test_a_bar_that_is_named_stands_with_its_own_interval(sample: Path) -> None:
    """It is the bar's in speedups.csv; where the largest true one may be another's, its own clause says so."""
    found = measured(runs.load(sample))
    bars = found.speedups
    clauses = 0
    for row, text in zip(found.summaries, findings_of(sample), strict=True):
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


def test_a_single_topology_has_its_own_interval_of_all_at_once_and_no_mean(sample: Path) -> None:
    """A mean over one network is that network, with an interval that no verdict is read off."""
    keep(sample, lambda launch: launch["topology"] == "vgg16")
    assert main(["report", str(sample)]) == 0
    with (sample / "speedups.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row, text in zip(rows, findings_of(sample), strict=True):
        low, high = (significant(float(row[name])) for name in ("family_ci_low", "family_ci_high"))
        shown = f"VGG16 {significant(float(row['speedup']))}x [{low}, {high}]"
        assert text.endswith(f", {shown} (95% for all 4 comparisons of the run at once).")
        assert "mean" not in text


def test_one_block_has_no_interval_and_none_is_spoken_of(sample: Path) -> None:
    """The report does not call intervals simultaneous where there is none."""
    keep(sample, lambda launch: launch["block"] == 1)
    change_header(sample, lambda header: header["plan"].update(blocks=1))
    for text in findings_of(sample):
        assert not re.search(r"95%|at once|\[", text)


def test_the_host_is_told_with_the_cores_that_were_used(sample: Path) -> None:
    """The report tells the pin's cores of the host's. The figure tells those of the pin alone."""

    def wide(header: dict[str, Any]) -> None:
        cpus = header["machine"]["cpus"]
        header["machine"]["cpus"] = [{**cpus[0], "id": n, "core": n, "siblings": str(n)} for n in range(8)]

    change_header(sample, wide)
    document = compose(measured(runs.load(sample)))
    assert ", 2 of 8 cores, virtual machine; engine docker; " in document.subtitle
    assert b"2 cores, engine" in next(each for each in document.figures if each.name == "figure1").svg
    change_header(sample, lambda header: header["machine"]["platform"].update(virtual=False))
    assert host_in_words(measured(runs.load(sample))).endswith(", 2 of 8 cores")


def not_judged(check: LossesCheck) -> bool:
    """Would a pair's losses leave it open that one side made no update?"""
    return not check.update_judged


def test_without_fingerprints_the_top_says_what_was_not_shown(sample: Path) -> None:
    """With what the losses show at most, and where not even that; a run that has fingerprints has no such warning."""
    words = "losses show at most that an update was made, and not even that on "
    found = measured(runs.load(sample))
    blind = {topology_title(pair.group.topology) for pair in found.pairs if pair.losses and not_judged(pair.losses)}
    assert blind == {"VGG16"}
    (warning,) = [text for text in compose(found).warnings if words in text]
    assert set(warning.split(words)[1].split(". `python")[0].split(", ")) == blind
    lines = [json.loads(line) for line in (sample / "evidence.jsonl").read_text().splitlines()]
    tensors = [["output", "conv1", 1.0, 1.0, 1e-6]]
    (sample / "evidence.jsonl").write_text("".join(json.dumps({**x, "fingerprint": tensors}) + "\n" for x in lines))
    assert not any(words in text for text in compose(measured(runs.load(sample))).warnings)


def test_a_bar_that_compares_two_layouts_says_so(sample: Path) -> None:
    found = measured(runs.load(sample))
    for row, text in zip(found.summaries, findings_of(sample), strict=True):
        variants = found.header.stacks[row.stack].variants
        layouts = [variants[name].layout for name in (row.candidate, row.baseline)]
        assert (f", {layouts[0]} against {layouts[1]}: " in text) == (layouts[0] != layouts[1])


@pytest.mark.parametrize(("timed", "is_told"), [(1, True), (2, False)])
def test_launches_of_one_timed_step_are_warned_of(sample: Path, timed: int, is_told: bool) -> None:
    """One step cannot show that steps had come to one speed."""
    steps = {"timed_steps": timed}
    change_header(
        sample,
        lambda header: header["plan"].update(launches=[{**each, **steps} for each in header["plan"]["launches"]]),
    )
    told = [text for text in warnings(measured(runs.load(sample))) if "steady speed" in text]
    assert [text.split(",")[0] for text in told] == ["Launches timed 1 step after 1 warm-up step"] * is_told


def test_the_figures_in_a_drawn_folder_are_those_of_its_report(sample: Path) -> None:
    """Figures of an earlier drawing are removed. A picture that the kit did not name stays."""
    for name in ("trace-tf-9.99-vgg16.svg", "trace-tf-9.99-vgg16.png", "ladder.png", "mine.png"):
        (sample / name).write_text("of an earlier drawing")
    assert main(["report", str(sample)]) == 0
    drawn = {path.name for path in sample.iterdir() if path.suffix in (".svg", ".png")}
    figures = {figure.name for figure in compose(measured(runs.load(sample))).figures} | {"forest"}
    assert drawn == {f"{name}.{kind}" for name in figures for kind in ("svg", "png")} | {"mine.png"}


def screen(found: Results) -> FirstScreen:
    """A comparison's first screen."""
    screen = first_screen(found, load_publication())
    assert screen is not None
    return screen


def by_network(**speedups: float) -> Speed:
    """A speedup for each network."""
    return lambda variant, topology, block: constant(speedups[topology])(variant, topology, block)


BOTH = ("resnet50", "vgg16")


@pytest.mark.parametrize(
    ("speed", "told"),
    [
        (by_network(resnet50=3.0, vgg16=3.0), "3.00x [2.95, 3.06] as fast as stock with oneDNN off "
         "(geometric mean of 2 networks; faster on each)"),
        (by_network(resnet50=0.5, vgg16=0.5), "of 2 networks; slower on each)"),
        (by_network(resnet50=1.0, vgg16=1.0), "of 2 networks; no single network clearly differs)"),
        (by_network(resnet50=1.02, vgg16=1.02), "no single network clearly differs, but their mean does)"),
        (by_network(resnet50=3.0, vgg16=1.0), "of 2 networks; faster on 1, no clear difference on 1)"),
    ],
)  # fmt: skip
def test_the_result_is_told_in_a_sentence_that_can_be_repeated(speed: Speed, told: str) -> None:
    """On what host, which build, how much, against what, on how many networks it is clear."""
    story, article = screen(results(speed, stack="tf-2.14", topologies=BOTH)).sentences
    assert re.match(
        r"On 2 cores of \S.* at batch size 32, 4 blocks: TensorFlow 2\.14 \(2023-09\): "
        r"Intel Optimization for TensorFlow trains ",
        story,
    )
    assert told in story
    assert article.startswith(
        'Intel and Amazon Web Services wrote in 2018: "up to 7.4X", on 36 cores. Not testable here'
    )


def test_what_is_not_proven_stands_in_a_line_below_the_result() -> None:
    both = results(by_network(resnet50=3.0, vgg16=1.0), stack="tf-2.14", topologies=BOTH)
    open_here = 'Not proven here: the "up to 7.4X" of Intel and Amazon Web Services in 2018, on 36 cores'
    assert screen(both).in_short == f"{open_here}; which side is faster in 1 of 2 pairs."
    clear = results(by_network(resnet50=3.0, vgg16=3.0), stack="tf-2.14", topologies=BOTH)
    assert screen(clear).in_short == f"{open_here}."


def test_one_network_has_its_own_figure_and_no_mean() -> None:
    """As in the table, with the interval that its verdict is read off."""
    found = screen(results(constant(3.0), stack="tf-2.14", topologies=("vgg16",))).sentences[0]
    assert "3.00x [2.95, 3.06] as fast as stock with oneDNN off (VGG16; faster)." in found


def test_a_network_that_does_not_count_is_not_passed_over(sample: Path) -> None:
    """Else three of four networks would read as all."""
    lines = [json.loads(line) for line in (sample / "records.jsonl").read_text().splitlines()]
    for each in lines:
        if each["case"]["topology"] == "vgg16":
            each["error"] = {"kind": "failed", "message": "it ended"}
    (sample / "records.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    told = screen(measured(runs.load(sample)))
    assert told.sentences[0].startswith("This run is not complete")
    assert all("geometric mean of 3 networks" in text for text in told.sentences[1:-1])
    assert all("1 not counted" in text for text in told.sentences[1:-1])
    assert "without a verdict" in told.not_proven


def test_one_block_gives_no_verdict_to_tell() -> None:
    """It has no interval."""
    told = screen(results(constant(3.0), stack="tf-2.14", topologies=BOTH, blocks=1))
    assert "Intel Optimization for TensorFlow against stock with oneDNN off has no verdict." in told.sentences[0]
    assert "Anything on 2 pairs without a verdict" in told.not_proven


def test_the_harder_comparison_is_told_where_both_were_made() -> None:
    """Intel's build against oneDNN on first, which is the question, and not also against oneDNN off."""

    def speed(variant: str, topology: str, block: int) -> float:
        return constant({"intel": 3.0}.get(variant, 2.0))(variant, topology, block)

    found = results(speed, stack="tf-2.14", variants=("stock", "stock-onednn", "intel"))
    first, second = screen(found).sentences[0].split("); ")
    assert "Intel Optimization for TensorFlow trains 1.50x" in first
    assert "as fast as stock with oneDNN on (" in first
    assert second.startswith("stock with oneDNN on trains 2.00x")
    assert "as fast as stock with oneDNN off (" in second


def test_the_newest_release_with_a_vendors_build_comes_first() -> None:
    """The sample has one newer release, of which nobody builds another wheel."""
    stories = screen(measured(runs.load(SAMPLE.parents[2] / "results" / "sample"))).sentences
    assert re.findall(r"TensorFlow (\d\.\d+) \(", " ".join(stories[:3])) == ["2.14", "2.21", "1.12"]
    assert "Intel Optimization for TensorFlow trains" in stories[0]


def test_what_is_open_is_said_with_what_would_decide_it() -> None:
    """Pairs without a clear difference are named."""
    found = screen(results(by_network(resnet50=3.0, vgg16=1.0), stack="tf-2.14", topologies=BOTH))
    assert "Which side is faster in 1 of 2 pairs: VGG16 intel / stock (tf-2.14);" in found.not_proven
    assert "`--precision 5%`" in found.would_decide
    found = screen(results(constant(3.0), stack="tf-2.14", topologies=BOTH))
    assert found.not_proven.startswith("Anything on another processor")


def test_the_plot_has_every_pair_with_all_of_its_blocks(sample: Path) -> None:
    """Larger ratios are further to the right; a verdict's interval lies on one side of 1x as it does in numbers."""
    found = measured(runs.load(sample))
    plot = forest(found, load_publication())
    assert plot is not None
    marks = [mark for panel in plot.panels for row in panel.rows for mark in row.marks]
    bars = [row for row in found.speedups.values() if row.alone is not None and row.together is not None]
    assert len(marks) == len(bars)
    one = next(tick.at for tick in plot.ticks if tick.label == "1x")
    by_title = {mark.dot.title: mark for mark in marks}
    places = []
    for row in bars:
        assert row.alone is not None
        assert row.together is not None
        group = row.pair.group
        network = f"{topology_title(group.topology)}, batch size {group.batch_size}"
        mark = by_title[f"{group.stack}, {network}, {row.pair.candidate} / {row.pair.baseline}"]
        assert len(mark.blocks) == row.blocks
        assert mark.alone is not None
        assert mark.alone.low <= mark.dot.at <= mark.alone.high
        assert mark.together is not None
        assert (mark.together.low > one) == (row.together.low > 1)
        places.append((row.alone.value, mark.dot.at))
    assert [at for _, at in sorted(places)] == sorted(at for _, at in places)


def test_an_interval_that_goes_far_does_not_press_the_others_flat() -> None:
    """Two noisy blocks: the line is cut off, and says that it goes on."""
    noisy = results(constant(2.0, spread=0.5), stack="tf-2.14", topologies=("vgg16",), blocks=2)
    plot = forest(noisy, load_publication())
    assert plot is not None
    (mark,) = plot.panels[0].rows[0].marks
    assert mark.together is not None
    assert (mark.together.goes_on_below, mark.together.goes_on_above) == (True, True)
    assert 20 < mark.dot.at < 80


@pytest.mark.parametrize("stack", ["tf-1.12", "tf-2.14"])
def test_the_articles_figure_stands_on_the_stack_that_is_nearest_to_it(stack: str) -> None:
    """It lies on the axis, however far the measured bars are from it."""
    plot = forest(results(constant(2.0), stack=stack, topologies=("vgg16",)), load_publication())
    assert plot is not None
    (panel,) = plot.panels
    if stack == "tf-2.14":
        assert panel.published is None
    else:
        assert panel.published is not None
        assert panel.published.label == "7.4x, the article, 36 cores"
        assert panel.rows[0].marks[0].dot.at < panel.published.at < 100


def test_a_run_that_is_not_complete_says_so_first(sample: Path) -> None:
    """Its figures decide nothing yet."""
    lines = (sample / "records.jsonl").read_text().splitlines(keepends=True)
    (sample / "records.jsonl").write_text("".join(lines[:-3]))
    found = screen(measured(runs.load(sample)))
    assert found.sentences[0].startswith("This run is not complete")
    assert "compare --resume RUN`" in found.would_decide


def test_the_page_lets_nothing_load(sample: Path) -> None:
    """A content security policy that allows the page's own styles, and one script by the hash of its text."""
    assert main(["report", str(sample)]) == 0
    page = (sample / "report.html").read_text()
    (script,) = re.findall("<script>(.*?)</script>", page, re.DOTALL)
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{own}'"
    assert f'Content-Security-Policy" content="{policy}"' in page
    assert page.count('class="estimate"') > 0
