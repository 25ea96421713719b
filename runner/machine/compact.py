"""Picks cores that are close together: on the fewest memory nodes, nodes with memory first, then the fewest sockets.

It knows cores and their places, and not what the cores are used for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from runner.machine.topology import Core


def compact_cores(available: Sequence[Core], wanted: int, with_memory: Collection[int]) -> tuple[Core, ...]:
    """Return ``wanted`` cores (at least 1), sorted by number.

    They are on as few memory nodes as possible. Among equals, nodes with memory come first, then fewer sockets, then
    lower numbers. ``with_memory`` are the nodes whose memory may be used. Efficiency cores are taken only if there are
    too few performance cores.
    """
    fast = [core for core in available if core.is_fast]
    by_node = _grouped(fast if len(fast) >= wanted else available, lambda core: core.node)
    nodes = sorted(_best_nodes(by_node, wanted, with_memory), key=lambda node: (node not in with_memory, node))
    chosen = _fill(by_node, nodes, wanted, _compact_in_node)
    return tuple(sorted(chosen, key=lambda core: core.number))


def _compact_in_node(available: Sequence[Core], wanted: int) -> tuple[Core, ...]:
    """Take cores of one node. On a host that hides its nodes, the one node can span several sockets."""
    by_socket = _grouped(available, lambda core: core.socket)
    return _fill(by_socket, _fewest(by_socket, sorted(by_socket), wanted), wanted, _fast_first)


def _fast_first(available: Sequence[Core], wanted: int) -> tuple[Core, ...]:
    return tuple(sorted(available, key=lambda core: (not core.is_fast, core.number))[:wanted])


def _grouped(cores: Iterable[Core], key: Callable[[Core], int]) -> dict[int, list[Core]]:
    groups: dict[int, list[Core]] = {}
    for core in cores:
        groups.setdefault(key(core), []).append(core)
    return groups


def _fill(
    groups: Mapping[int, Sequence[Core]],
    order: Iterable[int],
    wanted: int,
    take: Callable[[Sequence[Core], int], tuple[Core, ...]],
) -> tuple[Core, ...]:
    chosen: tuple[Core, ...] = ()
    for number in order:
        chosen += take(groups[number], min(wanted - len(chosen), len(groups[number])))
    return chosen


def _best_nodes(by_node: Mapping[int, Sequence[Core]], wanted: int, with_memory: Collection[int]) -> tuple[int, ...]:
    """Return the fewest nodes that have ``wanted`` cores: nodes with memory first, few sockets, low numbers first.

    Each socket is tried as the first to fill; then sockets follow by how many of their nodes can be taken, most first.
    """
    groups = _near_memory(by_node, wanted, with_memory)
    sockets = {node: {core.socket for core in cores} for node, cores in groups.items()}
    nodes_of = Counter(socket for found in sockets.values() for socket in found)
    orders = [
        sorted(groups, key=lambda node: (home not in sockets[node], *_fullest_first(sockets[node], nodes_of), node))
        for home in sorted(nodes_of)
    ]
    choices = (tuple(sorted(_fewest(groups, order, wanted))) for order in orders)
    return min(choices, key=lambda nodes: (len(frozenset().union(*(sockets[node] for node in nodes))), nodes))


def _fullest_first(sockets: Collection[int], nodes_of: Mapping[int, int]) -> tuple[int, int]:
    """Order sockets by how many nodes can be taken on them, most first, then by number."""
    return min((-nodes_of[socket], socket) for socket in sockets)


def _near_memory(
    by_node: Mapping[int, Sequence[Core]], wanted: int, with_memory: Collection[int]
) -> Mapping[int, Sequence[Core]]:
    """Leave out the nodes without memory if no more nodes are needed without them."""
    near = {node: cores for node, cores in by_node.items() if node in with_memory}
    sizes, near_sizes = ([len(cores) for cores in groups.values()] for groups in (by_node, near))
    fits = sum(near_sizes) >= wanted and _needed(near_sizes, wanted) == _needed(sizes, wanted)
    return near if fits else by_node


def _fewest(groups: Mapping[int, Sequence[Core]], order: Sequence[int], wanted: int) -> tuple[int, ...]:
    """Return the fewest groups that have ``wanted`` cores; among equals, the earliest in the given order."""
    count = _needed([len(groups[number]) for number in order], wanted)
    chosen: tuple[int, ...] = ()
    for position, number in enumerate(order):
        missing = wanted - sum(len(groups[taken]) for taken in chosen) - len(groups[number])
        later = [len(groups[other]) for other in order[position + 1 :]]
        places = count - len(chosen) - 1
        if places >= 0 and sum(sorted(later, reverse=True)[:places]) >= missing:
            chosen += (number,)
    return chosen


def _needed(sizes: Sequence[int], wanted: int) -> int:
    """Return how many of the largest groups are needed for ``wanted`` cores."""
    largest = sorted(sizes, reverse=True)
    return next(count for count in range(1, len(largest) + 1) if sum(largest[:count]) >= wanted)
