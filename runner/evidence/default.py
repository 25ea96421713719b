"""What a plain installation of stock TensorFlow does with oneDNN on this host: asked of the build, never worked out.

The rule that TensorFlow decides by (DefaultOneDnnPolicy in its core/util/port.cc) is nowhere repeated here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from runner.evidence.cell_plan import ONEDNN_SWITCH, CellPlan
from runner.evidence.probed import Evidence, Subject
from runner.storage.launch_result import InstalledWheel, LaunchResult
from runner.storage.records import Record

# Stands for a variant in evidence.jsonl: the stock installation with nothing said about oneDNN.
PLAIN = "plain-install"


@dataclass(frozen=True)
class Default:
    """Is oneDNN on in a plain installation, and who said so: "a probe" or "n launches"."""

    is_on: bool
    said_by: str


def planned_plainly(cell_plan: CellPlan) -> CellPlan | None:
    """The same installation without its switch; None for a build that has no oneDNN or never leaves it out."""
    if not cell_plan.has_a_default:
        return None
    return replace(cell_plan, is_baseline=False, environment=without_switch(cell_plan.environment))


def without_switch(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment that leaves oneDNN to TensorFlow."""
    return {name: value for name, value in environment.items() if name != ONEDNN_SWITCH}


def observed_defaults(evidence: Mapping[Subject, Evidence], records: Iterable[Record]) -> dict[str, Default]:
    """What was observed, by stack; a stack of which nothing was is not in it.

    A probe's word comes first. Without one, launches that were timed with the switch unset (a ladder's first rung)
    tell what TensorFlow says of itself, if they all say the same.
    """
    found: dict[str, Default] = {}
    for subject, each in evidence.items():
        if each.onednn_by_default is not None:
            found.setdefault(subject.stack, Default(each.onednn_by_default, "a probe"))
    said: dict[str, list[bool]] = {}
    for record in records:
        answer = _of_launch(record)
        if answer is not None:
            said.setdefault(record.cell.stack, []).append(answer)
    for stack, answers in said.items():
        if len(set(answers)) == 1:
            found.setdefault(stack, Default(answers[0], f"{len(answers)} launches"))
    return found


def _of_launch(record: Record) -> bool | None:
    """What a launch says that left oneDNN to its stock build; None for any other."""
    result = record.training or LaunchResult()
    wheel = (result.evidence and result.evidence.wheel) or InstalledWheel()
    requirement = f"{wheel.distribution or ''}=={wheel.version or ''}"
    cell_plan = CellPlan(is_baseline=False, wheel=requirement, environment=record.settings["environment"], cores=())
    return result.mkl_enabled if cell_plan.has_a_default and cell_plan.kernels == "either" else None
