"""Gives verdicts on a timed launch from what it recorded after its last step, without verbose lines or a probe.

Evidence must cost nothing in the timed region: rule 10 of CONTRIBUTING.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runner.catalogue.stacks import HOLDS_MATRIX_PRODUCT
from runner.evidence.cell_plan import CellPlan
from runner.evidence.threads import judge_masks, worked_in
from runner.evidence.verdicts import BASELINE_FREE, KERNELS_RAN, Verdict, judge_wheel

# The folder of an installation in which TensorFlow looks for plug-ins.
PLUG_INS = "/tensorflow-plugins/"


def judge_launch(cell_plan: CellPlan, result: Mapping[str, Any] | None) -> list[Verdict]:
    """The verdicts on one timed launch; none if it recorded nothing about itself."""
    if not result or "evidence" not in result or "observed" not in result:
        return []
    evidence, observed = result["evidence"], result["observed"]
    omp_max_threads = observed.get("omp_max_threads")
    if cell_plan.additions:
        kernels: Verdict | None = _judge_plug_in(evidence["mapped_libraries"], omp_max_threads)
    else:
        kernels = _judge_kernels(cell_plan, result.get("mkl_enabled"))
    threads = judge_masks(cell_plan, omp_max_threads, evidence["threads"], worked_in(result))
    return [verdict for verdict in (kernels, threads, judge_wheel(cell_plan, evidence["wheel"])) if verdict is not None]


def _judge_kernels(cell_plan: CellPlan, mkl_enabled: bool | None) -> Verdict | None:
    """The verdict from TensorFlow's own answer: in stock 2.x whether oneDNN is on, in 1.x whether MKL is compiled in.

    The answer of Intel's 2.14 depends on TF_DISABLE_MKL. That of its 1.15 does not: a "yes" may be of a launch in which
    the kernels were switched off.
    """
    if mkl_enabled is None or cell_plan.kernels == "either":
        return None
    if cell_plan.kernels == "run":
        text = f"TensorFlow says that oneDNN is {'on' if mkl_enabled else 'OFF, where it should be on'}."
        return Verdict(KERNELS_RAN, mkl_enabled, text)
    if mkl_enabled and cell_plan.is_intels_build and cell_plan.is_on("TF_DISABLE_MKL"):
        return None
    if not mkl_enabled and cell_plan.holds == HOLDS_MATRIX_PRODUCT:
        return Verdict(BASELINE_FREE, True, "TensorFlow says that it was built without MKL-DNN's primitives.")
    text = f"TensorFlow says that oneDNN is {'ON, where it should be off' if mkl_enabled else 'off'}."
    return Verdict(BASELINE_FREE, not mkl_enabled, text)


def _judge_plug_in(mapped: Sequence[Mapping[str, str]], omp_max_threads: int | None) -> Verdict:
    """The verdict on a plug-in, about which TensorFlow says nothing: whether its library and OpenMP are in the process.

    The library may be there without having loaded the part that computes, which needs OpenMP. `omp_max_threads` is None
    if no OpenMP runtime is mapped.
    """
    found = [library["name"] for library in mapped if PLUG_INS in library["path"]]
    if not found:
        return Verdict(KERNELS_RAN, False, "The plug-in is NOT loaded: no library of it is in the process.")
    if omp_max_threads is None:
        text = f"The plug-in computes nothing: {found[0]} is mapped, and no OpenMP runtime."
        return Verdict(KERNELS_RAN, False, text)
    return Verdict(KERNELS_RAN, True, f"The plug-in is loaded: {', '.join(found)} and an OpenMP runtime are mapped.")
