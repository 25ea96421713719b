"""What the simulated intervals have to hold, and a sentence for each that does not."""

from __future__ import annotations

import math
from collections.abc import Iterator

from maintenance.bench_stats.outcomes import Outcome, TwoStages
from maintenance.bench_stats.scenarios import Scenario

LEAST = 0.94
# A higher coverage than this means that an interval is wider than it has to be. It may be, up to WIDEST.
MOST = 0.97
WIDEST = 1.3
MOST_FALSE_ALARMS = 0.055


def faults(
    scenario: Scenario, outcomes: list[Outcome], staged: TwoStages | None, runs: int, allowed_errors: float = 0.0
) -> list[str]:
    """Return a sentence for each bound that a promised scenario breaks; none for a scenario that is not promised.

    `allowed_errors` is how many standard errors of a share from so many runs are allowed beyond a bound.

    A coverage above MOST is only a fault where the median width is more than WIDEST times that of a known variance.
    This holds for the intervals that are meant to hold with 95%: those of bars and of means. Statements on a family are
    at least 95% by Bonferroni's inequality, which is an inequality, and have no upper bound.
    """
    if not scenario.promised:
        return []
    slack = allowed_errors * math.sqrt(LEAST * (1 - LEAST) / runs)
    found = [fault for each in outcomes for fault in _of(scenario, each, slack)]
    if staged is not None:
        shares = {"a bar by precision": staged.precise, "a bar by budget": staged.budget,
                  "all at once by budget": staged.budget_family}  # fmt: skip
        found += [f"two stages, {name}: {_low(share)}" for name, share in shares.items() if share < LEAST - slack]
    return [f"{scenario.name}: {fault}" for fault in found]


def _of(scenario: Scenario, found: Outcome, slack: float) -> Iterator[str]:
    shares = {"a bar": found.bar, "the mean": found.mean, "the largest bar": found.largest, "all at once": found.family}
    for name, share in shares.items():
        if share < LEAST - slack:
            yield f"{found.blocks} blocks, {name}: {_low(share)}"
    for name, share, width in (("a bar", found.bar, found.bar_to_known), ("the mean", found.mean, found.mean_to_known)):
        if share > MOST + slack and width > WIDEST:
            yield f"{found.blocks} blocks, {name}: {share:.1%} is above {MOST:.0%}, at {width:.2f} times the width"
    if scenario.is_alike and 1 - found.family > MOST_FALSE_ALARMS + slack:
        yield f"{found.blocks} blocks: {1 - found.family:.1%} false alarms are above {MOST_FALSE_ALARMS:.1%}"


def _low(share: float) -> str:
    return f"{share:.1%} is below {LEAST:.0%}"
