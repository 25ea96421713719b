"""Rule 4: "identical training" is checked. The first two steps' losses of a pair must agree.

The first loss is a forward pass from equal weights on equal images; the second has been through the gradients and one
update. Later steps are recorded but not judged: rounding differences grow in a chaotic system.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from runner.records import Record
from runner.vocabulary import TOPOLOGIES

# Relative differences, measured with this workload on TensorFlow 2.14, stock with oneDNN off against Intel.
#
# First loss (forward pass): at most 1.4e-5 at batch sizes 2 to 32, on all topologies.
FIRST_TOLERANCE = 1e-4
# Second loss (after gradients and one update), without batch normalisation: below 1e-6 (AlexNet, GoogLeNet, VGG16).
SECOND_TOLERANCE = 1e-4
# With it: 2.7e-3 (ResNet50), 1.0e-2 (InceptionV3), 3.6e-2 (ResNet152) at batch size 4, and less with larger batches.
# That is rounding, amplified by deep batch normalisation over few images: stock with oneDNN on agrees with Intel to
# 2.4e-5 where stock without it is 1.5e-2 away. Another network or another update differs by more.
SECOND_TOLERANCE_NORMALISED = 1e-1
NORMALISED = frozenset({"inception3", "resnet50", "resnet152"})
JUDGED_STEPS = 2


@dataclass(frozen=True)
class LossesCheck:
    """The largest relative difference of each of the first two losses between two variants, over all blocks."""

    differences: tuple[float, ...]
    passed: bool
    explanation: str


def tolerances_of(topology: str) -> tuple[float, float]:
    """The largest relative differences of the first and of the second loss that count as the same training.

    A topology that is not known here is given the room of one with batch normalisation.
    """
    plain = topology in TOPOLOGIES and topology not in NORMALISED
    return (FIRST_TOLERANCE, SECOND_TOLERANCE if plain else SECOND_TOLERANCE_NORMALISED)


def check_losses(topology: str, baseline: Iterable[Record], candidate: Iterable[Record]) -> LossesCheck | None:
    """Compare the first two losses of two variants' launches; None if either has no usable launch."""
    base, other = _first_losses(baseline), _first_losses(candidate)
    if not base or not other:
        return None
    tolerances = tolerances_of(topology)
    steps = min(JUDGED_STEPS, *(len(losses) for losses in [*base, *other]))
    differences = tuple(_largest_difference([losses[n] for losses in [*base, *other]]) for n in range(steps))
    failed = [n for n in range(steps) if differences[n] > tolerances[n]]
    return LossesCheck(differences, not failed, _explain(differences, failed, tolerances))


def _first_losses(records: Iterable[Record]) -> list[list[float]]:
    usable = [record for record in records if record.error is None and record.result is not None]
    return [[step["loss"] for step in record.result["steps"][:JUDGED_STEPS]] for record in usable if record.result]


def _largest_difference(losses: list[float]) -> float:
    low, high = min(losses), max(losses)
    scale = max(abs(low), abs(high))
    return 0.0 if high == low else math.inf if not math.isfinite(scale) else (high - low) / scale


def _explain(differences: tuple[float, ...], failed: list[int], tolerances: tuple[float, float]) -> str:
    if not failed:
        return "the same training: " + ", ".join(f"step {n + 1} within {d:.1e}" for n, d in enumerate(differences))
    parts = [f"step {n + 1} by {differences[n]:.1e} (tolerance {tolerances[n]:.0e})" for n in failed]
    return f"losses differ in {', '.join(parts)}: the variants may not have trained the same thing"
