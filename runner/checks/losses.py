"""Checks that both sides of a pair trained the same: their first two losses must agree (rule 4 of CONTRIBUTING.md).

The first loss comes from a forward pass with equal weights on equal images. The second one has also been through the
gradients and one update. Later losses are recorded and not judged, because rounding differences grow in a chaotic
system. This is the second and cheap check, made of the timed launches themselves. Its result says what it cannot show.
That every layer computes the same is shown by fingerprints (runner/checks/fingerprints.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runner.storage.records import Record
from runner.topologies import BUILT_IN

# Relative differences, measured with this workload on TensorFlow 2.14, stock with oneDNN off against Intel.
#
# First loss (forward pass): at most 1.4e-5 at batch sizes 2 to 32, on all topologies.
FIRST_TOLERANCE = 1e-4
# Second loss (after gradients and one update), without batch normalisation: below 1e-6 (AlexNet, GoogLeNet, VGG16).
SECOND_TOLERANCE = 1e-4
# Second loss with batch normalisation, at batch size 4: 2.7e-3 (ResNet50), 1.0e-2 (InceptionV3), 1.5e-2 and, with
# another seed, 3.6e-2 (ResNet152). This is rounding, amplified by deep batch normalisation over few images: stock with
# oneDNN on agrees with Intel to 2.4e-5 where stock with oneDNN off is 1.5e-2 away.
SECOND_TOLERANCE_NORMALISED = 1e-1
# With more images the amplification goes away: 1.5e-3 (ResNet50) at batch size 8; 8.3e-4 (ResNet50) and 1.7e-3
# (InceptionV3) at 32. One update moves the loss by 0.7% to 2.4% there, so that the tolerance for few images would let
# any update pass.
SECOND_TOLERANCE_MANY_IMAGES = 1e-2
MANY_IMAGES = 16
# If the first two losses of a launch differ by at most STILL, which is the rounding of a repeated sum, no update was
# made between them. If they differ by more than MOVED, which is more than builds may differ by, an update was made. In
# between, neither is concluded.
STILL = 1e-6
MOVED = FIRST_TOLERANCE
NORMALISED = frozenset(name for name, topology in BUILT_IN.items() if topology.batch_normalised)
# The topologies whose first loss depends on what their layers compute. Without batch normalisation the kit's networks
# start with such small weights that all logits are nearly equal: the first loss of VGG16, AlexNet and GoogLeNet is
# ln 1001 plus weight decay to within 0.2%, whatever their convolutions return. For a user's own topology it is not
# known whether the first loss depends on its layers.
SHOWN_BY_LOSSES = NORMALISED
DIFFERENT = "DIFFERENT"
JUDGED_STEPS = 2


@dataclass(frozen=True)
class LossesCheck:
    """The largest relative difference of each of the first two losses between two variants, over all blocks.

    The check is passed if these differences are within the tolerances, and if the first update moved the losses of both
    sides or of neither. `moved` is the relative change of the loss by the first update in the launch where it was
    smallest; None after a single step. `layers_judged` says whether the first loss depends on what the layers compute.
    `update_judged` says whether the first update of every launch moved its loss by more than MOVED, so that a missing
    update would have been found. An update of another size is never found if its second loss stays within the
    tolerance.
    """

    differences: tuple[float, ...]
    passed: bool
    explanation: str
    moved: float | None = None
    layers_judged: bool = False
    update_judged: bool = False

    @property
    def finding(self) -> str:
        """Whether the losses agree, and what they cannot judge, in a few words."""
        if not self.passed:
            return DIFFERENT
        judged = {"layers": self.layers_judged, "update": self.update_judged}
        left = " and ".join(name for name, is_judged in judged.items() if not is_judged)
        return f"within tolerance; {left} not judged" if left else "within tolerance"

    @property
    def share_of_movement(self) -> float | None:
        """The difference of the second losses over `moved`: 0.4 if one update did 40% more than the other."""
        return self.differences[JUDGED_STEPS - 1] / self.moved if self.moved else None


def tolerances_of(topology: str, batch_size: int | None = None) -> tuple[float, float]:
    """Return the largest relative differences of the first and of the second loss that count as the same training.

    A topology that is not one of the kit's gets the tolerances of one with batch normalisation. An unknown batch size
    gets those of a small one.
    """
    if topology in BUILT_IN and topology not in NORMALISED:
        return (FIRST_TOLERANCE, SECOND_TOLERANCE)
    many = batch_size is not None and batch_size >= MANY_IMAGES
    return (FIRST_TOLERANCE, SECOND_TOLERANCE_MANY_IMAGES if many else SECOND_TOLERANCE_NORMALISED)


def check_losses(topology: str, baseline: Iterable[Record], candidate: Iterable[Record]) -> LossesCheck | None:
    """Return the comparison of the first two losses of two variants' launches; None if either has no usable launch."""
    sides = [[record for record in side if record.error is None and record.result] for side in (baseline, candidate)]
    if not all(sides):
        return None
    tolerances = tolerances_of(topology, sides[0][0].cell.batch_size)
    losses = [_first_losses(record) for side in sides for record in side]
    steps = min(JUDGED_STEPS, *map(len, losses))
    differences = tuple(_largest_difference([each[n] for each in losses]) for n in range(steps))
    failed = [n for n in range(steps) if differences[n] > tolerances[n]]
    still = _still(sides)
    moved = min(map(_largest_difference, losses)) if steps == JUDGED_STEPS else None
    return LossesCheck(
        differences,
        not failed and not still,
        _explain(differences, failed, tolerances, still),
        moved,
        layers_judged=topology in SHOWN_BY_LOSSES,
        update_judged=moved is not None and moved > MOVED,
    )


def _first_losses(record: Record) -> list[float]:
    steps = record.training.steps[:JUDGED_STEPS] if record.training else ()
    return [step.loss for step in steps if step.loss is not None]


def _still(sides: Sequence[Sequence[Record]]) -> str:
    """Return what is wrong if the first update moved the loss in some launches and not in others; else empty."""
    losses = [(record.cell.variant, _first_losses(record)) for side in sides for record in side]
    changes = [(name, _largest_difference(each)) for name, each in losses if len(each) == JUDGED_STEPS]
    still = sorted({name for name, change in changes if change <= STILL})
    moved = sorted({name for name, change in changes if change > MOVED})
    if not still or not moved:
        return ""
    return (
        f"the first update did not change the loss of {' and '.join(still)}, but changed that of {' and '.join(moved)}"
    )


def _largest_difference(losses: list[float]) -> float:
    low, high = min(losses), max(losses)
    scale = max(abs(low), abs(high))
    return 0.0 if high == low else math.inf if not math.isfinite(scale) else (high - low) / scale


def _explain(differences: tuple[float, ...], failed: list[int], tolerances: tuple[float, float], still: str) -> str:
    if not failed and not still:
        within = ", ".join(f"step {n + 1} within {d:.1e}" for n, d in enumerate(differences))
        return f"the losses are within tolerance: {within}"
    parts = [f"step {n + 1} by {differences[n]:.1e} (tolerance {tolerances[n]:.0e})" for n in failed]
    found = [f"losses differ in {', '.join(parts)}"] if failed else []
    return f"{'; '.join([*found, *([still] if still else [])])}: the variants may not have trained the same thing"
