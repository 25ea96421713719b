"""Advice on launches that were not steady: a drift over the run, two speeds in one launch, an odd launch.

Pure functions of records. Advice changes no number and no verdict.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from itertools import pairwise

from runner.report.advice import Advice, host_advice
from runner.stats.estimators import MAD_TO_SIGMA, images_per_second, timed_step_seconds
from runner.storage.records import Record
from runner.vocabulary import Cell

# A drift worth a word: from the first to the last block, and in standard errors.
DRIFT = 0.05
ERRORS = 3.0
# Two speeds in a launch: how far apart they are, how wide the gap is against the spread of either, and the share of the
# steps that the smaller one has. With fewer steps two clusters say nothing.
APART = 0.05
GAP = 4.0
SMALLER = 0.2
FEWEST_STEPS = 10
# An odd launch: its modified z-score (Iglewicz and Hoaglin 1993, How to detect and handle outliers: 3.5), how far it is
# from the cell's median, and how many launches the cell must have. Of fewer, the median deviation is often tiny by
# chance.
ODD = 3.5
ODD_APART = 0.05
FEWEST_LAUNCHES = 6


def advice_on(records: Sequence[Record], threads: int) -> list[Advice]:
    """Return all advice on usable launches, that on the host first. `threads` is how many the pin has."""
    return [*host_advice(records, threads), *launch_advice(records)]


def launch_advice(records: Sequence[Record]) -> list[Advice]:
    """Return the advice on usable launches."""
    by_cell: dict[Cell, list[Record]] = {}
    for record in sorted(records, key=lambda each: each.block):
        by_cell.setdefault(record.cell, []).append(record)
    found = (drift(by_cell), two_speeds(records), odd_launches(by_cell))
    return [each for each in found if each is not None]


def drift(by_cell: Mapping[Cell, Sequence[Record]]) -> Advice | None:
    """Return advice if launches became steadily slower or faster from block to block, over all cells together."""
    found = _slope({cell: [(each.block, images_per_second(each)) for each in own] for cell, own in by_cell.items()})
    blocks = [each.block for own in by_cell.values() for each in own]
    if found is None:
        return None
    slope, error = found
    change = math.expm1(slope * (max(blocks) - min(blocks)))
    if abs(change) < DRIFT or abs(slope) < ERRORS * error:
        return None
    word = "faster" if change > 0 else "slower"
    return Advice(
        "drift",
        f"Launches became {abs(change):.0%} {word} from block {min(blocks)} to block {max(blocks)}.",
        "Orders are mirrored from block to block, so that a steady drift favours no variant; images/s are of the whole "
        "time. Let the host reach its working temperature first, with a run that is thrown away, or fix its clock.",
    )


def two_speeds(records: Sequence[Record]) -> Advice | None:
    """Return advice if the steps of a launch fall into two groups with a gap between them."""
    found = [record.launch_id for record in records if _has_two_speeds(timed_step_seconds(record))]
    if not found:
        return None
    return Advice(
        "two speeds",
        f"The steps of {_listed(found)} have two speeds with a gap between them, as if the launch had moved or a "
        "neighbour came and went.",
        "Longer warm-up (--warmup) helps if the first steps are the slow ones; isolated CPUs or a smaller pin (--cpus) "
        "if they alternate.",
    )


def odd_launches(by_cell: Mapping[Cell, Sequence[Record]]) -> Advice | None:
    """Return advice that names launches whose speed is far from that of the other launches of their cell."""
    found = [text for own in by_cell.values() for text in _odd(own)]
    if not found:
        return None
    return Advice(
        "odd launches",
        f"Far from the other blocks: {_listed(found)}.",
        f"{'It stays' if len(found) == 1 else 'They stay'} in the result, because nothing says that "
        f"{'it is' if len(found) == 1 else 'they are'} wrong; the log and the readings below launches/ may tell what "
        f"happened. More blocks (--blocks) give {'it' if len(found) == 1 else 'them'} less weight.",
    )


def _slope(cells: Mapping[Cell, Sequence[tuple[int, float]]]) -> tuple[float, float] | None:
    """Return the common slope of log speed by block, with its standard error; None if there is too little to tell."""
    points = [point for own in cells.values() for point in _centred(own)]
    squares, degrees = sum(x * x for x, _ in points), len(points) - len(cells) - 1
    if squares == 0 or degrees < 2:
        return None
    slope = sum(x * y for x, y in points) / squares
    rest = sum((y - slope * x) ** 2 for x, y in points)
    return slope, math.sqrt(rest / degrees / squares)


def _centred(own: Sequence[tuple[int, float]]) -> list[tuple[float, float]]:
    """Return block and log speed, each minus its mean over the cell."""
    block = statistics.fmean(number for number, _ in own)
    log = statistics.fmean(math.log(speed) for _, speed in own)
    return [(number - block, math.log(speed) - log) for number, speed in own]


def _has_two_speeds(seconds: Sequence[float]) -> bool:
    logs = sorted(math.log(each) for each in seconds)
    if len(logs) < FEWEST_STEPS:
        return False
    gap, at = max((after - before, number) for number, (before, after) in enumerate(pairwise(logs), start=1))
    fast, slow = logs[:at], logs[at:]
    if min(len(fast), len(slow)) < max(2, SMALLER * len(logs)):
        return False
    spread = max(statistics.stdev(fast), statistics.stdev(slow))
    return statistics.fmean(slow) - statistics.fmean(fast) > APART and gap > GAP * spread


def _odd(own: Sequence[Record]) -> list[str]:
    """Return each odd launch with its block and how far it is from the median of its cell."""
    if len(own) < FEWEST_LAUNCHES:
        return []
    logs = [math.log(images_per_second(record)) for record in own]
    centre = statistics.median(logs)
    deviation = MAD_TO_SIGMA * statistics.median(abs(log - centre) for log in logs)
    return [
        f"{record.launch_id} (block {record.block}: {abs(math.expm1(log - centre)):.0%} "
        f"{'faster' if log > centre else 'slower'} than the median)"
        for record, log in zip(own, logs, strict=True)
        if abs(math.expm1(log - centre)) > ODD_APART and abs(log - centre) > ODD * deviation
    ]


def _listed(texts: Sequence[str]) -> str:
    """Return at most three texts, and how many more there are."""
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return ", ".join(texts[:3]) + more
