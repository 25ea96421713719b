"""Compares the first training step of two variants: every layer's output, and every variable's gradient and update.

A quiet launch of each variant keeps a fingerprint of its first step (images/workload/first_step.py). For each of these
tensors the fingerprint has the norm, the dot product with fixed random signs, and the sensitivity. The sensitivity is
by how much the tensor changed when every weight and every image value was changed by 2**-20 of itself. Pure functions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Two builds sum in different orders, so that the results of each operation differ by a few roundings of float32. The
# sensitivity, measured in the same launch, says how large such differences become until they reach a tensor. How far
# two correct builds are apart, in units of the sensitivity, over all stacks, topologies and layouts, is in
# results/fingerprints.md.
SENSITIVITIES = 8.0
# The least sensitivity that is used, so that no tensor has to agree to within a few roundings: 16 times float32's
# relative rounding (2**-24).
LEAST_SENSITIVITY = 2.0**-20
# Rounding changes an output in random directions, and hence its norm far less than its values: by 1 / sqrt(n) of the
# change for n values. Between correct builds the norm differed by at most 0.02 sensitivities, where the least
# sensitivity above does not apply (results/fingerprints.md). Half a sensitivity leaves room for outputs of few values.
# It also finds a wrong epsilon deep in ResNet152, which changes the norm by 1.6 sensitivities, and no dot product by
# more than rounding does.
NORM_SENSITIVITIES = 0.5
# Gradients can jump. If a ReLU's input is zero within rounding, or if the two largest inputs of a maximum are equal
# within rounding, the gradient takes one path in one build and another path in another build. This is rare, so that two
# builds may differ by a jump that the one perturbed pass did not meet. One unit of n carries about 1 / sqrt(n) of a
# gradient (n = 4,096 in the smallest layers: 1.6%). That much more is allowed in any direction, which is the allowance
# for the dot product. Along the gradient its square is allowed, which is the allowance for the norm.
JUMP = 2.0**-5
JUMPING = frozenset({"gradient", "update"})
# With a tolerance of 1 or more (NOTHING) any tensor passes, so that it is not judged. With one above CLOSE only a large
# error is found: a tensor that vanished, or whose norm is far off.
CLOSE = 0.1
NOTHING = 1.0
KINDS = {"output": "output of", "gradient": "gradient of", "update": "first update of"}

Key = tuple[str, str]


@dataclass(frozen=True)
class Compared:
    """One tensor on both sides: the relative difference of the norms or of the dot products, with its tolerance.

    Of the two differences, it is the one that is larger in units of its tolerance.
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
        """Whether the tolerance is small enough for a difference to be found."""
        return self.tolerance < NOTHING

    @property
    def title(self) -> str:
        """The kind and name of the tensor in words, such as "gradient of conv1"."""
        return f"{KINDS.get(self.kind, self.kind)} {self.name}"


@dataclass(frozen=True)
class FingerprintCheck:
    """The comparison of two fingerprints.

    `worst` is the judged tensor with the largest difference in units of its tolerance; None if no tensor was judged.
    `judged` and `not_judged` count tensors, and `close` of the judged ones have a tolerance of at most CLOSE. `failed`
    are the judged tensors that differ by more than their tolerance. `alone` names the tensors that only one side has.
    """

    worst: Compared | None
    judged: int
    close: int
    not_judged: int
    failed: tuple[Compared, ...]
    alone: tuple[str, ...]

    @property
    def passed(self) -> bool | None:
        """Whether the fingerprints agree; None if no tensor could be judged."""
        if self.failed or self.alone:
            return False
        return True if self.worst is not None else None

    @property
    def explanation(self) -> str:
        """One sentence on what differs, or on why nothing could be judged; empty if the fingerprints agree."""
        if self.alone:
            return (f"the fingerprints are of two different networks, because only one side has {_some(self.alone)}: "
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
    """Return the comparison of two fingerprints as evidence.jsonl has them; None if a side has none.

    Each entry is [kind, name, norm, dot product, sensitivity], in the order of the network. A number is null if it was
    infinite or not a number.
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
    """Compare one tensor. The smaller of the two sensitivities counts, so that no side can widen its own tolerance."""
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
    """Return the differences of norms and of dot products, over the larger norm; infinite if a number is null."""
    if any(number is None for number in (*baseline[:2], *candidate[:2])):
        return math.inf, math.inf
    (norm, dot, *_), (other_norm, other_dot, *_) = baseline, candidate
    scale = max(norm, other_norm)
    return (abs(norm - other_norm) / scale, abs(dot - other_dot) / scale) if scale else (0.0, 0.0)


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
