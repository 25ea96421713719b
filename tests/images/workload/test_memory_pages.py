"""How a process's memory is laid out, read from this process and from captured files."""

from __future__ import annotations

from pathlib import Path

import numpy
from workload.memory_pages import read_memory_pages

SMAPS = """00400000-7ffd000 ---p 00000000 00:00 0 [rollup]
Rss:             2000000 kB
AnonHugePages:     81920 kB
ShmemPmdMapped:        0 kB
"""
NUMA = """00400000 default file=/usr/bin/python3.11 mapped=10 mapmax=2 N0=10 kernelpagesize_kB=4
7f0000000000 default anon=5 dirty=5 N0=2 N1=3 kernelpagesize_kB=4
7f1000000000 default
7f2000000000 default huge anon=1 dirty=1 N1=1 kernelpagesize_kB=2048
"""


def test_captured_files_are_summed_by_node(tmp_path: Path) -> None:
    folder = tmp_path / "proc" / "self"
    folder.mkdir(parents=True)
    (folder / "smaps_rollup").write_text(SMAPS)
    (folder / "numa_maps").write_text(NUMA)
    found = read_memory_pages(str(tmp_path))
    assert found["anon_huge_bytes"] == 81920 * 1024
    assert found["node_bytes"] == {"0": 12 * 4096, "1": 3 * 4096 + 2048 * 1024}


def test_a_kernel_that_reports_nothing_is_no_error(tmp_path: Path) -> None:
    found = read_memory_pages(str(tmp_path))
    assert (found["anon_huge_bytes"], found["node_bytes"]) == (None, None)


def test_this_process_faults_as_it_touches_memory() -> None:
    before = read_memory_pages()["minor_faults"]
    touched = numpy.ones(40_000_000, dtype=numpy.uint8)
    assert read_memory_pages()["minor_faults"] > before + 10
    assert touched.sum() == 40_000_000
