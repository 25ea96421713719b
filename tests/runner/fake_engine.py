"""An engine that trains nothing: it writes results whose speeds a test has chosen, so that a whole run is exact."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from runner.catalogue.stacks import Installation, Stack, find_stack
from runner.catalogue.workload_files import workload_sha256
from runner.engines.protocol import Artifact, LaunchFolders, Notify, Outcome
from runner.errors import HostError
from runner.evidence.default import PLAIN
from runner.host.pin import Pin
from runner.machine import Sysroot
from runner.machine.identity import boot_sha256, read_identity
from runner.matching.file_list import sha256_of
from runner.matching.locked_wheels import LockedWheel, write
from runner.matching.snapshot import Snapshot
from runner.session.observation import REPORTED_PREFIXES
from runner.session.options import EngineOptions
from runner.vocabulary import EngineName, Launch, runs_containers

# Step seconds of a launch; exact binary fractions keep ratios exact.
SECONDS: Mapping[str, float] = {"stock": 1.0, "stock-onednn": 0.5, "intel": 0.25}
Hook = Callable[[Launch, dict[str, Any]], None]


def fake_distribution(wheel: str) -> tuple[str, dict[str, str], bytes]:
    """The metadata folder, the list of files and the RECORD of an installed wheel that is one library."""
    name, version = wheel.split("==")
    files = {f"{name}/library.so": hashlib.sha256(wheel.encode()).hexdigest()}
    lines = [f"{path},sha256={base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip('=')},1"
             for path, sha256 in files.items()]  # fmt: skip
    return f"{name.replace('-', '_')}-{version}.dist-info", files, "\n".join(lines).encode()


@cache
def _folder_of_locks() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


class FakeInstallation(Installation):
    """An installation whose lock names the one wheel that `fake_distribution` makes."""

    @property
    def wheels(self) -> Path:
        """The file that says what is in that wheel."""
        path = Path(_folder_of_locks().name) / f"{self.stack}-{self.name}.wheels"
        files = fake_distribution(self.wheel)[1]
        path.write_text(write([LockedWheel(self.wheel, "0" * 64, len(files), sha256_of(files))]))
        return path


@dataclass
class FakeEngine:
    """Answers as an engine does.

    `before_result` may change or refuse any timed launch, `before_build` any description, `before_probe` any probe,
    `before_trace` its quiet launch. A probe prints what a test put under its variant's name in `logs`, or what a probe
    of that variant should print. Launches that multiply matrices, build a topology, probe or trace are listed apart
    from those that `ran`.
    """

    name: EngineName = "venv"
    cannot_enforce: tuple[str, ...] = (
        "memory nodes",
        "memory limit",
        "CPU quota",
        "no network",
        "read-only file system",
    )
    prepares_in_parallel: bool = False
    seconds: Mapping[str, float] = field(default_factory=lambda: SECONDS)
    before_result: Hook = lambda launch, result: None
    before_probe: Hook = lambda launch, result: None
    before_trace: Hook = lambda launch, result: None
    logs: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    multiplied: list[str] = field(default_factory=list)
    built: list[str] = field(default_factory=list)
    before_build: Hook = lambda launch, result: None
    onednn_by_default: bool = False
    is_ready: bool = True
    needs: Mapping[Path, int] = field(default_factory=dict)
    wanted: list[tuple[str, str]] = field(default_factory=list)
    prepared: int = 0
    probed: list[str] = field(default_factory=list)
    traced: list[str] = field(default_factory=list)
    cleaned: list[str] = field(default_factory=list)
    swept: int = 0
    stray: dict[str, str] = field(default_factory=dict)

    @property
    def is_contained(self) -> bool:
        """As the engine of its name."""
        return runs_containers(self.name)

    def prerequisites(self, stacks: tuple[Stack, ...]) -> None:
        """Nothing is needed."""

    def room(self, wanted: Sequence[tuple[Stack, Installation]]) -> Mapping[Path, int]:
        """Nothing is made, unless a test says how much; what was asked for is kept."""
        self.wanted = [(stack.name, installation.name) for stack, installation in wanted]
        return self.needs

    def prepare(self, stack: Stack, installation: Installation, notify: Notify) -> Artifact:
        """Nothing is made."""
        self.prepared += 1
        return self._artifact(installation)

    def _artifact(self, installation: Installation) -> Artifact:
        installation = FakeInstallation(installation.stack, installation.name, installation.wheel)
        provenance = {"wheel": installation.wheel, "lock_sha256": installation.lock_sha256()}
        return Artifact(installation, "/nowhere", provenance)

    def find(self, stack: Stack, installation: Installation) -> Artifact | None:
        """Everything is ready, or nothing is."""
        return self._artifact(installation) if self.is_ready else None

    def run(
        self, launch: Launch, pin: Pin, artifact: Artifact, folders: LaunchFolders, deadline_seconds: float
    ) -> Outcome:
        """Write the result that the workload would have written."""
        job = json.loads((folders.job / "job.json").read_text(encoding="utf-8"))
        if job["kind"] in ("probe", "quiet"):
            return self._probe(launch, pin, folders, job)
        {"train": self.ran, "gemm": self.multiplied, "describe": self.built}[job["kind"]].append(launch.launch_id)
        folders.log.write_text("a line of the log\n", encoding="utf-8")
        if launch.launch_id in self.outcomes:
            return self.outcomes[launch.launch_id]
        result = make_result(launch, pin, self.seconds[launch.cell.variant])
        if job["kind"] == "gemm":
            result["observed"]["graph_optimisation"] = None  # the workload tells it of networks alone
            result.update(GEMM_RESULT, gemm=[_product(size, job["repeats"]) for size in job["sizes"]])
        elif job["kind"] == "describe":
            result.update(NOT_TRAINED, kind="describe", description=dict(DESCRIPTION))
            self.before_build(launch, result)
        else:
            self.before_result(launch, result)
        result["topology_sha256"] = topology_sha256(job, folders)
        (folders.result / "result.json").write_text(json.dumps(result), encoding="utf-8")
        return Outcome(0, 10.0, stopped_by_deadline=False, out_of_memory=False)

    def _probe(self, launch: Launch, pin: Pin, folders: LaunchFolders, job: Mapping[str, Any]) -> Outcome:
        """Both launches of a probe: the one with verbose switches prints, the quiet one traces."""
        is_quiet, variant = job["kind"] == "quiet", launch.cell.variant
        (self.traced if is_quiet else self.probed).append(launch.launch_id)
        if variant == PLAIN:
            variant = "stock-onednn" if self.onednn_by_default else "stock"
        log = "" if is_quiet else self.logs.get(launch.cell.variant, make_log(variant, pin))
        folders.log.write_text(log, encoding="utf-8")
        if launch.launch_id in self.outcomes:
            return self.outcomes[launch.launch_id]
        result = {**make_result(launch, pin, self.seconds[variant]), "kind": job["kind"],
                  "mkl_enabled": variant != "stock", "topology_sha256": topology_sha256(job, folders)}  # fmt: skip
        result["fingerprint"] = make_fingerprint(variant, is_quiet)
        if is_quiet:
            result.update(trace=make_trace(variant, self.seconds[variant]), traced_step_seconds=self.seconds[variant])
            self.before_trace(launch, result)
        else:
            self.before_probe(launch, result)
        (folders.result / "result.json").write_text(json.dumps(result), encoding="utf-8")
        return Outcome(0, 10.0, stopped_by_deadline=False, out_of_memory=False)

    def command(self, launch: Launch, pin: Pin, folders: LaunchFolders) -> str:
        """A stand-in for the command."""
        return f"run {launch.launch_id}"

    def snapshot(self, artifact: Artifact) -> Snapshot:
        """Two installations that differ in the wheel alone, unless a test has made `stray` files."""
        installation = artifact.installation
        site = f"/lib/python{find_stack(installation.stack).python}/site-packages"
        metadata, files, record = fake_distribution(installation.wheel)
        own = {f"{site}/{path}": f"file 644 {sha256}" for path, sha256 in files.items()}
        path = f"{site}/{metadata}/RECORD"
        owners = {listed: metadata.split("-")[0] for listed in own}
        return Snapshot({"/bin/python": "file 755 aa", **own, path: "file 644 cc", **self.stray}, {}, owners,
                        {path: record})  # fmt: skip

    def wrong_bytecode(self, artifact: Artifact) -> tuple[str, ...]:
        """There is none."""
        return ()

    def remove_leftovers(self) -> None:
        """Count how often it was called."""
        self.swept += 1

    def cleanup(self, run_id: str) -> None:
        """Remember for which run it was called."""
        self.cleaned.append(run_id)


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


def _product(size: int, repeats: int) -> dict[str, Any]:
    """A matrix product whose GFLOP/s are its size / 10: the largest is the fastest."""
    return {"size": size, "seconds": [20.0 * size * size / 1e9] * repeats, "gflops_per_second": size / 10}


def make_result(launch: Launch, pin: Pin, step_seconds: float) -> dict[str, Any]:
    """A workload's result with every field that results/README.md documents."""
    count = launch.steps.warmup + launch.steps.timed
    return {
        "schema_version": 1,
        "launch_id": launch.launch_id,
        "kind": "train",
        "status": "ok",
        "error": None,
        "stopped_by": "steps",
        "steps": [
            {
                "index": index,
                "phase": "warmup" if index < launch.steps.warmup else "timed",
                "seconds": step_seconds * (8 if index == 0 else 1),
                "loss": 8.0 - 0.125 * index,
            }
            for index in range(count)
        ],
        "seconds": {"import": 3.0, "graph_build": 2.0, "initialise": 1.0, "first_step": step_seconds * 8},
        "peak_memory_bytes": 2_000_000_000,
        "versions": {"workload": "1", "python": "3.11.7", "tensorflow": "2.14.0", "numpy": "1.26.4"},
        "mkl_enabled": launch.cell.variant != "stock",
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
            "omp_max_threads": _openmp_threads(launch) if launch.cell.variant == "intel" else None,
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
        },
        "workload_sha256": workload_sha256(),
        "cpu": _cpu(launch, pin, step_seconds),
        "gemm": [],
        "trace": [],
        "traced_step_seconds": None,
        "fingerprint": [],
        "description": None,
        "topology_sha256": None,
    }


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
    if launch.cell.variant == "intel":
        masks += [str(core[0]) for core in pin.cores]
    return [{"id": number, "name": "python", "allowed_cpus": mask, "cpu_seconds": 9.5}
            for number, mask in enumerate(masks, start=1)]  # fmt: skip


def _cpu(launch: Launch, pin: Pin, step_seconds: float) -> dict[str, Any]:
    """Every core at work in all timed steps: Intel's bound threads, or the one thread that stands for stock's pool."""
    wall = launch.steps.timed * step_seconds
    whole = wall * len(pin.cores)
    is_intel = launch.cell.variant == "intel"
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


def only(engine: FakeEngine) -> dict[str, Callable[[EngineOptions], FakeEngine]]:
    """The engines of a host without Docker, where the fake stands for venv."""

    def no_docker(_options: EngineOptions) -> FakeEngine:
        raise HostError("No Docker engine answers here.")

    return {"docker": no_docker, "venv": lambda _options: engine}
