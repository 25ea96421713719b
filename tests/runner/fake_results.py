"""What a launch leaves, as the workload and its libraries write it: results, logs, traces, fingerprints."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from runner.catalogue.stacks import find_stack
from runner.catalogue.workload_files import workload_sha256
from runner.engines.protocol import LaunchFolders
from runner.host.pin import Pin
from runner.machine import Sysroot
from runner.machine.identity import boot_sha256, read_identity
from runner.session.observation import REPORTED_PREFIXES
from runner.vocabulary import Launch

NOT_TRAINED: Mapping[str, Any] = {"steps": [], "parameters": None, "training_flops_per_step": None}
GEMM_RESULT: Mapping[str, Any] = {**NOT_TRAINED, "kind": "gemm"}
# What the workload says of a topology that it has built.
DESCRIPTION: Mapping[str, Any] = {
    "topology": "my_net",
    "image_size": 64,
    "layout": "NHWC",
    "batch_size": 4,
    "layers": [{"name": name, "kind": "conv", "shape": [8, 8, 3], "parameters": 1} for name in ("a", "b", "c")],
    "parameters": 1_234_567,
    "forward_flops_per_image": 1_000_000_000,
    "training_flops_per_image": 3_000_000_000,
    "disjoint_branches": 3,
    "branch_layers": ["a", "b", "c"],
}

# The variants that compute on OpenMP threads.
ON_OPENMP = ("intel", "itex", "zentf")


def _product(size: int, repeats: int) -> dict[str, Any]:
    """A matrix product whose GFLOP/s are its size / 10: the largest is the fastest."""
    return {"size": size, "seconds": [20.0 * size * size / 1e9] * repeats, "gflops_per_second": size / 10}


def make_result(launch: Launch, pin: Pin, step_seconds: float) -> dict[str, Any]:
    """A workload's result with every field that results/README.md documents."""
    steps = _steps(launch, step_seconds)
    return {
        "schema_version": 2,
        "launch_id": launch.launch_id,
        "kind": "train",
        "status": "ok",
        "error": None,
        "stopped_by": "steps",
        "steps": steps,
        "bursts": _bursts(launch, steps),
        "seconds": {"import": 3.0, "graph_build": 2.0, "initialise": 1.0, "first_step": step_seconds * 8},
        "peak_memory_bytes": 2_000_000_000,
        "versions": {"workload": "1", "python": "3.11.7", "tensorflow": "2.14.0", "numpy": "1.26.4"},
        "mkl_enabled": launch.cell.variant.removesuffix("-again") != "stock",
        "parameters": 25_000_000,
        "training_flops_per_step": 100_000_000_000,
        "observed": {
            "allowed_cpus": pin.cpu_list,
            "allowed_mems": "0",
            "cgroup": {
                "version": 2,
                "cpu_quota_cpus": None,
                "memory_limit_bytes": None,
                "memory_peak_bytes": 2_100_000_000,
                "memory_high_bytes": None,
                "memory_high_events": None,
            },
            "intra_op_threads": launch.intra_op_threads,
            "inter_op_threads": launch.inter_op_threads,
            "omp_max_threads": _openmp_threads(launch) if launch.cell.variant in ON_OPENMP else None,
            "environment": {
                key: value for key, value in launch.environment.items() if key.startswith(REPORTED_PREFIXES)
            },
            "graph_optimisation": launch.graph_optimisation,
            "uid": 1000,
            "cpu_model": read_identity(Sysroot()).cpu_model,
            "boot_sha256": boot_sha256(str(read_identity(Sysroot()).boot_id), launch.launch_id),
        },
        "evidence": {
            "mapped_libraries": [
                {"name": "libtensorflow_framework.so.2", "path": "/nowhere/libtensorflow_framework.so.2"}
            ],
            "threads": _threads(launch, pin),
            "wheel": _wheel(launch),
            "memory_pages": {
                "anon_huge_bytes": 80_000_000,
                "node_bytes": {"0": 2_000_000_000},
                "minor_faults": 500_000,
                "major_faults": 0,
            },
        },
        "workload_sha256": workload_sha256(),
        "cpu": _cpu(launch, pin, step_seconds),
        "gemm": [],
        "trace": [],
        "traced_step_seconds": None,
        "fingerprint": [],
        "description": None,
        "topology_sha256": None,
        "graph_sha256": None,
        "graph_imported": None,
    }


def _steps(launch: Launch, step_seconds: float) -> list[dict[str, Any]]:
    """Every step in its turn, which has 1000 seconds for itself. The first step is eight times slower."""
    if launch.turns is None:
        alone = ["warmup"] * launch.steps.warmup + ["timed"] * launch.steps.timed
        turns: list[tuple[int | None, str]] = [(None, phase) for phase in alone]
    else:
        mine = [(number, turn) for number, turn in enumerate(launch.turns.order) if turn.member == launch.turns.member]
        turns = [(number, turn.phase) for number, turn in mine for _ in range(turn.steps)]
    return [
        {
            "index": index,
            "phase": phase,
            "seconds": step_seconds * (8 if index == 0 else 1),
            "loss": 8.0 - 0.125 * index,
            "began": 1000.0 * (number or 0) + index * 8 * step_seconds,
            "turn": number,
        }
        for index, (number, phase) in enumerate(turns)
    ]


def _bursts(launch: Launch, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The bursts that the steps make up: nobody overlaps, and who waits is idle."""
    by_turn: dict[int, list[dict[str, Any]]] = {}
    for step in steps if launch.turns else ():
        by_turn.setdefault(step["turn"], []).append(step)
    return [
        {
            "turn": number,
            "phase": inside[0]["phase"],
            "began": inside[0]["began"],
            "ended": inside[-1]["began"] + inside[-1]["seconds"],
            "idle_cpu_seconds": None if index == 0 else 0.001,
            "settled_seconds": 0.0,
        }
        for index, (number, inside) in enumerate(by_turn.items())
    ]


def make_fingerprint(variant: str, is_quiet: bool) -> list[list[Any]]:
    """A first step's; variants differ by rounding. Only a quiet launch looks at outputs and sensitivities."""
    rounding = 1.0 if variant == "stock" else 1.0 + 1e-6
    sensitivity = 1e-5 if is_quiet else None
    outputs = [["output", "conv1", 300.0, -20.0 * rounding, sensitivity]] if is_quiet else []
    return [
        *outputs,
        ["gradient", "conv1/weights", 0.5 * rounding, 0.25, sensitivity],
        ["update", "conv1/weights", 3.5e-4 * rounding, 1.7e-4, sensitivity],
    ]


def make_trace(variant: str, step_seconds: float) -> list[dict[str, Any]]:
    """A traced step whose kernels take the whole step."""
    milliseconds = 1000 * step_seconds
    return [
        {"operation": "Conv2D" if variant == "stock" else "_MklNativeConv2D", "count": 53,
         "milliseconds": 0.75 * milliseconds},
        {"operation": "Relu", "count": 49, "milliseconds": 0.25 * milliseconds},
    ]  # fmt: skip


def _openmp_threads(launch: Launch) -> int:
    """What OpenMP answers: the variable's number, else what Intel's build tells it."""
    return int(launch.environment.get("OMP_NUM_THREADS", launch.intra_op_threads))


def topology_sha256(job: Mapping[str, Any], folders: LaunchFolders) -> str | None:
    """The hash of the user's file in the job folder; None for a topology of the kit."""
    if "topology_file" not in job:
        return None
    return hashlib.sha256((folders.job / job["topology_file"]).read_bytes()).hexdigest()


def make_log(variant: str, pin: Pin) -> str:
    """What the libraries print in a probe of this variant, in the form of the captured logs."""
    runtime = "OpenMP" if variant == "intel" else "threadpool"
    lines = ["onednn_verbose,info,oneDNN v3.2.1 (commit N/A)",
             f"onednn_verbose,info,cpu,runtime:{runtime},nthr:{pin.threads}",
             "onednn_verbose,info,cpu,isa:Intel AVX-512 with Intel DL Boost",
             "onednn_verbose,exec,cpu,gemm_api,,undef,src_f32::blocked:ab:f0,,,64x64:64x64,0.5"]  # fmt: skip
    if variant == "intel":
        lines += [f"OMP: Info #249: KMP_AFFINITY: pid 1 tid {thread + 2} thread {thread} bound to OS proc set {core[0]}"
                  for thread, core in enumerate(pin.cores)]  # fmt: skip
    if variant != "stock":
        lines += ["onednn_verbose,exec,cpu,convolution,jit:avx512_core,forward_training,,,alg:convolution_direct,mb2,3",
                  "onednn_verbose,exec,cpu,reorder,jit:uni,undef,,,,8,1"]  # fmt: skip
    return "\n".join(lines) + "\n"


def _threads(launch: Launch, pin: Pin) -> list[dict[str, Any]]:
    """The main thread, free on the pin, and under Intel's build one bound thread for each core."""
    masks = [pin.cpu_list]
    if launch.cell.variant in ON_OPENMP:
        masks += [str(core[0]) for core in pin.cores]
    return [{"id": number, "name": "python", "allowed_cpus": mask, "cpu_seconds": 9.5}
            for number, mask in enumerate(masks, start=1)]  # fmt: skip


def _cpu(launch: Launch, pin: Pin, step_seconds: float) -> dict[str, Any]:
    """Every core at work in all timed steps: Intel's bound threads, or the one thread that stands for stock's pool."""
    wall = launch.steps.timed * step_seconds
    whole = wall * len(pin.cores)
    is_intel = launch.cell.variant in ON_OPENMP
    used = [0.0, *[wall] * len(pin.cores)] if is_intel else [whole]
    threads = [
        {"id": number, "cpu_seconds": seconds, "waited_seconds": 0.0, "last_cpu": pin.cpus[max(0, number - 2)]}
        for number, seconds in enumerate(used, start=1)
    ]
    return {"user_seconds": 0.75 * whole, "system_seconds": 0.25 * whole, "threads": threads}


def _wheel(launch: Launch) -> dict[str, str]:
    """The distribution that the stack names for the launch's installation."""
    name, _, version = find_stack(launch.cell.stack).installations[launch.installation].wheel.partition("==")
    return {"distribution": name.replace("-", "_"), "version": version, "record_sha256": "ab" * 32}
