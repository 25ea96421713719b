"""Judges the article's memory optimisations, as far as peak memory and reorders show them.

Some of them only the processor's counters could show.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from runner.claims.case import Case, RunPart, nearest_part
from runner.claims.causes import AS_LOGGED, at_size, probed
from runner.claims.comparability import clauses, lacking_to_confirm, phrases
from runner.claims.counters import cache_misses
from runner.claims.verdict import NOT_TESTABLE, PARTLY, Answer, answer
from runner.stats.evidence_marks import counts
from runner.stats.intervals import geometric_estimate
from runner.stats.pairs import Pair
from runner.storage.records import Record
from runner.support.wording import plural, significant
from runner.vocabulary import TOPOLOGIES, Cell

# If a step has at most this share of the baseline's cache misses on each topology, the claim is reproduced partly.
FEWER_MISSES = 0.9


def judge_peak_memory(case: Case) -> Answer:
    """Compute the peak memory of Intel's launches over stock's. The figure is shown, and cannot decide the claim.

    Sharing memory lowers the peak, and so do many other things. A higher peak does not refute the claim either.
    """
    part = nearest_part(case)
    topologies = _topologies(case, part)
    ratios = _ratios_by_block(case, part, topologies)
    lacking = lacking_to_confirm(case, part)
    unseen = f"{clauses(lacking)}{_reorders(case)}"
    if not ratios:
        return answer(NOT_TESTABLE, f"no peak memory of both sides is known, and {unseen}", missing=phrases(lacking))
    estimate = geometric_estimate(ratios)
    shown = f" [{significant(estimate.low)}, {significant(estimate.high)}]" if estimate.has_interval else ""
    over = f"geometric mean over {plural(len(topologies), 'topology')}"
    found = f"peak memory of Intel over stock is {significant(estimate.value)}{shown} ({over}) on {part.stack}"
    why = f"{found}; a peak does not show whether there is a memory pool, and {unseen}"
    return answer(NOT_TESTABLE, why, estimate, phrases(lacking))


def judge_by_counters(case: Case) -> Answer:
    """Judge a claim on what happens inside the caches by the misses of the last-level cache in a step.

    The claim predicts fewer misses, as many other causes would: it is reproduced partly at most. As many misses do not
    refute it.
    """
    part = nearest_part(case)
    lacking = lacking_to_confirm(case, part)
    if lacking:
        return answer(NOT_TESTABLE, f"{clauses(lacking)}{_reorders(case)}", missing=phrases(lacking))
    ratios = cache_misses(case, part)
    mean = statistics.geometric_mean(ratios.values())
    sizes = at_size(case.results.probes_of(part.stack, case.variant(part.stack)))
    found = (
        f"a step of {case.variant(part.stack)} has {significant(mean)} times as many load misses of the last-level "
        f"cache as one of {case.sides(part.stack)[0]} on {part.stack} (geometric mean over "
        f"{plural(len(ratios), 'topology')}, from {significant(min(ratios.values()))} to "
        f"{significant(max(ratios.values()))}{sizes}; one launch of each)"
    )
    if max(ratios.values()) <= FEWER_MISSES:
        why = f"{found}; a count does not show which optimisation has this effect"
        return Answer(PARTLY, f"{why} (our criterion: at most {FEWER_MISSES:g} times on each)", mean)
    return Answer(NOT_TESTABLE, f"{found}; this neither confirms nor refutes the claim", mean)


def _topologies(case: Case, part: RunPart) -> Sequence[str]:
    """Return the topologies of this part whose pair is not flagged and whose peaks are known on both sides."""
    judged = (pair for pair in case.results.pairs if counts(pair))
    topologies = {pair.group.topology for pair in judged if _is_of(case, part, pair)}
    known = [topology for topology in topologies if _ratios(case, part, topology)]
    return sorted(known, key=lambda name: (name not in TOPOLOGIES, name))


def _ratios_by_block(case: Case, part: RunPart, topologies: Sequence[str]) -> list[float]:
    """Return the geometric mean of the peaks' ratios over the topologies, for the blocks that have most of them."""
    by_block: dict[int, list[float]] = {}
    for topology in topologies:
        for block, ratio in _ratios(case, part, topology).items():
            by_block.setdefault(block, []).append(ratio)
    complete = max((len(ratios) for ratios in by_block.values()), default=0)
    return [statistics.geometric_mean(ratios) for ratios in by_block.values() if len(ratios) == complete]


def _ratios(case: Case, part: RunPart, topology: str) -> Mapping[int, float]:
    """Return the candidate's peak over the baseline's, by block; empty if no block has both."""
    base, other = (
        _peaks(case, Cell(part.stack, variant, topology, part.batch_size)) for variant in case.sides(part.stack)
    )
    return {block: other[block] / base[block] for block in sorted(base.keys() & other.keys())}


def _is_of(case: Case, part: RunPart, pair: Pair) -> bool:
    found = (pair.group.stack, pair.group.batch_size, pair.baseline, pair.candidate)
    return found == (part.stack, part.batch_size, *case.sides(part.stack))


def _peaks(case: Case, cell: Cell) -> Mapping[int, float]:
    found = {record.block: _peak(record) for record in case.results.of_cell(cell)}
    return {block: peak for block, peak in found.items() if peak}


def _peak(record: Record) -> float:
    return float(record.training.peak_memory_bytes or 0) if record.training else 0.0


def _reorders(case: Case) -> str:
    _, probes = probed(case)
    shares = [probe.reorders["share"] for probe in probes if probe.reorders]
    known = [share for share in shares if share is not None]
    if not known:
        return ""
    return f" (layout conversions take up to {max(known):.0%} of the primitives' time{at_size(probes)}, {AS_LOGGED})"
