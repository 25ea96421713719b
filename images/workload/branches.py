"""Counts the disjoint branches of a network: the largest number of its layers that can be computed at the same time.

This number is the width of the layers' partial order: the size of the largest set of layers of which none needs
another's output. Between a fork and its join it is the number of parallel paths that contain a layer. A shortcut that
computes nothing is not a branch. The module must not import TensorFlow or know any particular topology.
"""

from collections import deque
from typing import Any, Deque, Dict, Iterable, List, Sequence, Tuple

NamedLayer = Tuple[str, str]  # a layer's name, and the name of the operation that computes its output


def disjoint_branches(operations: Iterable[Any], layers: Sequence[NamedLayer], target: str) -> List[str]:
    """Return the names of a largest set of layers of which none needs another's output, in the order of building.

    `operations` has every operation after those that it needs, in the order of a graph. Layers that the operation named
    `target` does not need are left out. The set is the complement of a smallest vertex cover (Dilworth's theorem, by
    Koenig's theorem).
    """
    names: List[str] = []
    index_of: Dict[str, int] = {}
    for name, operation in layers:
        if operation not in index_of:  # a layer whose output is its input counts as the layer before it
            index_of[operation] = len(names)
            names.append(name)
    needed = _needed_layers(operations, index_of)
    kept = _members(needed[target] | (1 << index_of[target] if target in index_of else 0))
    before = dict.fromkeys(kept, 0)
    for operation, index in index_of.items():
        if index in before:
            before[index] = needed[operation]
    after = [sum(1 << late for late, index in enumerate(kept) if before[index] >> early & 1) for early in kept]
    return [names[kept[position]] for position in _largest_antichain(after)]


def _needed_layers(operations: Iterable[Any], index_of: Dict[str, int]) -> Dict[str, int]:
    """Return for each operation the layers that it needs, without itself, as a set of bits."""
    needed: Dict[str, int] = {}
    for operation in operations:
        bits = 0
        for other in [tensor.op for tensor in operation.inputs] + list(operation.control_inputs):
            bits |= needed.get(other.name, 0)  # the back edge of a loop comes from an operation that follows later
            if other.name in index_of:
                bits |= 1 << index_of[other.name]
        needed[operation.name] = bits
    return needed


def _largest_antichain(after: List[int]) -> List[int]:
    """Return the positions of a largest antichain; `after[i]` has the bits of all elements that come after i."""
    match_after, match_before = [-1] * len(after), [-1] * len(after)
    for start in range(len(after)):
        _augment(start, after, match_after, match_before)
    reached_early, reached_late = set(), 0
    waiting = deque(early for early in range(len(after)) if match_after[early] < 0)
    while waiting:
        early = waiting.popleft()
        reached_early.add(early)
        fresh = after[early] & ~reached_late
        reached_late |= fresh
        waiting.extend(match_before[late] for late in _members(fresh))
    return [position for position in sorted(reached_early) if not reached_late >> position & 1]


def _augment(start: int, after: List[int], match_after: List[int], match_before: List[int]) -> None:
    """Match one more element with one that comes after it, if an augmenting path exists."""
    reached_from: Dict[int, int] = {}
    seen = 0
    waiting: Deque[int] = deque([start])
    while waiting:
        early = waiting.popleft()
        fresh = after[early] & ~seen
        seen |= fresh
        for late in _members(fresh):
            reached_from[late] = early
            if match_before[late] < 0:
                _flip(late, reached_from, match_after, match_before)
                return
            waiting.append(match_before[late])


def _flip(late: int, reached_from: Dict[int, int], match_after: List[int], match_before: List[int]) -> None:
    while late >= 0:
        early = reached_from[late]
        following = match_after[early]
        match_before[late], match_after[early] = early, late
        late = following


def _members(bits: int) -> List[int]:
    """Return the positions of the bits that are set, in ascending order."""
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found
