"""Makes the /proc and /sys of an imaginary host from a short description, as files or in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.machine import Sysroot, format_cpu_list

SKYLAKE_FLAGS = "fpu lm ssse3 sse4_1 sse4_2 avx f16c avx2 fma avx512f avx512cd avx512bw avx512dq avx512vl"
ALDER_LAKE_FLAGS = "fpu lm ssse3 sse4_1 sse4_2 avx f16c avx2 fma avx_vnni"
ZEN_FLAGS = "fpu lm ssse3 sse4_1 sse4_2 avx f16c avx2 fma"

CPUS = "sys/devices/system/cpu"
NODES = "sys/devices/system/node"
GIB = 1 << 30


@dataclass(frozen=True)
class Host:
    """A host in short. `cores` counts those of one socket; the cores are spread evenly over `nodes`.

    `numbering` is ``halves`` (siblings n, n+half) or ``pairs`` (2n, 2n+1); `core_ids` is ``repeated`` (the
    same on every socket) or ``split`` (differing between siblings, too). `extra` adds files, or with None
    removes them.
    """

    sockets: int = 1
    cores: int = 4
    smt: int = 1
    numbering: str = "halves"
    nodes: tuple[int, ...] = (0,)
    memoryless: frozenset[int] = frozenset()
    offline: frozenset[int] = frozenset()
    allowed: frozenset[int] | None = None
    mems_allowed: frozenset[int] | None = None
    core_ids: str = "repeated"
    siblings_file: str | None = "thread_siblings_list"
    nodes_file: str = "cpulist"
    model: str = "Imaginary CPU"
    vendor: str = "GenuineIntel"
    flags: str = SKYLAKE_FLAGS
    governor: str | None = "performance"
    extra: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def cpus(self) -> range:
        """Every logical CPU, online or not."""
        return range(self.sockets * self.cores * self.smt)

    @property
    def online(self) -> frozenset[int]:
        """The CPUs that run."""
        return frozenset(self.cpus) - self.offline

    @property
    def usable(self) -> frozenset[int]:
        """The CPUs that run and are allowed."""
        return self.online if self.allowed is None else self.online & self.allowed

    def core_of(self, cpu: int) -> int:
        """Return the number of a CPU's core, counted over the whole host; it is nobody's CPU number."""
        return cpu // self.smt if self.numbering == "pairs" else cpu % (self.sockets * self.cores)

    def socket_of(self, cpu: int) -> int:
        """Return a CPU's socket."""
        return self.core_of(cpu) // self.cores

    def node_of(self, cpu: int) -> int:
        """Return a CPU's memory node; 0 on a host without NUMA."""
        return self.nodes[self.core_of(cpu) * len(self.nodes) // (self.sockets * self.cores)] if self.nodes else 0

    def siblings_of(self, cpu: int) -> frozenset[int]:
        """Return the online CPUs of a CPU's core."""
        return frozenset(other for other in self.online if self.core_of(other) == self.core_of(cpu))


def cpu_mask(cpus: frozenset[int]) -> str:
    """Write a mask as the kernel does: 32-bit words, highest first."""
    bits = f"{sum(1 << cpu for cpu in cpus):x}"
    padded = bits.zfill(-(-len(bits) // 8) * 8)
    return ",".join(padded[start : start + 8] for start in range(0, len(padded), 8))


def tree(host: Host) -> dict[str, str]:
    """Return the host's files: path below the root to text."""
    files = {**dict(_general(host)), **dict(_status(host)), **dict(_nodes(host))}
    files["proc/cpuinfo"] = "\n\n".join(_cpuinfo(host, cpu) for cpu in sorted(host.online))
    for cpu in host.cpus:
        files.update(_cpu(host, cpu))
    return {name: text for name, text in {**files, **host.extra}.items() if text is not None}


def write(host: Host, folder: Path) -> Sysroot:
    """Write the host's files below a folder."""
    for name, text in tree(host).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    return Sysroot(folder)


@dataclass(frozen=True)
class TreeRoot(Sysroot):
    """The same files in memory, for tests that read hundreds of hosts."""

    path: Path = Path("/imaginary")
    files: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Return a file's text, or None."""
        return self.files.get(name.lstrip("/"))

    def entries(self, folder: str) -> tuple[str, ...]:
        """Return the sorted names in a folder."""
        inside = (name[len(folder) + 1 :] for name in self.files if name.startswith(f"{folder}/"))
        return tuple(sorted({name.partition("/")[0] for name in inside}))


def _general(host: Host) -> Iterator[tuple[str, str]]:
    yield f"{CPUS}/online", format_cpu_list(host.online)
    yield "sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never"
    yield (
        "proc/meminfo",
        "MemTotal:  150994944 kB\nMemAvailable: 134217728 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB",
    )
    yield "proc/loadavg", "0.10 0.20 0.30 1/500 4242"
    yield "proc/stat", "cpu  1000 0 500 98000 300 0 100 100 0 0\ncpu0 10 0 5 980 3 0 1 1 0 0\nbtime 1"
    yield "proc/sys/kernel/osrelease", "5.10.0-test"
    yield "proc/sys/kernel/hostname", "private-name"
    yield "etc/hostname", "private-name"
    yield "etc/os-release", 'NAME="Imaginary"\nPRETTY_NAME="Imaginary Linux 7"'


def _status(host: Host) -> Iterator[tuple[str, str]]:
    # A kernel lists CPUs that could exist, beyond those that do.
    allowed = frozenset(range(len(host.cpus) + 8)) if host.allowed is None else host.allowed
    mems = frozenset(host.nodes or (0,)) if host.mems_allowed is None else host.mems_allowed
    yield (
        "proc/self/status",
        f"Name:\tpython\nCpus_allowed:\t{cpu_mask(allowed)}\nCpus_allowed_list:\t{format_cpu_list(allowed)}\n"
        f"Mems_allowed:\t{cpu_mask(mems)}\nMems_allowed_list:\t{format_cpu_list(mems)}",
    )


def _nodes(host: Host) -> Iterator[tuple[str, str]]:
    for node in host.nodes:
        cpus = frozenset(cpu for cpu in host.online if host.node_of(cpu) == node)
        text = format_cpu_list(cpus) if host.nodes_file == "cpulist" else cpu_mask(cpus)
        yield f"{NODES}/node{node}/{host.nodes_file}", text
        kibibytes = 0 if node in host.memoryless else 32 << 20
        yield (
            f"{NODES}/node{node}/meminfo",
            f"Node {node} MemTotal:  {kibibytes} kB\nNode {node} MemFree: 1 kB",
        )


def _cpu(host: Host, cpu: int) -> Iterator[tuple[str, str]]:
    folder = f"{CPUS}/cpu{cpu}"
    if cpu or cpu in host.offline:
        yield f"{folder}/online", str(int(cpu in host.online))
    if cpu not in host.online:
        return
    yield f"{folder}/topology/physical_package_id", str(host.socket_of(cpu))
    yield f"{folder}/topology/core_id", str(_core_id(host, cpu))
    if host.siblings_file:
        siblings = host.siblings_of(cpu)
        as_list = host.siblings_file.endswith("_list")
        text = format_cpu_list(siblings) if as_list else cpu_mask(siblings)
        yield f"{folder}/topology/{host.siblings_file}", text
    if host.governor:
        yield f"{folder}/cpufreq/scaling_governor", host.governor


def _core_id(host: Host, cpu: int) -> int:
    # Ids start high, so that one misread as a CPU number names a wrong CPU.
    return 8 + (cpu if host.core_ids == "split" else host.core_of(cpu) % host.cores)


def _cpuinfo(host: Host, cpu: int) -> str:
    fields = {
        "processor": cpu,
        "vendor_id": host.vendor,
        "cpu family": 6,
        "model": 85,
        "model name": host.model,
        "stepping": 4,
        "microcode": "0x2006e05",
        "cpu MHz": "3000.000",
        "physical id": host.socket_of(cpu),
        "core id": _core_id(host, cpu),
        "flags": host.flags,
    }
    return "\n".join(f"{name}\t: {value}" for name, value in fields.items())


def ec2_c5_18xlarge() -> Host:
    """The article's host: 2 sockets of 18 cores, siblings n and n+36."""
    return Host(
        sockets=2,
        cores=18,
        smt=2,
        nodes=(0, 1),
        model="Intel(R) Xeon(R) Platinum 8124M CPU @ 3.00GHz",
        flags=f"{SKYLAKE_FLAGS} hypervisor",
        governor=None,
        extra={
            "sys/class/dmi/id/sys_vendor": "Amazon EC2",
            "sys/class/dmi/id/product_name": "c5.18xlarge",
            f"{CPUS}/smt/active": "1",
            f"{CPUS}/smt/control": "on",
            f"{CPUS}/intel_pstate/no_turbo": "0",
        },
    )


def hybrid_laptop() -> Host:
    """One socket without SMT: CPUs 0-5 are performance cores, 6-13 efficiency cores."""
    kinds: dict[str, str | None] = {"sys/devices/cpu_core/cpus": "0-5", "sys/devices/cpu_atom/cpus": "6-13"}
    return Host(cores=14, flags=ALDER_LAKE_FLAGS, governor="powersave", model="Imaginary Laptop", extra=kinds)


def amd_with_gaps() -> Host:
    """Two sockets of eight cores, siblings 2n and 2n+1, four nodes with gaps, the last without memory."""
    return Host(
        sockets=2,
        cores=8,
        smt=2,
        numbering="pairs",
        nodes=(0, 2, 4, 6),
        memoryless=frozenset({6}),
        vendor="AuthenticAMD",
        model="AMD EPYC 7001",
        flags=ZEN_FLAGS,
        extra={f"{CPUS}/cpufreq/boost": "0"},
    )


def vm_without_numa() -> Host:
    """A virtual machine that shows every CPU as a socket of its own, and no nodes."""
    return Host(sockets=8, cores=1, nodes=(), flags=f"{SKYLAKE_FLAGS} hypervisor", governor=None)


def container_with_quota() -> Host:
    """A container of cgroup version 2: a quota of 2.5 CPUs, and CPUs of three of four cores, one in part."""
    return Host(
        smt=2,
        allowed=frozenset({1, 2, 5, 6, 7}),
        extra={
            "proc/self/cgroup": "0::/",
            "sys/fs/cgroup/cgroup.controllers": "cpuset cpu memory",
            "sys/fs/cgroup/cpu.max": "250000 100000",
            "sys/fs/cgroup/cpuset.cpus.effective": "1-2,5-7",
            "sys/fs/cgroup/cpuset.mems.effective": "0",
            "sys/fs/cgroup/memory.max": str(4 * GIB),
        },
    )


def two_fast_four_slow() -> Host:
    """The least hybrid host: CPUs 0 and 1 are performance cores, 2 to 5 efficiency cores."""
    kinds: dict[str, str | None] = {"sys/devices/cpu_core/cpus": "0-1", "sys/devices/cpu_atom/cpus": "2-5"}
    return Host(cores=6, flags=ALDER_LAKE_FLAGS, model="Imaginary 2P+4E", extra=kinds)


def compact_cores_by_clock() -> Host:
    """AMD's kind of hybrid processor: no list tells the four compact cores, which reach two thirds of the clock."""
    clocks: dict[str, str | None] = {
        f"{CPUS}/cpu{cpu}/cpufreq/cpuinfo_max_freq": "5100000" if cpu in range(4) or cpu in range(8, 12) else "3300000"
        for cpu in range(16)
    }
    return Host(cores=8, smt=2, vendor="AuthenticAMD", flags=ZEN_FLAGS, model="Imaginary compact", extra=clocks)


def isolated(allowed: frozenset[int] | None = frozenset(range(4))) -> Host:
    """Eight CPUs, 4 to 7 isolated at boot; what is started inherits a mask of the other four."""
    files: dict[str, str | None] = {f"{CPUS}/isolated": "4-7", f"{CPUS}/nohz_full": "(null)"}
    return Host(cores=8, allowed=allowed, model="Imaginary isolated", extra=files)


def partition(kind: str = "root") -> Host:
    """A process in a partition of cgroup version 2: its CPUs are no longer in effect in the parent."""
    return Host(
        cores=8,
        allowed=frozenset(range(2, 8)),
        model="Imaginary partition",
        extra={
            "proc/self/cgroup": "0::/kit",
            "proc/self/mountinfo": "2 1 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup rw",
            "sys/fs/cgroup/cpuset.cpus.effective": "0-1",
            "sys/fs/cgroup/kit/cpuset.cpus": "2-7",
            "sys/fs/cgroup/kit/cpuset.cpus.effective": "2-7",
            "sys/fs/cgroup/kit/cpuset.cpus.partition": kind,
        },
    )


def lxcfs(cpus: frozenset[int] = frozenset({24}), **extra: str | None) -> Host:
    """A container on a host of 32 CPUs whose list of online CPUs is virtual: as many as there are, from 0."""
    files: dict[str, str | None] = {
        f"{CPUS}/online": format_cpu_list(range(len(cpus))),
        "proc/self/cgroup": "0::/",
        "proc/self/mountinfo": "2 1 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup rw",
        "sys/fs/cgroup/cpuset.cpus.effective": format_cpu_list(cpus),
    }
    return Host(cores=32, allowed=cpus, model="Imaginary lxcfs", extra={**files, **extra})


def throttled(high: int = 4 * GIB, limit: int | str = 8 * GIB) -> Host:
    """A control group that is slowed down above `high` bytes and ended above `limit`."""
    return Host(
        model="Imaginary throttled",
        extra={
            "proc/self/cgroup": "0::/kit",
            "proc/self/mountinfo": "2 1 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup rw",
            "sys/fs/cgroup/kit/memory.high": str(high),
            "sys/fs/cgroup/kit/memory.max": str(limit),
        },
    )
