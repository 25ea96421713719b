"""Whether a plain installation of stock TensorFlow has oneDNN on, on this host: observed on the build, never computed.

TensorFlow decides by a rule of its own (DefaultOneDnnPolicy in its core/util/port.cc). The kit does not repeat it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from runner.evidence.cell_plan import ONEDNN_SWITCH, CellPlan
from runner.evidence.probed import Evidence, Subject
from runner.storage.launch_result import InstalledWheel, LaunchResult
from runner.storage.records import Record

# In place of a variant's name in evidence.jsonl: the stock installation without the variable that switches oneDNN.
PLAIN = "plain-install"


@dataclass(frozen=True)
class Default:
    """Whether oneDNN is on in a plain installation, and what showed it: "a probe" or "n launches"."""

    is_on: bool
    said_by: str


def plain_install_plan(cell_plan: CellPlan) -> CellPlan | None:
    """The same installation without the switch; None for a build in which TensorFlow does not decide about oneDNN."""
    if not cell_plan.has_a_default:
        return None
    return replace(cell_plan, is_baseline=False, environment=without_switch(cell_plan.environment))


def without_switch(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without the variable that switches oneDNN, so that TensorFlow decides."""
    return {name: value for name, value in environment.items() if name != ONEDNN_SWITCH}


def observed_defaults(evidence: Mapping[Subject, Evidence], records: Iterable[Record]) -> dict[str, Default]:
    """What was observed, by stack. A stack without an observation is left out.

    A probe's observation is taken first. Without a probe, timed launches in which the switch was not set (a ladder's
    first rung) are taken, if TensorFlow reported the same in all of them.
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
    """Whether oneDNN was on in a launch of a stock build that did not set the switch; None for any other launch."""
    result = record.training or LaunchResult()
    wheel = (result.evidence and result.evidence.wheel) or InstalledWheel()
    requirement = f"{wheel.distribution or ''}=={wheel.version or ''}"
    cell_plan = CellPlan(is_baseline=False, wheel=requirement, environment=record.settings["environment"], cores=())
    return result.mkl_enabled if cell_plan.has_a_default and cell_plan.kernels == "either" else None
