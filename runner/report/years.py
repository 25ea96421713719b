"""The second figure: the speedup of Intel's build over the years, for runs of more than one stack."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, NullLocator

from runner.report.document import Section, table
from runner.report.drawing import render
from runner.report.intervals import draw_whiskers, whiskers_of
from runner.report.measured import variant_title
from runner.report.value_text import plural, shown, significant, topology_title
from runner.stats.results import Results
from runner.stats.tables import Speedup
from runner.status import Status
from runner.vocabulary import TOPOLOGIES, Group

CANDIDATE = "intel"
DESCRIPTION = "The speedup of Intel's build over stock by TensorFlow release and topology, with 95% intervals"
# The colours of topologies. No variant has one of them in another figure.
COLOURS = ("#7a9e3f", "#7b4b94", "#c2571a", "#4a5560", "#8a6d3b", "#1f6f78")
# The width over which the topologies of one release are spread, as a share of the distance between two releases.
SPREAD = 0.5
FEWEST_STACKS = 2
# An interval that goes further than this factor beyond all points ends in an arrow.
WIDEST = 3.0
TICKS = (0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32)


def years_sections(measured: Results) -> tuple[Section, ...]:
    """Return the section on how the gap closed as Intel's work went upstream; nothing for a run of one stack."""
    stacks = [name for name in measured.stacks if CANDIDATE in measured.variants(name)]
    stacks.sort(key=lambda name: released(measured, name))
    if len(stacks) < FEWEST_STACKS:
        return ()
    rows = _speedups(measured, stacks)
    order = {name: index for index, name in enumerate(TOPOLOGIES)}
    keys = sorted({(group.topology, group.batch_size) for group in rows},
                  key=lambda key: (key[1], order.get(key[0], len(order)), key[0]))  # fmt: skip
    lines = [(topology_title(name), str(size), *(_text(rows.get(Group(stack, name, size))) for stack in stacks))
             for name, size in keys]  # fmt: skip
    columns = ("topology", "batch size", *(f"{name} ({released(measured, name)})" for name in stacks))
    paragraph = (
        "Each point is the speedup of Intel's build over the stock build of the same TensorFlow release on this host, "
        "with oneDNN switched off where stock has it. It is the effect of everything in which the two builds differ "
        "(kernels, layout, compiler flags, OpenMP). Stock of 1.14 and later contains oneDNN's matrix product. Two "
        "releases differ in all of their software, so that points of different releases are never divided by one "
        "another. The dotted lines only guide the eye."
    )
    drawing = render("years", DESCRIPTION, lambda: _draw(measured, rows, stacks, keys))
    caption = f"Speedup [95%, all {plural(measured.family, 'pair')} of the run at once]"
    listed = table(columns, lines, columns[1:], caption=caption)
    return (Section("Intel's build over the years", (paragraph,), (listed,), (), (drawing,)),)


def released(measured: Results, stack: str) -> str:
    """Return the month in which a stack's TensorFlow was released, such as 2018-11."""
    return measured.header.stacks[stack].released


def _speedups(measured: Results, stacks: list[str]) -> dict[Group, Speedup]:
    """Return the speedup of Intel's build over the first variant, for each group of these stacks."""
    return {
        comparison.group: row
        for comparison, row in measured.speedups.items()
        if comparison.group.stack in stacks and comparison.candidate == CANDIDATE
        and comparison.baseline == measured.variants(comparison.group.stack)[0]
    }  # fmt: skip


def _text(row: Speedup | None) -> str:
    return "not measured" if row is None else shown(row)


def _draw(measured: Results, rows: Mapping[Group, Speedup], stacks: list[str], keys: list[tuple[str, int]]) -> Drawing:
    drawing = Drawing(figsize=(10.4, 5.0), layout="constrained")
    axes: Axes = drawing.subplots()
    sizes = {size for _, size in keys}
    values = [row.alone.value for row in rows.values() if row.alone is not None]
    edges = (min(values) / WIDEST, max(values) * WIDEST) if values else (1.0, 1.0)
    for index, (topology, size) in enumerate(keys):
        shift = SPREAD * ((index + 0.5) / len(keys) - 0.5)
        label = topology_title(topology) + (f", batch {size}" if len(sizes) > 1 else "")
        found = [(position + shift, rows.get(Group(stack, topology, size))) for position, stack in enumerate(stacks)]
        points = [(x, row, row.alone.value) for x, row in found if row is not None and row.alone is not None]
        fill = COLOURS[index % len(COLOURS)]
        axes.plot([x for x, *_ in points], [value for *_, value in points], color=fill, linewidth=0.8, alpha=0.5,
                  linestyle=":")  # fmt: skip
        for number, (x, row, value) in enumerate(points):
            draw_whiskers(axes, x, whiskers_of(row), edges, fill)
            _draw_point(axes, (x, value), row.pair.status, fill, label if number == 0 else None)
    axes.axhline(1.0, color="#444444", linewidth=1, linestyle="--", zorder=0)
    baselines = {name: variant_title(measured, name, measured.variants(name)[0]) for name in stacks}
    names = [f"{measured.header.stacks[name].title}\n{name}, over {baselines[name]}" for name in stacks]
    axes.set_xticks(range(len(stacks)), names)
    axes.set_xlim(-0.6, len(stacks) - 0.4)
    axes.set_yscale("log", base=2)  # ratios: twice and half are equally far from 1
    axes.yaxis.set_major_locator(FixedLocator(TICKS))
    axes.yaxis.set_major_formatter(lambda value, _position: f"{value:g}x")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("speedup of Intel's build over the release's stock (logarithmic)")
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    processor = measured.header.machine.processor.model_name or "unknown processor"
    size_text = ", ".join(str(size) for size in sorted(sizes))
    axes.set_title(f"Intel's build over the years, batch size {size_text}\n{processor}", fontweight="bold", fontsize=12)
    key = (
        f"95% intervals over separate launches. Thick: of this point alone. Thin: of all "
        f"{plural(measured.family, 'pair')} of the run at once.\nDashed line: 1x. An open point has a remark."
    )
    drawing.legend(loc="outside lower center", ncols=len(keys), frameon=False, fontsize=9, title=key, title_fontsize=9)
    return drawing


def _draw_point(axes: Axes, point: tuple[float, float], status: Status, fill: str, label: str | None) -> None:
    x, value = point
    axes.plot([x], [value], "o", color=fill, label=label, markersize=7, zorder=4,
              markerfacecolor=fill if status == Status.OK else "white")  # fmt: skip
    text = f"{significant(value)}x" + ("" if status == Status.OK else f"\n{status.words}")
    axes.annotate(text, point, xytext=(6, 0), textcoords="offset points", va="center", fontsize=8,
                  path_effects=[withStroke(linewidth=3, foreground="white")])  # fmt: skip
