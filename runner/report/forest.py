"""Makes the forest plot of a run's speedups: a row for each network, a mark for each pair, one logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from runner.catalogue.publications import HEADLINE, Publication
from runner.report.drawing import colour
from runner.report.measured import in_order_of_interest, variant_title
from runner.report.plot import Dot, Forest, Line, Mark, Panel, Row, Tick
from runner.report.samples import anchor
from runner.report.value_text import estimated, shown, significant, topology_title
from runner.stats.evidence_marks import counts
from runner.stats.results import Results
from runner.stats.tables import Speedup

# An interval that goes further than this factor beyond all estimates is cut off, and an arrow shows that it goes on.
WIDEST = 1.6
# Shares of the axis that stay free at either end.
MARGIN = 0.02
TICKS = (0.1, 0.2, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32)
FINER_TICKS = (0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.7)
FEWEST_TICKS = 3
# Pixels: the height of a mark, which is that of the line of text beside it.
MARK = 15


def forest(measured: Results, article: Publication) -> Forest | None:
    """Return the plot of a comparison's speedups; None if nothing was measured.

    On the panel of the stack that is nearest to the article's, a line stands at the article's own figure.
    """
    rows = [row for row in measured.speedups.values() if row.alone is not None]
    if not rows:
        return None
    figure = article.claim(HEADLINE).value if article.nearest_stack in measured.stacks else None
    scale = _Scale.of(rows, figure)
    cores = article.claim(HEADLINE).configuration.cores
    line = None if figure is None else Tick(scale.at(figure), f"{figure:g}x, {article.short}, {cores} cores")
    with_rows = {row.pair.group.stack for row in rows}
    panels = tuple(
        _panel(measured, stack, rows, scale, line if stack == article.nearest_stack else None)
        for stack in in_order_of_interest(measured)
        if stack in with_rows
    )
    values = [value for value in TICKS if scale.holds(value)]
    if len(values) < FEWEST_TICKS:
        values = [value for value in FINER_TICKS if scale.holds(value)]
    ticks = tuple(Tick(scale.at(value), f"{value:g}x") for value in values)
    joint = "that of the only pair" if measured.family == 1 else f"that of all {measured.family} pairs at once"
    caption = (
        "Speedup on a logarithmic axis: right of 1x the first variant of a pair is the faster one. Large dot: the "
        f"estimate. Thick line: its own 95% interval. Thin line: {joint}, off which verdicts are read. Small dots: the "
        "blocks. Hollow: divided by another variant than the baseline. Pale: flagged, without a verdict."
    )
    return Forest(panels, ticks, caption)


@dataclass(frozen=True)
class _Scale:
    """A logarithmic axis from `low` to `high`."""

    low: float
    high: float

    @staticmethod
    def of(rows: Sequence[Speedup], figure: float | None) -> _Scale:
        values = [row.alone.value for row in rows if row.alone is not None] + [1.0]
        least, most = min(values) / WIDEST, max(values) * WIDEST
        ends = [end for row in rows for each in (row.alone, row.together) if each is not None and each.has_interval
                for end in (each.low, each.high)]  # fmt: skip
        blocks = [ratio for row in rows for ratio in row.pair.ratios]
        low = min([max(least, min([*values, *ends])), *blocks])
        high = max([min(most, max([*values, *ends])), *blocks])
        high = max(high, figure or high)
        room = (high / low) ** MARGIN if high > low else WIDEST
        return _Scale(low / room, high * room)

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    def at(self, value: float) -> float:
        """Return where a ratio is, in percent of the axis; at its end if it lies beyond."""
        inside = min(max(value, self.low), self.high)
        return round(100 * math.log(inside / self.low) / math.log(self.high / self.low), 2)

    def line(self, ends: tuple[float, float] | None) -> Line | None:
        if ends is None:
            return None
        return Line(self.at(ends[0]), self.at(ends[1]), ends[0] < self.low, ends[1] > self.high)


def _panel(
    measured: Results, stack: str, rows: Sequence[Speedup], scale: _Scale, published: Tick | None
) -> Panel:  # fmt: skip
    of_stack = [row for row in rows if row.pair.group.stack == stack]
    pairs = list(dict.fromkeys((row.pair.baseline, row.pair.candidate) for row in of_stack))
    groups = sorted({row.pair.group for row in of_stack}, key=lambda group: group.report_order())
    sizes = {group.batch_size for group in groups}
    found = []
    for group in groups:
        of_group = [row for row in of_stack if row.pair.group == group]
        marks = tuple(_mark(measured, row, index, scale) for index, row in enumerate(of_group))
        name = topology_title(group.topology) + (f", batch size {group.batch_size}" if len(sizes) > 1 else "")
        found.append(Row(name, MARK * len(marks), marks, f"#{anchor(group)}"))
    first = measured.variants(stack)[0]
    keys = tuple(
        (
            colour(measured, stack, candidate),
            baseline != first,
            f"{variant_title(measured, stack, candidate)} / {variant_title(measured, stack, baseline)}",
        )
        for baseline, candidate in pairs
    )
    size = "" if len(sizes) > 1 else f", batch size {groups[0].batch_size}"
    return Panel(f"{measured.header.stacks[stack].title}{size}", keys, tuple(found), published)


def _mark(measured: Results, row: Speedup, index: int, scale: _Scale) -> Mark:
    pair = row.pair
    value = row.alone.value if row.alone is not None else 1.0
    group = pair.group
    network = f"{topology_title(group.topology)}, batch size {group.batch_size}"
    name = f"{group.stack}, {network}, {pair.candidate} / {pair.baseline}"
    return Mark(
        text=shown(row),
        title=_in_words(row, name),
        colour=colour(measured, pair.group.stack, pair.candidate),
        hollow=pair.baseline != measured.variants(pair.group.stack)[0],
        counted=counts(pair),
        y=MARK // 2 + MARK * index,
        dot=Dot(scale.at(value), name),
        alone=scale.line(row.alone.interval if row.alone is not None else None),
        together=scale.line(row.together.interval if row.together is not None else None),
        blocks=tuple(
            Dot(scale.at(ratio), f"{name}, block {block}: {significant(ratio)}x")
            for block, ratio in pair.ratio_by_block.items()
        ),
    )


def _in_words(row: Speedup, name: str) -> str:
    both = (row.candidate_images_per_second, row.baseline_images_per_second)
    speeds = " and ".join(significant(each) for each in both if each is not None)
    intervals = f"{estimated(row.together)} with all pairs at once, {estimated(row.alone)} alone"
    return f"{name}: {intervals}; {row.verdict}; {speeds} images/s"
