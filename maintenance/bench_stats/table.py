"""The document results/coverage.md: what was simulated, in tables. Pure functions from outcomes to Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from maintenance.bench_stats import bounds
from maintenance.bench_stats.design import BLOCKS, BURSTS, ESTIMATORS, Design, best_within
from maintenance.bench_stats.outcomes import ADDED_BLOCKS, PRECISION, SPEEDUP, Outcome
from maintenance.bench_stats.scenarios import TOPOLOGIES, Noise
from maintenance.bench_stats.study import BLOCKS as STUDIED
from maintenance.bench_stats.study import BURSTS as STUDIED_BURSTS
from maintenance.bench_stats.study import MOST_BLOCKS, Study
from runner.stats.sizing import FIRST_BLOCKS

# The number of blocks at which the tables give a power and a width.
SHOWN = 6
MINUTES = (5, 7, 10, 15, 20)
HASH = "Code: sha256 "


def document(
    noise: Noise, found: Sequence[Study], designs: list[Design],
    estimators: Sequence[tuple[str, list[tuple[float, float]]]], runs: int, sha256: str,
) -> str:  # fmt: skip
    """Return the whole document."""
    error = 2 * math.sqrt(0.95 * 0.05 / runs)
    return "\n".join([
        "# How often the intervals hold the truth",
        "",
        "Written by `make bench-stats`; do not edit. The tests compare the hash with the code, and simulate a small "
        "part again.",
        "",
        f"{HASH}{sha256}",
        "",
        *_what_was_simulated(noise, runs, error),
        "",
        "## Coverage of intervals of 95%, in percent",
        "",
        f"Each cell has the lowest and the highest coverage over {STUDIED[0]} to {STUDIED[-1]} blocks, of the worst "
        "pair. A false alarm is a run of equally fast variants in which any verdict is \"faster\" or \"slower\". It is "
        "counted where all variants have the same noise, as where a variant is compared with itself. Power is the "
        f"share of bars that are called faster with a true speedup of {SPEEDUP:.2f} and {SHOWN} blocks.",
        "",
        *_coverage([each for each in found if each.scenario.promised]),
        "",
        "## Scenarios that are not covered",
        "",
        "Here the intervals hold the truth less often than they say. In each of them something happens to the launches "
        "of one variant only: seldom, by delays that dwarf all other noise, or in the same way for many blocks.",
        "",
        *_coverage([each for each in found if not each.scenario.promised]),
        "",
        "## By the number of blocks",
        "",
        "The scenario log-normal with three variants. Half widths are medians, of one bar alone and of all at once. "
        "The last column divides the first by what it would be if the variance were known.",
        "",
        *_by_blocks(next(each for each in found if each.variants == 3).outcomes),
        "",
        "## Sizes in two stages",
        "",
        f"The spread of the first {FIRST_BLOCKS} blocks fixes the number of the rest (`runner/stats/sizing.py`): for a "
        f"half width of {PRECISION:.0%}, or so that a budget of {ADDED_BLOCKS} more blocks a topology on average "
        f"shrinks the widest interval. No topology has more than {MOST_BLOCKS} blocks. The last column shows what is "
        "not done: Student's interval over all blocks, after their number was chosen by their spread.",
        "",
        *_staged(found),
        "",
        "## Blocks and bursts in a given time",
        "",
        "Three variants of one topology, with the scenario log-normal. A cell has the seconds that the blocks take, "
        "and the median half widths of one bar alone and of all at once. The second table has the size that is the "
        "narrowest at once in each time, with the share of the time that is in timed bursts.",
        "",
        *_grid(designs),
        "",
        *_best(designs),
        "",
        "## Estimators of a launch's speed",
        "",
        f"Coverage of a bar, and its median half width, with two variants, {SHOWN} blocks and {STUDIED_BURSTS} bursts.",
        "",
        *_rows(("scenario", *ESTIMATORS), _estimators(estimators)),
        "",
    ])  # fmt: skip


def _what_was_simulated(noise: Noise, runs: int, error: float) -> Iterator[str]:
    yield (
        f"Each row is from {runs:,} simulated runs of {TOPOLOGIES} topologies, so that a share near 95% is known to "
        f"{100 * error:.1f} points (two standard errors). A block has a fresh launch of each variant, and a launch has "
        f"{STUDIED_BURSTS} bursts of {noise.steps_in_a_burst} steps, in the orders of the plan. The truth is the ratio "
        "under the noise of the scenario, which is the mean over all runs."
    )
    yield ""
    yield (
        f"The measured components of noise, as standard deviations of logarithms: {noise.launch:.1%} between launches, "
        f"{noise.burst:.1%} between bursts, {noise.step:.1%} between steps. Their source: "
        f"{' '.join(noise.source.split())}"
    )
    yield ""
    yield (
        f"The bounds: a coverage of at least {bounds.LEAST:.0%} wherever 95% is promised; above {bounds.MOST:.0%}, for "
        f"bars and means, only where the median width is at most {bounds.WIDEST} times that of a known variance; at "
        f"most {bounds.MOST_FALSE_ALARMS:.1%} false alarms. Statements on all bars at once, the largest bar's among "
        "them, hold with at least 95% by Bonferroni's inequality, and may hold more often."
    )


def _coverage(found: Iterable[Study]) -> list[str]:
    header = (
        "scenario", "variants", "each bar", "geometric mean", "largest bar", "all at once", "false alarms",
        f"power, {SHOWN} blocks", f"half width alone, {SHOWN} blocks", "at once",
    )  # fmt: skip
    return _rows(header, ((
        f"{each.scenario.name}: {each.scenario.says}", str(each.variants),
        _range([one.bar for one in each.outcomes]), _range([one.mean for one in each.outcomes]),
        _range([one.largest for one in each.outcomes]), _range([one.family for one in each.outcomes]),
        _range([1 - one.family for one in each.outcomes]) if each.scenario.is_alike else "",
        *_shown(each.outcomes),
    ) for each in found))  # fmt: skip


def _shown(outcomes: Sequence[Outcome]) -> tuple[str, str, str]:
    one = next(each for each in outcomes if each.blocks == SHOWN)
    return _percent(one.power), _width(one.half_width), _width(one.family_half_width)


def _by_blocks(outcomes: Sequence[Outcome]) -> list[str]:
    header = ("blocks", "each bar", "geometric mean", "largest bar", "all at once", "power", "half width alone",
              "at once", "to known")  # fmt: skip
    return _rows(header, ((
        str(one.blocks), _percent(one.bar), _percent(one.mean), _percent(one.largest), _percent(one.family),
        _percent(one.power), _width(one.half_width), _width(one.family_half_width), f"{one.bar_to_known:.2f}",
    ) for one in outcomes))  # fmt: skip


def _staged(found: Iterable[Study]) -> list[str]:
    header = ("scenario", "variants", "median blocks", "a bar, by precision", "a bar, by budget",
              "all at once, by budget", "not done")  # fmt: skip
    return _rows(header, ((
        each.scenario.name, str(each.variants), f"{each.staged.blocks:.0f}", _percent(each.staged.precise),
        _percent(each.staged.budget), _percent(each.staged.budget_family), _percent(each.staged.watched),
    ) for each in found if each.staged is not None and each.scenario.promised))  # fmt: skip


def _grid(designs: Sequence[Design]) -> list[str]:
    by_size = {(each.blocks, each.bursts): each for each in designs}
    header = ("blocks", *(f"{bursts} bursts" for bursts in BURSTS))
    return _rows(header, (
        (str(blocks), *(_design(by_size[blocks, bursts]) for bursts in BURSTS)) for blocks in BLOCKS
    ))  # fmt: skip


def _best(designs: list[Design]) -> list[str]:
    best = [(minutes, best_within(designs, 60.0 * minutes)) for minutes in MINUTES]
    return _rows(("minutes", "narrowest at once", "its seconds and half widths", "timed"), (
        (str(minutes), f"{each.blocks} blocks of {each.bursts} bursts", _design(each), f"{each.timed:.0%}")
        for minutes, each in best if each
    ))  # fmt: skip


def _design(each: Design) -> str:
    return f"{each.seconds:.0f} s: {_width(each.half_width)}, {_width(each.family_half_width)}"


def _estimators(found: Sequence[tuple[str, list[tuple[float, float]]]]) -> Iterator[tuple[str, ...]]:
    for name, columns in found:
        yield (name, *(f"{_percent(share)}, {_width(half)}" for share, half in columns))


def _rows(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(each)} |" for each in (header, ["---"] * len(header), *rows)]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _range(shares: Sequence[float]) -> str:
    return f"{_percent(min(shares))} to {_percent(max(shares))}"


def _width(half: float) -> str:
    return f"{math.expm1(half):.1%}"
