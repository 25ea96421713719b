"""How far apart are fingerprints of honest builds, and of builds made wrong? Makes results/fingerprints.md.

    python -m tests.studies.fingerprints FOLDER launch 3600   # begins launches for an hour; goes on where it stopped
    python -m tests.studies.fingerprints FOLDER table         # prints the document from what is there

Every launch is the workload's own quiet one, in a stack's environment (made on first use), with the layout, settings
and batch size of a probe. Intel's builds run in both layouts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from runner.catalogue.stacks import IMAGES, find_stack, load_stacks
from runner.checks.fingerprints import (
    JUMP,
    LEAST_SENSITIVITY,
    NORM_SENSITIVITIES,
    SENSITIVITIES,
    FingerprintCheck,
    compare_fingerprints,
)
from runner.engines.environments import EnvironmentCache, default_cache
from runner.support.network import PackageIndex
from runner.vocabulary import TOPOLOGIES
from tests.images.workload import faulty_build
from tests.images.workload.expected_layers import expected_of

BATCH_SIZE = 2
THREADS = len(os.sched_getaffinity(0))
SEED = 1234
# Below this sensitivity an output's norm may differ by what float32 itself cannot resolve.
FLOOR_ENDS = 1e-5
# The builds made wrong are of this one, and are held against the other as a run would hold them.
FAULTY, RIGHT = ("tf-2.14", "intel", "NHWC"), ("tf-2.14", "stock", "NHWC")
BUILD = Path(faulty_build.__file__)


@dataclass(frozen=True)
class Case:
    """One launch: a build in a layout, on a topology; `fault` is empty for an honest one."""

    stack: str
    variant: str
    layout: str
    topology: str
    fault: str = ""

    @property
    def name(self) -> str:
        """The folder of its result."""
        return "-".join(filter(None, (self.stack, self.variant, self.layout, self.topology, self.fault)))

    @property
    def build(self) -> str:
        """Build and layout, as the tables name them."""
        return f"{self.variant} {self.layout}"


def honest_cases() -> list[Case]:
    """Every variant of every stack on every topology; what is built with MKL in both layouts."""
    return [
        Case(stack.name, variant.name, layout, topology)
        for topology in TOPOLOGIES
        for stack in load_stacks().values()
        for variant in stack.variants.values()
        for layout in (("NHWC", "NCHW") if variant.name == "intel" else ("NHWC",))
    ]


def faulty_cases() -> list[Case]:
    """Every fault on every topology that has the part."""
    return [Case(*FAULTY, topology, fault) for topology in TOPOLOGIES for fault in layers_of_faults(topology)]


def layers_of_faults(topology: str) -> dict[str, str]:
    """The faults that are tried on a topology, each with the layer that it changes."""
    return faulty_build.faults_of(expected_of(topology).parts)


def launch(case: Case, folder: Path) -> None:
    """Run a case unless its result is there."""
    place = folder / case.name
    if (place / "result.json").exists():
        return
    place.mkdir(parents=True, exist_ok=True)
    job = {
        "schema_version": 1, "launch_id": case.name, "kind": "quiet", "topology": case.topology,
        "batch_size": BATCH_SIZE, "layout": case.layout, "warmup_steps": 1, "timed_steps": 1,
        "time_limit_seconds": None, "intra_op_threads": THREADS, "inter_op_threads": 1, "seed": SEED,
        "graph_optimisation": True,
    }  # fmt: skip
    (place / "job.json").write_text(json.dumps(job), encoding="utf-8")
    stack = find_stack(case.stack)
    variant = stack.variants[case.variant]
    artifact = EnvironmentCache(default_cache(), PackageIndex()).prepare(
        stack, stack.installations[variant.installation], print
    )
    python = f"{artifact.location}/bin/python"
    head = [python, "-m", "workload"]
    if case.fault:
        head = [python, str(BUILD), str(IMAGES), case.fault, layers_of_faults(case.topology)[case.fault]]
    settings = {declared.name: declared.value for declared in variant.environment}
    environment = {"OMP_NUM_THREADS": str(THREADS), "KMP_BLOCKTIME": "1", "KMP_AFFINITY": "granularity=fine,compact"}
    with (place / "log.txt").open("w", encoding="utf-8") as log:
        subprocess.run(
            [*head, "--job", str(place / "job.json"), "--result-dir", str(place)],
            cwd=IMAGES, stdout=log, stderr=subprocess.STDOUT, check=False,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", **environment, **settings},
        )  # fmt: skip


def result(case: Case, folder: Path) -> dict[str, Any]:
    """What a case left; empty where it was not run."""
    path = folder / case.name / "result.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def losses_off(right: Case, wrong: Case, folder: Path) -> str:
    """The relative differences of the first two losses."""
    steps = [result(case, folder)["steps"] for case in (right, wrong)]
    return ", ".join(f"{abs(one['loss'] - other['loss']) / one['loss']:.1e}" for one, other in zip(*steps, strict=True))


def check(one: Case, other: Case, folder: Path) -> FingerprintCheck | None:
    """Hold two cases against each other as a run does."""
    return compare_fingerprints(*(result(case, folder).get("fingerprint", []) for case in (one, other)))


def honest_table(folder: Path) -> list[str]:
    """One line for each topology and pair of honest builds, the worst first within its topology."""
    lines = [
        "| topology | stack | builds | worst difference / tolerance | in the | difference | judged, within 10%, not |",
        "|---|---|---|---|---|---|---|",
    ]
    cases = honest_cases()
    for topology in TOPOLOGIES:
        rows = []
        for one, other in combinations([case for case in cases if case.topology == topology], 2):
            found = check(one, other, folder)
            if found is not None and found.worst is not None and one.stack == other.stack:
                worst = found.worst
                where = worst.title if worst.difference else "none: equal to nine digits"
                rows.append((worst.excess, f"| {topology} | {one.stack} | {other.build}, {one.build} | "
                             f"{worst.excess:.2f} | {where} | {worst.difference:.1e} | "
                             f"{found.judged}, {found.close}, {found.not_judged} |"))  # fmt: skip
        lines += [line for _, line in sorted(rows, reverse=True)]
    return lines


def stacks_table(folder: Path) -> list[str]:
    """For each topology the worst pair of builds of two stacks, which no run divides by one another."""
    lines = ["| topology | pairs | worst difference / tolerance | builds | in the |", "|---|---|---|---|---|"]
    cases = honest_cases()
    for topology in TOPOLOGIES:
        rows = []
        for one, other in combinations([case for case in cases if case.topology == topology], 2):
            found = check(one, other, folder)
            if found is not None and found.worst is not None and one.stack != other.stack:
                rows.append((found.worst.excess, f"{one.stack} {one.build}, {other.stack} {other.build}", found.worst))
        if rows:
            excess, builds, worst = max(rows, key=lambda row: row[0])
            lines.append(f"| {topology} | {len(rows)} | {excess:.2f} | {builds} | {worst.title} |")
    return lines


def faults_table(folder: Path) -> list[str]:
    """One line for each topology and fault: what found it, and by how much."""
    lines = [
        "| topology | fault | found | tensors that differ | first in the | largest difference / tolerance | in the | "
        "first and second loss off by |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case in faulty_cases():
        right = Case(*RIGHT, case.topology)
        found = check(right, case, folder)
        if found is None or found.worst is None:
            continue
        first = found.failed[0].title if found.failed else "—"
        lines.append(
            f"| {case.topology} | {case.fault.replace('_', ' ')} | {'no' if found.passed else 'yes'} | "
            f"{len(found.failed)} of {found.judged} | {first} | {found.worst.excess:.3g} | {found.worst.title} | "
            f"{losses_off(right, case, folder)} |"
        )
    return lines


def norms_in_words(folder: Path) -> str:
    """One sentence: the most that the norms of outputs differ between honest builds of one stack, above the floor."""
    shares = []
    for one, other in combinations(honest_cases(), 2):
        if (one.stack, one.topology) == (other.stack, other.topology):
            right = {(kind, name): numbers for kind, name, *numbers in result(one, folder).get("fingerprint", [])}
            for kind, name, norm, _, sensitivity in result(other, folder).get("fingerprint", []):
                own, _, least = right.get((kind, name), (norm, 0.0, sensitivity))
                if kind == "output" and min(sensitivity, least) > FLOOR_ENDS:
                    shares.append(abs(norm - own) / max(norm, own) / min(sensitivity, least))
    return (
        f"Of {len(shares):,} outputs of honest builds of one stack whose sensitivity is above {FLOOR_ENDS:g} the norm "
        f"differs by at most {max(shares, default=0.0):.2g} sensitivities."
    )


def document(folder: Path) -> str:
    """The whole document."""
    text = (Path(__file__).with_suffix(".md")).read_text(encoding="utf-8")
    return text.format(
        sensitivities=f"{SENSITIVITIES:g}", least=f"{SENSITIVITIES * LEAST_SENSITIVITY:.1e}",
        norms=f"{NORM_SENSITIVITIES:g}", norm_table=norms_in_words(folder),
        jump=f"{JUMP:.1%}", jump_squared=f"{JUMP**2:.1e}",
        honest="\n".join(honest_table(folder)), stacks="\n".join(stacks_table(folder)),
        faults="\n".join(faults_table(folder)),
    )  # fmt: skip


def main(folder: Path, what: str, seconds: str = "inf", *names: str) -> None:
    """Launch all cases, or those whose names begin with one of `names`; or print the document."""
    if what == "table":
        print(document(folder), end="")
        return
    deadline = time.monotonic() + float(seconds)
    for case in [*honest_cases(), *faulty_cases()]:
        if time.monotonic() < deadline and case.name.startswith(names or ("",)):
            launch(case, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
