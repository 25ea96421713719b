"""The report's section on how close training comes to the host's measured matrix product. It only reads records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure as Drawing

from runner.checks.conditions import flatten
from runner.host.microarchitecture import processor_title
from runner.report.document import Figure, Section, Table, table
from runner.report.drawing import colour, render
from runner.report.measured import typical_step
from runner.report.value_text import interval, significant, topology_title
from runner.stats.results import Results, Role
from runner.storage.peak_records import Peak
from runner.vocabulary import Cell, Group

TITLE = "How close to the limit"
# If an installation's matrix product is below this share of its baseline's, the report has a sentence on it.
SLOW_PRODUCT = 0.8
# The axis ends at this many times the longest bar, because with few blocks an interval may be many times as long.
WIDEST = 1.5
DESCRIPTION = "Training GFLOP/s of each cell as a share of the host's measured matrix product"
# Launches that train and launches that multiply matrices are compared only if the conditions so named are equal.
_SHARED = ("engine", "enforced.", "machine.", "pin.", "intra_op_threads")


@dataclass(frozen=True)
class Achieved:
    """A cell's training speed with its interval, and the peak with which it is compared. GFLOP/s; NaN if not known."""

    cell: Cell
    gflops: float
    low: float
    high: float
    peak: float

    @property
    def share(self) -> float:
        """The training speed as a share of the peak; NaN if either is not known."""
        return self.gflops / self.peak


def peak_sections(measured: Results) -> tuple[Section, ...]:
    """Return the section; nothing if the run has no measured peaks."""
    if not measured.peaks:
        return ()
    rows = achieved(measured)
    figures = (draw(measured, rows),) if any(not math.isnan(row.share) for row in rows) else ()
    tables = (_share_table(rows), _peak_table(measured.peaks))
    shares = [row.share for row in rows if not math.isnan(row.share)]
    told = (
        f"training reaches at most {max(shares):.0%} of the fastest matrix product" if shares else "no share is known"
    )
    return (Section(TITLE, _paragraphs(measured), tables, figures=figures, summary=told),)


def host_peak(measured: Results) -> float:
    """Return the largest GFLOP/s of a matrix product over installations and sizes; NaN if none counts for this run."""
    if why_not_beside_launches(measured):
        return math.nan
    return max((_best(peak) for peak in measured.peaks if peak.best), default=math.nan)


def why_not_beside_launches(measured: Results) -> str:
    """Return why the run's peaks must not be compared with its launches; empty if they may."""
    sides = [[dict(flatten(each.conditions)) for each in side if each.error is None]
             for side in (measured.peaks, measured.usable)]  # fmt: skip
    names = dict.fromkeys(name for side in sides for one in side for name in one if name.startswith(_SHARED))
    differing = [name for name in names if len({str(one.get(name)) for side in sides for one in side}) > 1]
    return f"conditions differ: {', '.join(differing)}" if differing else ""


def achieved(measured: Results) -> list[Achieved]:
    """Return every measured cell, in the report's order.

    A cell's GFLOP/s are its images per second times the FLOPs of training one image, as counted from the graph. A cell
    of another arithmetic has no peak, because the products are of float32.
    """
    peak = host_peak(measured)
    flops = {
        record.cell: record.training.training_flops_per_step / record.cell.batch_size
        for record in measured.usable
        if record.training and record.training.training_flops_per_step
    }
    found = []
    for cell, row in measured.throughputs.items():
        scale, speed = flops.get(cell, math.nan) / 1e9, row.images_per_second
        limit = math.nan if measured.role(cell.stack, cell.variant) == Role.OTHER_ARITHMETIC else peak
        found.append(Achieved(cell, speed.value * scale, speed.low * scale, speed.high * scale, limit))
    return sorted(found, key=lambda each: _rank(measured, each.cell))


def draw(measured: Results, rows: Sequence[Achieved]) -> Figure:
    """Horizontal bars: the share of the peak of each cell."""
    return render("peak", DESCRIPTION, lambda: _figure(measured, rows))


def _rank(measured: Results, cell: Cell) -> tuple[tuple[str, int, int, str], int]:
    return (Group.report_order(cell.group), measured.variants(cell.stack).index(cell.variant))


def _paragraphs(measured: Results) -> tuple[str, ...]:
    peak, refused = host_peak(measured), why_not_beside_launches(measured)
    has_lifted = any(each.besides for each in measured.peaks)
    lifted = ", and once more without a library's check of the processor's vendor" if has_lifted else ""
    head = (
        "Shares are of the fastest single-precision matrix product that was measured on this pin: "
        f"{significant(peak)} GFLOP/s. Matrix products were measured in each installation before the first launch"
        f"{lifted}. "
        "Each figure is the best of several repeats of one size. The fastest is not a limit: another size, "
        "shape or library may be faster."
    )
    if refused:
        head = f"The matrix product's speed is not compared with this run's launches: {refused}."
    elif math.isnan(peak):
        head = "No matrix product could be measured; the reasons are below."
    return (
        head,
        *_slow_products(measured),
        "GFLOP/s of training count the convolutions and matrix products in the graph, forward and backward, with a "
        f"multiply-accumulate as two operations, and divide them by the {typical_step(measured)}. Everything else in a "
        "step takes time and is not counted. Algorithms that need fewer operations than are counted (Winograd's) raise "
        "the share. The interval is that of the launches, and does not include the peak's own spread.",
    )


def _slow_products(measured: Results) -> tuple[str, ...]:
    """Return a sentence on each installation whose matrix product is far slower than that of its stack's baseline."""
    best = {(peak.stack, peak.installation): _best(peak) for peak in measured.peaks if peak.best and not peak.besides}
    found = []
    for stack, entry in measured.header.stacks.items():
        baseline = entry.variants[measured.variants(stack)[0]].installation
        base = best.get((stack, baseline), math.nan)
        found += [
            f"On {stack} the matrix product of {name} reaches {significant(speed)} GFLOP/s, {speed / base:.0%} of what "
            f"{baseline} reaches ({significant(base)}) on this processor, for square products. "
            f"{_cause(measured, stack, name, speed, base)} Products of other shapes may be faster (a probe's trace "
            "shows those of its network), and so may these be on another processor."
            for (of, name), speed in best.items()
            if of == stack and speed < SLOW_PRODUCT * base
        ]
    return tuple(found)


def _cause(measured: Results, stack: str, installation: str, speed: float, base: float) -> str:
    """Return what the product without the library's check of the vendor says about a slow product's cause.

    `speed` and `base` are the GFLOP/s of the slow product and of the baseline's.
    """
    check = measured.header.stacks[stack].vendor_checks.get(installation)
    lifted = [peak for peak in measured.peaks
              if (peak.stack, peak.installation) == (stack, installation) and peak.besides and peak.best]  # fmt: skip
    if check is None or not lifted:
        return "The cause was not examined."
    faster = max(map(_best, lifted))
    shown = (
        f"With {check.variable}={check.value} it reaches {significant(faster)}, {significant(faster / speed)} times as "
        f"much and {faster / base:.0%} of the baseline's"
    )
    why = f"{check.reason} ({check.source})"
    if faster >= SLOW_PRODUCT * base:
        return f"{shown}: {why}."
    if speed < SLOW_PRODUCT * faster:
        return f"{shown}, so that this is a part of the cause: {why}."
    return f"{shown}, so that the library's check of the processor's vendor is not the cause."


def _best(peak: Peak) -> float:
    """The most GFLOP/s of any size; NaN if nothing was measured."""
    return float(peak.best["gflops_per_second"]) if peak.best else math.nan


def _share_table(rows: Sequence[Achieved]) -> Table:
    cells = [
        (
            row.cell.stack, row.cell.variant, topology_title(row.cell.topology), str(row.cell.batch_size),
            significant(row.gflops), interval(row.low, row.high),
            "—" if math.isnan(row.share) else f"{row.share:.0%}",
        )
        for row in rows
    ]  # fmt: skip
    columns = ("stack", "variant", "topology", "batch size", "GFLOP/s", "95% interval", "share of peak")
    return table(columns, cells, columns[3:])


def _peak_table(peaks: Sequence[Peak]) -> Table:
    rows = []
    for peak in sorted(peaks, key=lambda each: each.key):
        besides = "".join(f", {name}={value}" for name, value in peak.besides.items())
        where = (peak.stack, peak.installation, f"{peak.variant}{besides}")
        if peak.failure is not None:
            rows.append((*where, "—", "—", f"{peak.failure.status.words}: {peak.failure.message}"))
        rows += [
            (
                *where,
                str(size["size"]),
                significant(float(size["gflops_per_second"])),
                f"best of {len(size['seconds'])} repeats",
            )
            for size in peak.sizes
        ]
    columns = ("stack", "installation", "environment of", "size", "GFLOP/s", "measured")
    return table(columns, rows, ("size", "GFLOP/s"), caption="Matrix products")


def _figure(measured: Results, rows: Sequence[Achieved]) -> Drawing:
    shown = [row for row in rows if not math.isnan(row.share)]
    figure = Drawing(figsize=(10.4, 0.34 * len(shown) + 1.5), layout="constrained")
    axes = figure.subplots()
    for position, row in enumerate(shown):
        axes.barh(position, row.share, 0.8, color=colour(measured, row.cell.stack, row.cell.variant))
        if not math.isnan(row.low):
            ends = [[row.share - row.low / row.peak], [row.high / row.peak - row.share]]
            axes.errorbar(row.share, position, xerr=ends, color="#222222", capsize=3, linewidth=1.2)
        axes.annotate(f"{row.share:.0%} ({significant(row.gflops)} GFLOP/s)", (1.01, position),
                      xycoords=axes.get_yaxis_transform(), va="center", fontsize=8, annotation_clip=False)  # fmt: skip
    axes.axvline(1.0, color="#444444", linewidth=1, linestyle="--", zorder=0)
    axes.set_yticks(range(len(shown)), [_label(measured, row.cell) for row in shown], fontsize=8)
    axes.invert_yaxis()
    longest = WIDEST * max(row.share for row in shown)
    ends_at = max((min(row.high / row.peak, longest) for row in shown if not math.isnan(row.high)), default=0)
    axes.set_xlim(0, 1.02 * max(1.0, ends_at, *(row.share for row in shown)))
    beyond = any(row.high / row.peak > longest for row in shown)
    cut = ", cut off at the right where they are longer" if beyond else ""
    axes.set_xlabel(f"share of the matrix product's peak, with 95% intervals{cut}")
    sizes = ", ".join(map(str, measured.batch_sizes))
    processor = processor_title(measured.header.machine.processor)
    title = f"{TITLE}: {significant(shown[0].peak)} GFLOP/s on {processor}, batch size {sizes}"
    axes.set_title(title, loc="left", fontsize=10)
    axes.xaxis.set_major_formatter(lambda value, _position: f"{value:.0%}")
    return figure


def _label(measured: Results, cell: Cell) -> str:
    stack = f"{cell.stack} " if len(measured.stacks) > 1 else ""
    size = f", batch {cell.batch_size}" if len(measured.batch_sizes) > 1 else ""
    return f"{topology_title(cell.topology)}{size}: {stack}{cell.variant}"
