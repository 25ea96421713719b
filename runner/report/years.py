"""The second figure: what Intel's work gained over the years, as its own build and inside of stock TensorFlow.

For runs of more than one stack.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, NullLocator

from runner.host.microarchitecture import processor_title
from runner.report.document import Section, table
from runner.report.drawing import render
from runner.report.intervals import draw_whiskers, whiskers_of
from runner.report.measured import variant_title
from runner.report.value_text import plural, shown, significant, topology_title
from runner.stats.results import Results, Role
from runner.stats.tables import Speedup
from runner.status import Status
from runner.vocabulary import TOPOLOGIES, Group

TITLE = "2018 to today: Intel's build, and oneDNN in stock"
DESCRIPTION = (
    "The speedups of Intel's build and of oneDNN in stock over stock without it, by TensorFlow release and topology, "
    "with 95% intervals"
)
# The colours of topologies. No variant has one of them in another figure.
COLOURS = ("#7a9e3f", "#7b4b94", "#c2571a", "#4a5560", "#8a6d3b", "#1f6f78")
# The width over which the topologies of one release are spread, as a share of the distance between two releases.
SPREAD = 0.7
# How far the figure goes on above the highest interval, as a share of its height, for the value that is written there.
ROOM = 0.14
# The letters that fit in a line below the figure, over all releases.
LETTERS = 110
FEWEST_RELEASES = 2
# An interval that goes further than this factor beyond all points ends in an arrow.
WIDEST = 3.0
TICKS = (0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32)


@dataclass(frozen=True)
class Kind:
    """One way in which a release may have a vendor's kernels: its name, the variant's role, its marker and place.

    `aside` is the distance from the topology's place, in shares of the distance between two releases.
    """

    name: str
    role: Role
    marker: str
    aside: float


BUILD = Kind("Intel's build", Role.VENDORS_BUILD, "o", -0.035)
IN_STOCK = Kind("oneDNN in stock", Role.SWITCHED_ON, "D", 0.035)
PLUG_IN = Kind("a vendor's plug-in", Role.PLUG_IN, "^", -0.035)
KINDS = (BUILD, PLUG_IN, IN_STOCK)
# A stack, and a kind that it has.
Column = tuple[str, Kind]
Rows = Mapping[tuple[Group, Kind], Speedup]


def years_sections(measured: Results) -> tuple[Section, ...]:
    """Return the section on how Intel's work went upstream; nothing for a run of one release."""
    columns = [(stack, kind) for stack in sorted(measured.stacks, key=lambda name: released(measured, name))
               for kind in KINDS if measured.candidate(stack, kind.role)]  # fmt: skip
    stacks = list(dict.fromkeys(stack for stack, _ in columns))
    if len({released(measured, stack) for stack in stacks}) < FEWEST_RELEASES:
        return ()
    rows = _speedups(measured, columns)
    order = {name: index for index, name in enumerate(TOPOLOGIES)}
    keys = sorted({(group.topology, group.batch_size) for group, _ in rows},
                  key=lambda key: (key[1], order.get(key[0], len(order)), key[0]))  # fmt: skip
    lines = [(topology_title(name), str(size),
              *(_text(rows.get((Group(stack, name, size), kind))) for stack, kind in columns))
             for name, size in keys]  # fmt: skip
    names = ("topology", "batch size", *(f"{name} ({released(measured, name)}), {kind.name}" for name, kind in columns))
    paragraph = (
        "Each point is a speedup over the stock build of the same TensorFlow release on this host, with oneDNN "
        "switched off where stock has it. A circle is Intel's build: the effect of everything in which the two builds "
        "differ (kernels, layout, compiler flags, OpenMP). A diamond is oneDNN switched on in stock, which is Intel's "
        "work upstream. A triangle is a plug-in that its vendor adds to the release. Stock of 1.14 and later contains "
        "oneDNN's matrix product. Two releases differ in all of their software, so that points of different releases "
        "are never divided by one another. The dotted lines only guide the eye."
    )
    drawing = render("years", DESCRIPTION, lambda: _draw(measured, rows, stacks, keys))
    caption = f"Speedup [95%, all {plural(measured.family, 'pair')} of the run at once]"
    listed = table(names, lines, names[1:], caption=caption)
    return (Section(TITLE, (paragraph,), (listed,), (), (drawing,)),)


def released(measured: Results, stack: str) -> str:
    """Return the month in which a stack's TensorFlow was released, such as 2018-11."""
    return measured.header.stacks[stack].released


def _speedups(measured: Results, columns: Sequence[Column]) -> Rows:
    """Return the speedup over the first variant of what each column shows, by group and kind."""
    found = {}
    for comparison, row in measured.speedups.items():
        stack = comparison.group.stack
        for kind in (kind for name, kind in columns if name == stack):
            sides = (measured.variants(stack)[0], measured.candidate(stack, kind.role))
            if (comparison.baseline, comparison.candidate) == sides:
                found[comparison.group, kind] = row
    return found


def _text(row: Speedup | None) -> str:
    return "not measured" if row is None else shown(row)


def _draw(measured: Results, rows: Rows, stacks: list[str], keys: list[tuple[str, int]]) -> Drawing:
    drawing = Drawing(figsize=(10.4, 5.4), layout="constrained")
    axes: Axes = drawing.subplots()
    sizes = {size for _, size in keys}
    values = [row.alone.value for row in rows.values() if row.alone is not None]
    edges = (min(values) / WIDEST, max(values) * WIDEST) if values else (1.0, 1.0)
    highest = 1.0
    kinds = [kind for kind in KINDS if any(found == kind for _, found in rows)]
    for index, (topology, size) in enumerate(keys):
        shift = SPREAD * ((index + 0.5) / len(keys) - 0.5)
        fill = COLOURS[index % len(COLOURS)]
        for kind in kinds:
            found = [(position + shift + kind.aside, rows.get((Group(stack, topology, size), kind)))
                     for position, stack in enumerate(stacks)]  # fmt: skip
            points = [(x, row, row.alone.value) for x, row in found if row is not None and row.alone is not None]
            axes.plot([x for x, *_ in points], [value for *_, value in points], color=fill, linewidth=0.8, alpha=0.5,
                      linestyle=":")  # fmt: skip
            for x, row, value in points:
                top = max(value, draw_whiskers(axes, x, whiskers_of(row), edges, fill))
                _draw_point(axes, (x, value), top, row.pair.status, fill, kind)
                highest = max(highest, top)
    axes.axhline(1.0, color="#444444", linewidth=1, linestyle="--", zorder=0)
    baselines = {name: variant_title(measured, name, measured.variants(name)[0]) for name in stacks}
    titles = {name: (measured.header.stacks[name].title, f"{name}, over {baselines[name]}") for name in stacks}
    names = [
        "\n".join(line for text in titles[name] for line in textwrap.wrap(text, LETTERS // len(stacks)))
        for name in stacks
    ]
    axes.set_xticks(range(len(stacks)), names)
    axes.set_xlim(-0.6, len(stacks) - 0.4)
    axes.set_yscale("log", base=2)  # ratios: twice and half are equally far from 1
    lowest = axes.get_ylim()[0]
    axes.set_ylim(top=highest * (highest / lowest) ** ROOM)
    axes.yaxis.set_major_locator(FixedLocator(TICKS))
    axes.yaxis.set_major_formatter(lambda value, _position: f"{value:g}x")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("speedup over the release's stock (logarithmic)")
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    processor = processor_title(measured.header.machine.processor)
    size_text = ", ".join(str(size) for size in sorted(sizes))
    axes.set_title(f"{TITLE}, batch size {size_text}\n{processor}", fontweight="bold", fontsize=12)
    key = (
        f"95% intervals over blocks of launches. Thick: of this point alone. Thin: of all "
        f"{plural(measured.family, 'pair')} of the run at once.\nDashed line: 1x. An open point has a remark."
    )
    handles = [
        *(Line2D([], [], marker="s", linestyle="", color=COLOURS[index % len(COLOURS)], label=_label(each, sizes))
          for index, each in enumerate(keys)),
        *(Line2D([], [], marker=kind.marker, linestyle="", color="#444444", label=kind.name) for kind in kinds),
    ]  # fmt: skip
    drawing.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=9,
                   title=key, title_fontsize=9)  # fmt: skip
    return drawing


def _label(key: tuple[str, int], sizes: Collection[int]) -> str:
    topology, size = key
    return topology_title(topology) + (f", batch {size}" if len(sizes) > 1 else "")


def _draw_point(
    axes: Axes, point: tuple[float, float], top: float, status: Status, fill: str, kind: Kind
) -> None:  # fmt: skip
    """Draw a point, and write its value above `top`, the upper end of its interval."""
    x, value = point
    axes.plot([x], [value], kind.marker, color=fill, markersize=7 if kind == BUILD else 6, zorder=4,
              markerfacecolor=fill if status == Status.OK else "white")  # fmt: skip
    text = f"{significant(value)}x" + ("" if status == Status.OK else f" {status.words}")
    axes.annotate(text, (x, top), xytext=(0, 4), textcoords="offset points", va="bottom", ha="center", rotation=90,
                  fontsize=8, path_effects=[withStroke(linewidth=3, foreground="white")])  # fmt: skip
