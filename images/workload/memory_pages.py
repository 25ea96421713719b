"""Reads how a process's memory is laid out: transparent huge pages, pages by memory node, page faults.

Launches that live together share a host's free huge pages and the memory near their CPUs. Who started first may have
got more of either.
"""

import os
import re
import resource
from typing import Any, Dict, Optional

_NODE = re.compile(r" N(\d+)=(\d+)")
_PAGE = re.compile(r"kernelpagesize_kB=(\d+)")
_HUGE = re.compile(r"^AnonHugePages:\s+(\d+) kB", re.MULTILINE)


def read_memory_pages(root: str = "/") -> Dict[str, Any]:
    """Return the layout of this process's memory at this moment. What the kernel does not report is None.

    "anon_huge_bytes" are in transparent huge pages; "node_bytes" has the bytes in memory by node; "minor_faults" and
    "major_faults" count the page faults since the process began (a major one waited for a disk).
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "anon_huge_bytes": _anon_huge_bytes(_read(root, "smaps_rollup")),
        "node_bytes": _node_bytes(_read(root, "numa_maps")),
        "minor_faults": usage.ru_minflt,
        "major_faults": usage.ru_majflt,
    }


def _read(root: str, name: str) -> Optional[str]:
    try:
        with open(os.path.join(root, "proc", "self", name), encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def _anon_huge_bytes(text: Optional[str]) -> Optional[int]:
    found = None if text is None else _HUGE.search(text)
    return int(found.group(1)) * 1024 if found else None


def _node_bytes(text: Optional[str]) -> Optional[Dict[str, int]]:
    """Sum the pages of every mapping by node. A kernel without NUMA has no such file."""
    if text is None:
        return None
    nodes: Dict[str, int] = {}
    for line in text.splitlines():
        size = _PAGE.search(line)
        if size:
            for node, pages in _NODE.findall(line):
                nodes[node] = nodes.get(node, 0) + int(pages) * int(size.group(1)) * 1024
    return nodes
