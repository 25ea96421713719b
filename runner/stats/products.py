"""Products of a ladder's steps, block by block, and their ratios to the directly measured ratio of last to first rung.

Launches of two sessions are never divided by one another, as in `runner/stats/pairs.py`.
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
    """A comparison of the last rung with the first: its ratio in each block, and whether a verdict may be given.

    `family` is how many comparisons the run judges at once.
    """

    ratios: tuple[float, ...]
    family: int
    is_complete: bool

    @property
    def estimate(self) -> Estimate | None:
        """The geometric mean with its own 95% interval; None if no block is complete."""
        return geometric_estimate(self.ratios) if self.ratios else None

    @property
    def together(self) -> Estimate | None:
        """The geometric mean with the interval that holds at once with those of the family; None without a block."""
        return together(self.ratios, self.family) if self.ratios else None


def usable_of(group: Group, name: str, table: Table) -> dict[int, Record]:
    """Return the usable launches of a rung, by block."""
    return {block: record for block, record in table.get(group.cell(name), {}).items() if record.error is None}


def products(links: Sequence[tuple[Launches, Launches]]) -> dict[int, float]:
    """Return the product of the links' ratios in each block that has every link.

    The ratio of a link is the speed of its second launch over that of its first.
    """
    factors = [_ratios(before, now) for before, now in links]
    complete = [block for block in factors[0] if all(block in each for each in factors)]
    return {block: math.prod(each[block] for each in factors) for block in complete}


def quotients(product: Mapping[int, float], whole: Pair, of_product: Launches, of_whole: Launches) -> tuple[float, ...]:
    """Return product over whole in each block that has both, if both are of one session.

    `of_product` and `of_whole` are the launches of the first rung. They show the session, because all launches of a
    product are of one session, and so are the two launches of a whole.
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
