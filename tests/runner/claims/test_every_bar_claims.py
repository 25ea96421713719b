"""Claims on every bar: what confirms "faster on all", and what it takes to refute it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.claims.judge import JUDGES
from runner.claims.speedups import TOO_WIDE
from runner.stats.intervals import geometric_estimate
from runner.vocabulary import ARTICLE_TOPOLOGIES
from tests.runner.claims.builders import (
    article_claim,
    articles_host,
    articles_platform,
    case,
    constant,
    judged,
    results,
)
from tests.runner.told import tells

# No run has it, whatever its host: the version is of Amazon's images, and on no package index.
ITS_TENSORFLOW = "its TensorFlow version (no stack of this kit has it)"


@pytest.mark.parametrize(
    ("slow", "verdict"),
    [((), "reproduced"), (("vgg16",), "partly"), (ARTICLE_TOPOLOGIES, "not testable here")],
)
def test_faster_on_all_takes_every_bar(slow: tuple[str, ...], verdict: str) -> None:
    """A bar that is not clear of 1 leaves it partly; if none is clear, nothing can be told."""

    def speed(variant: str, topology: str, block: int) -> float:
        return constant(0.99 if topology in slow else 3.0)(variant, topology, block)

    found = judged("faster-on-all", results(speed))
    assert found.verdict == verdict
    assert tells(found.why, f"on VGG16 {TOO_WIDE}") == (slow == ("vgg16",))
    assert found.interval is not None
    assert (found.interval[0] > 1) == (verdict == "reproduced")


@pytest.mark.parametrize(("against", "verdict"), [(None, "reproduced"), ("stock-onednn", "not testable here")])
def test_a_claim_says_against_which_variant(against: str | None, verdict: str) -> None:
    """Twice as fast as the baseline and no faster than oneDNN in stock: "faster" holds against one of them only."""

    def speed(variant: str, topology: str, block: int) -> float:
        return constant(2.0 if variant == "intel" else 2.01)(variant, topology, block)

    run = results(speed, variants=("stock", "stock-onednn", "intel"))
    claim = replace(article_claim("faster-on-all"), against=against)
    found = JUDGES[claim.kind](case(claim, run))
    assert found.verdict == verdict
    assert found.measured == pytest.approx(2.0 if against is None else 1.0, rel=0.02)


def slow_on_vgg16(variant: str, topology: str, block: int) -> float:
    """Intel's build is three times as fast, and slower on VGG16."""
    return constant(0.8 if topology == "vgg16" else 3.0)(variant, topology, block)


def test_one_bar_that_is_clearly_slower_refutes_faster_on_all_on_the_articles_platform() -> None:
    """Whatever the others are, and whether or not all were measured; the interval beside it is that of the smallest."""
    run = results(slow_on_vgg16, topologies=("resnet50", "vgg16"), header=articles_platform)
    found = judged("faster-on-all", run)
    assert found.verdict == "not reproduced"
    assert tells(found.why, "VGG16", "refutes")
    assert found.measured == pytest.approx(0.8, rel=0.01)
    assert found.interval is not None
    assert found.interval[1] < 1


def test_on_the_articles_machine_a_slower_bar_lacks_only_what_no_stack_of_the_kit_has() -> None:
    """So no run refutes "on all", as the publication's own comment says."""
    found = judged("faster-on-all", results(slow_on_vgg16, header=articles_host))
    assert (found.verdict, found.missing) == ("partly", (ITS_TENSORFLOW,))
    assert tells(found.why, "any host", ITS_TENSORFLOW)


@pytest.mark.parametrize(("topologies", "verdict"), [(ARTICLE_TOPOLOGIES, "partly"), (("vgg16",), "not testable here")])
def test_one_bar_that_is_clearly_slower_on_two_cores_refutes_nothing(topologies: tuple[str, ...], verdict: str) -> None:
    """The bars that are faster hold all the same; what is missing stands beside the slower one."""
    found = judged("faster-on-all", results(slow_on_vgg16, topologies=topologies))
    assert found.verdict == verdict
    assert tells(found.why, "VGG16", "not refute", "36 cores")
    assert "36 cores" in found.missing
    assert found.measured == pytest.approx(0.8, rel=0.01)


def test_the_smallest_bar_has_a_simultaneous_interval() -> None:
    """Having picked it out of four costs width against the bar alone."""
    run = results(constant(4.0, 0.05))
    four, alone = judged("faster-on-all", run), geometric_estimate(run.pairs[0].ratios)
    assert four.interval is not None
    assert four.interval[0] < alone.low < alone.high < four.interval[1]


def test_faster_on_all_is_only_partly_told_by_some_of_the_topologies() -> None:
    """All that were measured are faster, and the rest is named."""
    found = judged("faster-on-all", results(constant(3.0), topologies=("resnet50", "vgg16")))
    assert found.verdict == "partly"
    assert found.missing == ("InceptionV3", "ResNet152")
    assert tells(found.why, "not counted", *found.missing)
