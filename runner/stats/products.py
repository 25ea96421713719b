"""Products of a ladder's steps, block by block, and what they are held against: ratios of the last rung to the first.

Launches of two sessions are never divided by one another, here as in pairs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.stats.estimators import images_per_second
from runner.stats.family import together
from runner.stats.intervals import Estimate, geometric_estimate
from runner.stats.pairs import Pair, Table, of_one_session
from runner.storage.records import Record
from runner.vocabulary import Group

# The usable launches of one rung, by block.
Launches = Mapping[int, Record]


@dataclass(frozen=True)
class Total:
    """A comparison of the first rung with the last: block-wise `ratios`, and whether anything may be said of them."""

    ratios: tuple[float, ...]
    family: int
    is_complete: bool

    @property
    def estimate(self) -> Estimate | None:
        """With its own 95% interval; None where no block is complete."""
        return geometric_estimate(self.ratios) if self.ratios else None

    @property
    def together(self) -> Estimate | None:
        """With the interval that holds at once with those of the whole family."""
        return together(self.ratios, self.family) if self.ratios else None


def usable_of(group: Group, name: str, table: Table) -> dict[int, Record]:
    """The usable launches of a rung, by block."""
    return {block: record for block, record in table.get(group.cell(name), {}).items() if record.error is None}


def products(links: Sequence[tuple[Launches, Launches]]) -> dict[int, float]:
    """In each block that has every link, the product of their ratios, each the second's speed over the first's."""
    factors = [_ratios(before, now) for before, now in links]
    complete = [block for block in factors[0] if all(block in each for each in factors)]
    return {block: math.prod(each[block] for each in factors) for block in complete}


def quotients(product: Mapping[int, float], whole: Pair, of_product: Launches, of_whole: Launches) -> tuple[float, ...]:
    """The product over the whole in each block that has both, of one session; the records are those of the first rung.

    Every launch that a product is made of is of one session.
    """
    direct = whole.ratio_by_block
    blocks = [block for block in product if block in direct and of_one_session(of_product[block], of_whole[block])]
    return tuple(product[block] / direct[block] for block in blocks)


def _ratios(before: Launches, now: Launches) -> dict[int, float]:
    return {
        block: images_per_second(now[block]) / images_per_second(before[block])
        for block in sorted(now)
        if block in before and of_one_session(before[block], now[block])
    }
