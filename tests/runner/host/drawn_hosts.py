"""Hosts that hypothesis draws, for tests of what must hold on any."""

from __future__ import annotations

from hypothesis import assume
from hypothesis import strategies as st

from tests.runner.sysroots import (
    Host,
)


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    """Draw hosts of up to 4 sockets with at least one usable CPU."""
    sockets, cores = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    smt = draw(st.sampled_from([1, 2, 4]))
    cpus = st.frozensets(st.integers(0, sockets * cores * smt - 1))
    nodes = draw(st.lists(st.integers(0, 9), unique=True, max_size=sockets * cores).map(sorted))
    host = Host(
        sockets=sockets,
        cores=cores,
        smt=smt,
        numbering=draw(st.sampled_from(["halves", "pairs"])),
        core_ids=draw(st.sampled_from(["repeated", "split"])),
        siblings_file=draw(st.sampled_from(["thread_siblings_list", "core_cpus_list", "thread_siblings"])),
        nodes=tuple(nodes),
        nodes_file=draw(st.sampled_from(["cpulist", "cpumap"])),
        memoryless=frozenset(draw(st.sets(st.sampled_from(nodes)))) if nodes else frozenset(),
        mems_allowed=draw(st.none() | st.frozensets(st.sampled_from(nodes), min_size=1)) if nodes else None,
        offline=draw(st.just(frozenset[int]()) | cpus),
        allowed=draw(st.none() | cpus),
    )
    assume(host.usable)
    return host
