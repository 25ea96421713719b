"""The plot of the speedups: every pair and block where its number says, and the published figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.catalogue.publications import load_publication
from runner.report.forest import forest
from runner.report.measured import measured
from runner.storage import runs
from runner.support.wording import topology_title
from tests.runner.claims.builders import constant, results


def test_the_plot_has_every_pair_with_all_of_its_blocks(older_run: Path) -> None:
    """Larger ratios are further to the right; a verdict's interval lies on one side of 1x as it does in numbers."""
    found = measured(runs.load(older_run))
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
