"""Real probes of all three stacks (GoogLeNet, batch size 2, two cores), as test data: log, environment and result.

Each log is a launch's whole output but for most of its exec lines: the first 25 of each kind of primitive are kept.
Process and thread ids and paths are replaced. Each traced its last step with the verbose switches on, as probes did.
tf-2.14-intel-escaped is AlexNet on a process that was held to CPU 1 with KMP_AFFINITY=norespect. The last three are of
another host, AMD EPYC of Zen 3 (AVX2, no AVX-512): stock that was left to decide about oneDNN, and Intel's wheels with
TF_DISABLE_MKL=1. So is tf-2.14-itex, stock with Intel's plug-in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runner.evidence.cell_plan import CellPlan
from runner.evidence.probed import Evidence, Subject, evidence_of

LOGS = Path(__file__).resolve().parent / "logs"
WHEELS = {
    "tf-1.12-stock": "tensorflow==1.12.0",
    "tf-1.12-intel": "intel-tensorflow==1.12.0",
    "tf-1.15-stock": "tensorflow==1.15.2",
    "tf-1.15-intel": "intel-tensorflow==1.15.2",
    "tf-2.14-stock": "tensorflow-cpu==2.14.0",
    "tf-2.14-stock-onednn": "tensorflow-cpu==2.14.0",
    "tf-2.14-intel": "intel-tensorflow==2.14.0",
    "tf-2.14-intel-escaped": "intel-tensorflow==2.14.0",
    "tf-2.14-plain-install": "tensorflow-cpu==2.14.0",
    "tf-2.14-intel-disabled": "intel-tensorflow==2.14.0",
    "tf-1.15-intel-disabled": "intel-tensorflow==1.15.2",
    "tf-2.14-itex": "tensorflow==2.14.0",
}
ADDITIONS = {"tf-2.14-itex": ("intel-extension-for-tensorflow==2.14.0.2",)}
HOLDS = {
    "tf-1.12-stock": "nothing",
    "tf-1.15-stock": "the matrix product alone",
}
BASELINES = ("tf-1.12-stock", "tf-1.15-stock", "tf-2.14-stock")
INTELS = ("tf-1.12-intel", "tf-1.15-intel", "tf-2.14-intel")
TWO_CORES = (frozenset({0}), frozenset({1}))


@dataclass(frozen=True)
class Captured:
    """One real probe."""

    name: str
    log: str
    environment: dict[str, str]
    result: dict[str, Any]


def captured(name: str) -> Captured:
    """Read one real probe."""
    data = json.loads((LOGS / f"{name}.json").read_text(encoding="utf-8"))
    return Captured(name, (LOGS / f"{name}.txt").read_text(encoding="utf-8"), data["environment"], data["result"])


def cell_plan(name: str, **changes: Any) -> CellPlan:
    """What was asked of a real probe, with changes."""
    defaults: dict[str, Any] = {
        "is_baseline": name in BASELINES, "wheel": WHEELS[name], "environment": captured(name).environment,
        "cores": TWO_CORES, "holds": HOLDS.get(name, "all primitives"),
        "additions": ADDITIONS.get(name, ()),
    }  # fmt: skip
    return CellPlan(**{**defaults, **changes})


def evidence(name: str, **changes: Any) -> Evidence:
    """The evidence that a real probe gives, if what was asked is changed; its trace is that of the verbose launch."""
    stack, variant = name[: len("tf-0.00")], name[len("tf-0.00-") :]
    probe = captured(name)
    subject, what = Subject(stack, variant, "googlenet"), cell_plan(name, **changes)
    found = evidence_of(subject, 2, "key", what, probe.log, probe.result)
    return replace(found, trace=tuple(probe.result["trace"]))


def verdicts(found: Evidence) -> dict[str, bool | None]:
    """Each verdict's id and whether it passed, settings without effect left out."""
    return {verdict.id: verdict.passed for verdict in found.verdicts if not verdict.id.startswith("inert:")}


def text_of(found: Evidence, verdict_id: str) -> str:
    """The sentence of one verdict."""
    return next(verdict.text for verdict in found.verdicts if verdict.id == verdict_id)
