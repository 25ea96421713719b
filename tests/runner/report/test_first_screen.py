"""What stands first on a report: the result in sentences, what is not proven, and what would decide it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from runner.catalogue.publications import load_publication
from runner.cli import main
from runner.report.document import FirstScreen
from runner.report.first_screen import first_screen
from runner.report.measured import measured
from runner.stats.results import Results
from runner.storage import runs
from tests.runner.claims.builders import Speed, constant, results

ROOT = Path(__file__).resolve().parents[3]


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


def test_a_network_that_does_not_count_is_not_passed_over(older_run: Path) -> None:
    """Else three of four networks would read as all."""
    lines = [json.loads(line) for line in (older_run / "records.jsonl").read_text().splitlines()]
    for each in lines:
        if each["case"]["topology"] == "vgg16":
            each["error"] = {"kind": "failed", "message": "it ended"}
    (older_run / "records.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    told = screen(measured(runs.load(older_run)))
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
    stories = screen(measured(runs.load(ROOT / "results" / "sample"))).sentences
    assert re.findall(r"TensorFlow (\d\.\d+) \(", " ".join(stories[:3])) == ["2.14", "2.21", "1.12"]
    assert "Intel Optimization for TensorFlow trains" in stories[0]


def test_what_is_open_is_said_with_what_would_decide_it() -> None:
    """Pairs without a clear difference are named."""
    found = screen(results(by_network(resnet50=3.0, vgg16=1.0), stack="tf-2.14", topologies=BOTH))
    assert "Which side is faster in 1 of 2 pairs: VGG16 intel / stock (tf-2.14);" in found.not_proven
    assert "`--precision 5%`" in found.would_decide
    found = screen(results(constant(3.0), stack="tf-2.14", topologies=BOTH))
    assert found.not_proven.startswith("Anything on another processor")


def test_a_run_that_is_not_complete_says_so_first(older_run: Path) -> None:
    """Its figures decide nothing yet."""
    lines = (older_run / "records.jsonl").read_text().splitlines(keepends=True)
    (older_run / "records.jsonl").write_text("".join(lines[:-3]))
    found = screen(measured(runs.load(older_run)))
    assert found.sentences[0].startswith("This run is not complete")
    assert "compare --resume RUN`" in found.would_decide


def test_the_page_lets_nothing_load(older_run: Path) -> None:
    """A content security policy that allows the page's own styles, and one script by the hash of its text."""
    assert main(["report", str(older_run)]) == 0
    page = (older_run / "report.html").read_text()
    (script,) = re.findall("<script>(.*?)</script>", page, re.DOTALL)
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{own}'"
    assert f'Content-Security-Policy" content="{policy}"' in page
    assert page.count('class="estimate"') > 0
