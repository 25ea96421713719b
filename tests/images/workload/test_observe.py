"""What the process finds around itself, and evidence of what it did, on captured trees of /proc."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from workload.cpu_time import measure_cpu_time
from workload.evidence import read_mapped_libraries, read_omp_max_threads
from workload.observe import choose_environment, observe, read_peak_memory_bytes
from workload.threads import read_threads
from workload.wheel import read_wheel, workload_sha256

from runner.machine.identity import boot_sha256
from tests.images.workload.proc_tree import write_tree

STATUS = (
    "Name:\tpython\nVmHWM:\t  204800 kB\nCpus_allowed:\tff\nCpus_allowed_list:\t0-3,8-11\n"
    "Mems_allowed:\t00000000,00000001\nMems_allowed_list:\t0\n"
)
CPUINFO = "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Platinum 8124M CPU @ 3.00GHz\nprocessor\t: 1\n"
MAPS = """\
55d0c0000000-55d0c0001000 r--p 00000000 08:01 12 /usr/bin/python3.11
7f0000000000-7f0000001000 r-xp 00000000 08:01 13 /opt/venv/lib/libiomp5.so
7f0000001000-7f0000002000 r--p 00001000 08:01 13 /opt/venv/lib/libiomp5.so
7f0000002000-7f0000003000 r-xp 00000000 08:01 14 /opt/my env/libtensorflow_framework.so.2
7f0000003000-7f0000004000 rw-p 00000000 00:00 0
7f0000004000-7f0000005000 r-xp 00000000 08:01 15 /usr/lib/libc.so.6
7f0000005000-7f0000006000 r-xp 00000000 08:01 16 /opt/venv/lib/libmklml_intel.so
7f0000006000-7f0000007000 r-xp 00000000 08:01 17 /usr/lib/libtcmalloc_minimal.so.4
7f0000007000-7f0000008000 r-xp 00000000 08:01 18 /opt/venv/numpy.libs/libopenblas64_p-r0-0cf96a72.3.23.so
7ffc00000000-7ffc00001000 rw-p 00000000 00:00 0 [stack]
"""


def test_observation_of_a_captured_process(tmp_path: Path) -> None:
    """Allowed CPUs and nodes, CPU model and user are read; thread counts are left for later."""
    root = write_tree(tmp_path, {"proc/self/status": STATUS, "proc/cpuinfo": CPUINFO})
    observed = observe(root, {"OMP_NUM_THREADS": "4", "HOME": "/root"})
    assert observed["allowed_cpus"] == "0-3,8-11"
    assert observed["allowed_mems"] == "0"
    assert observed["cpu_model"] == "Intel(R) Xeon(R) Platinum 8124M CPU @ 3.00GHz"
    assert observed["environment"] == {"OMP_NUM_THREADS": "4"}
    assert observed["uid"] == os.getuid()
    assert observed["omp_max_threads"] is None


def test_the_boot_id_is_told_as_a_hash_with_the_launches_own_id(tmp_path: Path) -> None:
    """Who knows the boot id can compare it; two results cannot be told to be of one host. A sandbox may have none."""
    boot_id = "82b50f69-8d21-4790-9f02-0711856a5629"
    root = write_tree(tmp_path, {"proc/sys/kernel/random/boot_id": boot_id + "\n"})
    told = [observe(root, {}, launch_id)["boot_sha256"] for launch_id in ("launch-1", "launch-2")]
    assert told == [boot_sha256(boot_id, "launch-1"), boot_sha256(boot_id, "launch-2")]
    assert told[0] != told[1]
    assert observe(str(tmp_path / "nowhere"), {})["boot_sha256"] is None


def test_environment_keeps_what_changes_performance_and_nothing_else() -> None:
    """Variables of OpenMP, the math libraries, TensorFlow and the loader are kept; secrets and the rest are not."""
    kept = {
        "GOMP_CPU_AFFINITY": "0", "KMP_BLOCKTIME": "1", "LD_LIBRARY_PATH": "/opt", "LD_PRELOAD": "libtcmalloc.so",
        "MALLOC_ARENA_MAX": "2", "MKLDNN_VERBOSE": "1", "MKL_NUM_THREADS": "2", "OMP_NUM_THREADS": "2",
        "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_VERBOSE": "1", "OPENBLAS_NUM_THREADS": "1", "TF_ENABLE_ONEDNN_OPTS": "0",
    }  # fmt: skip
    assert choose_environment({**kept, "PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "NOT_OMP_X": "1"}) == kept


def test_peak_memory_is_in_bytes(tmp_path: Path) -> None:
    """VmHWM, which the kernel gives in KiB, becomes bytes."""
    assert read_peak_memory_bytes(write_tree(tmp_path, {"proc/self/status": STATUS})) == 204800 * 1024


def test_telling_libraries_are_listed_once(tmp_path: Path) -> None:
    libraries = read_mapped_libraries(write_tree(tmp_path, {"proc/self/maps": MAPS}))
    assert sorted(library["name"] for library in libraries) == [
        "libiomp5.so",
        "libmklml_intel.so",
        "libopenblas64_p-r0-0cf96a72.3.23.so",
        "libtcmalloc_minimal.so.4",
        "libtensorflow_framework.so.2",
    ]
    assert {"name": "libtensorflow_framework.so.2", "path": "/opt/my env/libtensorflow_framework.so.2"} in libraries


def _stat(user_ticks: int, system_ticks: int, cpu: int) -> str:
    """A line of /proc/self/task/12/stat with 52 fields, of which user time is the 14th and the CPU the 39th."""
    return f"12 (tf) pool) S {'1 ' * 10}{user_ticks} {system_ticks} {'2 ' * 23}{cpu} {'3 ' * 13}\n"


def test_what_the_timed_steps_used_is_told_by_thread(tmp_path: Path) -> None:
    """What a thread used before them is not theirs; the process's seconds are this process's own."""
    ticks = os.sysconf("SC_CLK_TCK")
    root = write_tree(tmp_path, {"proc/self/task/12/stat": _stat(5 * ticks, 0, 0)})
    found: dict[str, Any] = {}
    with measure_cpu_time(found, root):
        sum(range(3_000_000))
        after = {
            "proc/self/task/12/stat": _stat(6 * ticks, ticks, 3),
            "proc/self/task/13/stat": _stat(ticks, 0, 2),
            "proc/self/task/13/schedstat": "1250000000 500000000 77\n",
        }
        write_tree(tmp_path, after)
    assert found["cpu"]["threads"] == [
        {"id": 12, "cpu_seconds": 2.0, "waited_seconds": None, "last_cpu": 3},
        {"id": 13, "cpu_seconds": 1.25, "waited_seconds": 0.5, "last_cpu": 2},
    ]
    assert found["cpu"]["user_seconds"] > 0


def test_what_is_used_between_two_bodies_is_not_counted(tmp_path: Path) -> None:
    """Between its bursts a launch waits, or takes steps that are not timed."""
    ticks = os.sysconf("SC_CLK_TCK")
    path, found = "proc/self/task/12/stat", {}  # type: ignore[var-annotated]
    root = write_tree(tmp_path, {path: _stat(5 * ticks, 0, 0)})
    with measure_cpu_time(found, root):
        write_tree(tmp_path, {path: _stat(6 * ticks, 0, 0)})
    between = {path: _stat(9 * ticks, 0, 0), "proc/self/task/13/stat": _stat(7 * ticks, 0, 1)}
    write_tree(tmp_path, between)
    with measure_cpu_time(found, root):
        later = {path: _stat(11 * ticks, 0, 2), "proc/self/task/13/stat": _stat(8 * ticks, 0, 1)}
        write_tree(tmp_path, later)
    assert found["cpu"]["threads"] == [
        {"id": 12, "cpu_seconds": 3.0, "waited_seconds": None, "last_cpu": 2},
        {"id": 13, "cpu_seconds": 1.0, "waited_seconds": None, "last_cpu": 1},
    ]


def test_cpu_time_is_told_of_steps_that_end_in_an_error(tmp_path: Path) -> None:
    """A launch that fails half-way has used CPUs all the same."""
    found: dict[str, Any] = {}
    root = write_tree(tmp_path, {"proc/self/task/12/stat": _stat(0, 0, 0)})
    with pytest.raises(ValueError, match="the loss"), measure_cpu_time(found, root):
        raise ValueError("the loss is not finite")
    assert [thread["id"] for thread in found["cpu"]["threads"]] == [12]


def test_threads_with_odd_names_are_read(tmp_path: Path) -> None:
    """CPU time is user plus system time, also of a thread whose name holds a parenthesis."""
    ticks = os.sysconf("SC_CLK_TCK")
    stat = _stat(3 * ticks, ticks, 1)
    files = {
        "proc/self/task/12/stat": stat,
        "proc/self/task/12/status": "Name:\ttf) pool\nCpus_allowed_list:\t0\n",
        "proc/self/task/9/status": "Name:\tgone\n",
    }
    assert read_threads(write_tree(tmp_path, files)) == [
        {"id": 12, "name": "tf) pool", "allowed_cpus": "0", "cpu_seconds": 4.0}
    ]


def test_openmp_is_not_asked_where_none_is_mapped() -> None:
    assert read_omp_max_threads([{"name": "libtensorflow_framework.so.2", "path": "/nowhere"}]) is None


def test_wheel_is_the_one_that_claims_the_package(tmp_path: Path) -> None:
    """Distribution, version and RECORD hash come from the .dist-info whose RECORD lists the package."""
    record = "tensorflow/__init__.py,sha256=abc,1\n"
    write_tree(
        tmp_path,
        {
            "tensorflow/__init__.py": "",
            "tensorflow_cpu-2.14.0.dist-info/METADATA": "Name: tensorflow-cpu\nVersion: 2.14.0\n\nName: no header\n",
            "tensorflow_cpu-2.14.0.dist-info/RECORD": record,
            "tensorflow_estimator-2.14.0.dist-info/METADATA": "Name: tensorflow-estimator\nVersion: 2.14.0\n",
            "tensorflow_estimator-2.14.0.dist-info/RECORD": "tensorflow_estimator/__init__.py,,\n",
        },
    )
    assert read_wheel(str(tmp_path / "tensorflow")) == {
        "distribution": "tensorflow-cpu",
        "version": "2.14.0",
        "record_sha256": hashlib.sha256(record.encode()).hexdigest(),
    }


def test_intels_own_wheel_wins_over_its_second_folder(tmp_path: Path) -> None:
    """Of two .dist-info folders that claim the package, Intel's own is reported."""
    for name in ("tensorflow", "intel_tensorflow"):
        folder = f"{name}-1.12.0.dist-info"
        write_tree(
            tmp_path,
            {
                f"{folder}/METADATA": f"Name: {name}\nVersion: 1.12.0\n",
                f"{folder}/RECORD": "tensorflow/__init__.py,,\n",
            },
        )
    wheel = read_wheel(str(tmp_path / "tensorflow"))
    assert wheel is not None
    assert wheel["distribution"] == "intel_tensorflow"


def test_package_without_a_wheel_is_none(tmp_path: Path) -> None:
    assert read_wheel(str(tmp_path / "tensorflow")) is None


def test_workload_hash_follows_names_and_contents(tmp_path: Path) -> None:
    """The hash changes with a file's content and with its name, and not with files that are no Python."""
    write_tree(tmp_path, {"a.py": "x = 1\n", "sub/b.py": ""})
    before = workload_sha256(str(tmp_path))
    write_tree(tmp_path, {"notes.txt": "text", "__pycache__/a.pyc": "bytes"})
    assert workload_sha256(str(tmp_path)) == before
    (tmp_path / "a.py").rename(tmp_path / "c.py")
    renamed = workload_sha256(str(tmp_path))
    (tmp_path / "c.py").write_text("x = 2\n", encoding="utf-8")
    assert len({before, renamed, workload_sha256(str(tmp_path))}) == 3
