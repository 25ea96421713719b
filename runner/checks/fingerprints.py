"""Did two variants compute the same first step? Every layer's output, every variable's gradient and update, compared.

A fingerprint is what a quiet launch of each variant keeps (images/workload/first_step.py): of each of these tensors the
norm, the dot product with fixed random signs, and its sensitivity: by how much it changed when every weight and every
image value was changed by 2**-20 of itself. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Builds sum in another order, so that each operation's result differs by a few roundings of float32. What becomes of
# such differences until they reach a tensor is its sensitivity, measured in the same launch. How far honest builds are
# apart in units of it, over all stacks, topologies and layouts, stands in results/fingerprints.md.
SENSITIVITIES = 8.0
# No tensor is asked to agree better than this many times float32's rounding (2**-24) of it: 16.
LEAST_SENSITIVITY = 2.0**-20
# Roundings change an output in directions that have nothing to do with it, and hence its norm far less than its values:
# by 1 / sqrt(n) of the change for n values. Between honest builds it was at most 0.02 sensitivities, where the floor
# above does not count (results/fingerprints.md). Half of one leaves room for outputs of few values, and finds a wrong
# epsilon deep in ResNet152, which changes the norm by 1.6 sensitivities and no dot product by more than rounding does.
NORM_SENSITIVITIES = 0.5
# Gradients jump: a ReLU whose input is zero within rounding, and a maximum of two values that are equal within
# rounding, lead the gradient one way in one build and another way in the next. That is rare, so that the one perturbed
# pass may meet none where two builds do. One unit of n carries about 1 / sqrt(n) of a gradient (n = 4,096 in the
# smallest layers, 1.6%); this is allowed in any direction, and hence its square along the gradient, in the norm.
JUMP = 2.0**-5
JUMPING = frozenset({"gradient", "update"})
# A tolerance of 1 or more lets anything pass. One above CLOSE still tells a tensor that vanished or has another size.
CLOSE = 0.1
NOTHING = 1.0
KINDS = {"output": "output of", "gradient": "gradient of", "update": "first update of"}

Key = tuple[str, str]


@dataclass(frozen=True)
class Compared:
    """One tensor on both sides: the relative difference of the norms or of the dot products, beside its tolerance.

    It is that of the two which is larger in units of its tolerance.
    """

    kind: str
    name: str
    difference: float
    tolerance: float

    @property
    def excess(self) -> float:
        """The difference in units of the tolerance."""
        return self.difference / self.tolerance

    @property
    def is_judged(self) -> bool:
        """Could any difference at all be found here?"""
        return self.tolerance < NOTHING

    @property
    def title(self) -> str:
        """What it is, in words."""
        return f"{KINDS.get(self.kind, self.kind)} {self.name}"


@dataclass(frozen=True)
class FingerprintCheck:
    """Two fingerprints held against each other.

    `worst` is the judged tensor with the largest difference in units of its tolerance; None where nothing was judged.
    `close` of the `judged` ones have a tolerance of at most CLOSE. `alone` are the tensors that one side has alone.
    """

    worst: Compared | None
    judged: int
    close: int
    not_judged: int
    failed: tuple[Compared, ...]
    alone: tuple[str, ...]

    @property
    def passed(self) -> bool | None:
        """Do they agree; None where nothing could be judged."""
        if self.failed or self.alone:
            return False
        return True if self.worst is not None else None

    @property
    def explanation(self) -> str:
        """One sentence."""
        if self.alone:
            return (f"the fingerprints are of two networks: {_some(self.alone)} on one side only: "
                    "the variants did not train the same thing")  # fmt: skip
        if not self.failed:
            return "" if self.worst else "no tensor of the fingerprints could be judged"
        first = self.failed[0]
        return (
            f"the first training step differs in {len(self.failed)} of {self.judged} tensors, first in the "
            f"{first.title} (by {first.difference:.1e}, tolerance {first.tolerance:.1e}): the variants did not train "
            "the same thing"
        )


def compare_fingerprints(
    baseline: Sequence[Sequence[Any]], candidate: Sequence[Sequence[Any]]
) -> FingerprintCheck | None:
    """Compare two fingerprints as they stand in evidence.jsonl; None if a side has none.

    Each entry is [kind, name, norm, dot product, sensitivity], in the order of the network. A number that is null was
    infinite or no number.
    """
    sides = (_by_key(baseline), _by_key(candidate))
    if not all(sides):
        return None
    both = [key for key in sides[0] if key in sides[1]]
    compared = [_compare(key, sides[0][key], sides[1][key]) for key in both]
    judged = [each for each in compared if each.is_judged]
    alone = [f"the {KINDS.get(kind, kind)} {name}" for kind, name in dict.fromkeys([*sides[0], *sides[1]])
             if (kind, name) not in both]  # fmt: skip
    return FingerprintCheck(
        worst=max(judged, key=lambda each: each.excess, default=None),
        judged=len(judged),
        close=sum(each.tolerance <= CLOSE for each in judged),
        not_judged=len(compared) - len(judged),
        failed=tuple(each for each in judged if each.difference > each.tolerance),
        alone=tuple(alone),
    )


def _by_key(entries: Iterable[Sequence[Any]]) -> Mapping[Key, Sequence[Any]]:
    return {(kind, name): numbers for kind, name, *numbers in entries}


def _compare(key: Key, baseline: Sequence[Any], candidate: Sequence[Any]) -> Compared:
    """The smaller sensitivity counts, so that a side which computes something else cannot widen its own tolerance."""
    known = [side[2] for side in (baseline, candidate) if side[2] is not None]
    sensitivity = min(known, default=math.inf)
    floor = SENSITIVITIES * LEAST_SENSITIVITY
    rounding = max(SENSITIVITIES * sensitivity, floor)
    norm, dot = _differences(baseline, candidate)
    if key[0] in JUMPING:
        both = [Compared(*key, norm, rounding + JUMP**2), Compared(*key, dot, rounding + JUMP)]
    else:
        both = [Compared(*key, norm, max(NORM_SENSITIVITIES * sensitivity, floor)), Compared(*key, dot, rounding)]
    return max([each for each in both if each.is_judged] or both, key=lambda each: each.excess)


def _differences(baseline: Sequence[Any], candidate: Sequence[Any]) -> tuple[float, float]:
    """Of the norms and of the dot products, relative to the larger norm; infinite if one of them is no number."""
    if any(number is None for number in (*baseline[:2], *candidate[:2])):
        return math.inf, math.inf
    (norm, dot, *_), (other_norm, other_dot, *_) = baseline, candidate
    scale = max(norm, other_norm)
    return (abs(norm - other_norm) / scale, abs(dot - other_dot) / scale) if scale else (0.0, 0.0)


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
