"""What the processor's own counters say of both sides of a claim, where this host lets anybody count."""

from __future__ import annotations

from collections.abc import Mapping

from runner.claims.case import Case, RunPart
from runner.evidence.counters import Counters

MISSES = "LLC-load-misses"
NOT_COUNTED = "its probes were not counted (a new run on a host with perf counts them)"
NO_MISSES = "this processor, or its hypervisor, does not count misses of the last-level cache"


def cache_misses(case: Case, part: RunPart) -> Mapping[str, float]:
    """Return the load misses of the last-level cache in a step, the claim's variant over its baseline, by topology."""
    base, other = ({name: count for name, each in _counters(case, part, variant).items()
                    if (count := each.per_step.get(MISSES))} for variant in case.sides(part.stack))  # fmt: skip
    return {name: other[name] / base[name] for name in base if name in other}


def why_uncounted(case: Case, part: RunPart) -> str:
    """Return why there is no count of the processor's, as the probes say."""
    found = [each for variant in case.sides(part.stack) for each in _counters(case, part, variant).values()]
    lacking = [each for each in found if not each.per_step.get(MISSES)]
    return "; ".join(sorted({each.why_no_hardware or NO_MISSES for each in lacking})) or NOT_COUNTED


def _counters(case: Case, part: RunPart, variant: str) -> Mapping[str, Counters]:
    """Return the counters of a variant's probes by topology, without probes that show another variant than its name."""
    probes = case.results.probes_of(part.stack, variant)
    return {
        each.subject.topology: each.counters
        for each in probes
        if each.counters is not None and not any(verdict.passed is False for verdict in each.verdicts)
    }
