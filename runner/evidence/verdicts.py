"""Defines a verdict, and gives two: whether the right kernels ran, and whether the right wheel is installed.

A verdict is true, false, or None if the log does not show it. Its text is a whole sentence in each case. All functions
are pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name

from runner.catalogue.stacks import HOLDS_MATRIX_PRODUCT, HOLDS_NOTHING
from runner.evidence.cell_plan import CellPlan
from runner.evidence.onednn import Library, Verbose

KERNELS_RAN = "intel_kernels_ran"
BASELINE_FREE = "baseline_is_free_of_them"
THREADS_BOUND = "threads_bound_inside_cpuset"
RIGHT_WHEEL = "right_wheel"
INERT = "inert:"

# The only primitives of oneDNN that a build without Intel's kernels may run. One is the matrix product, which
# TensorFlow's own (Eigen) kernels call for their tiles even with oneDNN switched off. The other is a change of layout,
# which computes nothing.
OWN_KERNELS_CALL = frozenset({"gemm_api", "reorder"})
# Primitives that do not prove that a layer ran in oneDNN: those above, and the matrix product under its other name.
_NOT_KERNELS = OWN_KERNELS_CALL | {"gemm"}


@dataclass(frozen=True)
class Verdict:
    """One sentence, and whether the check passed; None if that could not be decided."""

    id: str
    passed: bool | None
    text: str

    def to_json(self) -> dict[str, Any]:
        """The verdict as evidence.jsonl keeps it."""
        return {"id": self.id, "passed": self.passed, "text": self.text}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Verdict:
        """The verdict that `to_json` wrote."""
        return cls(data["id"], data["passed"], data["text"])


def judge_kernels(cell_plan: CellPlan, verbose: Verbose, mkl_enabled: bool | None) -> Verdict:
    """The verdict on whether oneDNN's kernels ran in a cell in which they should, or are absent where they must be."""
    if cell_plan.kernels == "absent":
        return _judge_absence(cell_plan, verbose, mkl_enabled)
    if cell_plan.kernels == "either":
        return _tell_default(cell_plan, verbose, mkl_enabled)
    if cell_plan.additions:
        return _judge_plug_in(cell_plan, verbose)
    counts = _counts(verbose, _NOT_KERNELS)
    found = f"{_library(verbose)} executed {listed(counts)}" if counts else "no primitive of oneDNN was executed"
    return Verdict(KERNELS_RAN, bool(counts), f"Intel kernels {'ran' if counts else 'did NOT run'}: {found}.")


def onednn_by_default(cell_plan: CellPlan, verbose: Verbose, mkl_enabled: bool | None) -> bool | None:
    """Whether oneDNN is on in a stock build that decides about it by itself.

    `mkl_enabled` is TensorFlow's own answer. None if the build does not decide, or if that answer contradicts the
    primitives that ran. None also for a wheel that is not known (a ladder's rung), because it may be Intel's.
    """
    if cell_plan.kernels != "either" or cell_plan.wheel is None:
        return None
    ran = bool(primitives_of_layers(verbose))
    if mkl_enabled is None:
        return ran if verbose.library is not None else None
    return mkl_enabled if mkl_enabled == ran else None


def primitives_of_layers(verbose: Verbose) -> Counter[str]:
    """How often each kind of primitive ran, of those that only a build with Intel's kernels calls."""
    return _counts(verbose, OWN_KERNELS_CALL)


def no_layer(what: str, counts: Mapping[str, int], why: str = "") -> str:
    """The sentence on a build that ran no layer in Intel's kernels, with the other primitives of oneDNN that it ran."""
    product = counts.get("gemm_api", 0)
    rest = {kind: count for kind, count in counts.items() if kind != "gemm_api"}
    ran = f"oneDNN's matrix product ran {product} times, called by TensorFlow's own kernels" if product else ""
    besides = "; ".join(part for part in (ran, listed(rest)) if part)
    return f"{what} runs no layer in Intel's kernels{f' ({besides})' if besides else ''}{f': {why}' if why else ''}."


def judge_wheel(cell_plan: CellPlan, wheel: Mapping[str, Any] | None) -> Verdict:
    """The verdict on whether the installed distribution is the one that the stack names."""
    if not wheel or not cell_plan.wheel:
        unknown = "what is installed" if not wheel else "what should be installed"
        return Verdict(RIGHT_WHEEL, None, f"It is not known {unknown}.")
    name, _, version = cell_plan.wheel.partition("==")
    installed = f"{canonicalize_name(wheel['distribution'])} {wheel['version']}"
    if (canonicalize_name(wheel["distribution"]), wheel["version"]) == (canonicalize_name(name), version):
        return Verdict(RIGHT_WHEEL, True, f"The right wheel is installed: {installed}.")
    return Verdict(RIGHT_WHEEL, False, f"The wrong wheel is installed: {installed} instead of {cell_plan.wheel}.")


def _judge_plug_in(cell_plan: CellPlan, verbose: Verbose) -> Verdict:
    """The verdict on a plug-in: its oneDNN computes on OpenMP, and TensorFlow's own on TensorFlow's threads.

    The lines of primitives do not say in which of two libraries they ran.
    """
    counts = _counts(verbose, _NOT_KERNELS)
    own = [library for library in verbose.libraries if library.runtime == "OpenMP"]
    others = [library for library in verbose.libraries if library not in own]
    plug_in, executed = cell_plan.additions[0], listed(counts) if counts else "no layer"
    beside = " and ".join(f"TensorFlow's own {_named(each)} on {each.runtime}" for each in others)
    if own and counts and not others:
        text = f"The kernels of {plug_in} ran: {_named(own[0])} on OpenMP executed {executed}."
        return Verdict(KERNELS_RAN, True, text)
    if own and counts:
        text = f"{_named(own[0])} on OpenMP, of {plug_in}, and {beside} executed {executed}: not known which did what."
        return Verdict(KERNELS_RAN, None, text)
    if own:
        text = f"The kernels of {plug_in} did NOT run: {_named(own[0])} on OpenMP executed no layer."
        return Verdict(KERNELS_RAN, False, text)
    text = f"The kernels of {plug_in} did NOT run: no oneDNN on OpenMP is in the process."
    return Verdict(KERNELS_RAN, False, f"{text} {beside} executed {executed}." if beside else text)


def _judge_absence(cell_plan: CellPlan, verbose: Verbose, mkl_enabled: bool | None) -> Verdict:
    what = "The baseline" if cell_plan.is_baseline else "This variant"
    wrong = primitives_of_layers(verbose)
    if wrong:
        text = f"{what} is NOT free of Intel kernels: {_library(verbose)} executed {listed(wrong, len(wrong))}."
        return Verdict(BASELINE_FREE, False, text)
    if verbose.library is not None:
        return Verdict(BASELINE_FREE, True, no_layer(what, _counts(verbose, frozenset())))
    if cell_plan.is_intels_build and cell_plan.is_on("TF_DISABLE_MKL"):
        why = ("with TF_DISABLE_MKL=1 no primitive ran. The library in this wheel prints a line for each, as this "
               "probe asks it to")  # fmt: skip
        return Verdict(BASELINE_FREE, True, no_layer(what, {}, why))
    if mkl_enabled is False:
        return Verdict(BASELINE_FREE, True, no_layer(what, {}, _silence(cell_plan)))
    text = "No verbose line was printed and TensorFlow does not say that oneDNN is off: nothing is proved."
    return Verdict(BASELINE_FREE, None, text)


def _silence(cell_plan: CellPlan) -> str:
    """The reason to pass a build that reports no MKL-DNN kernels and whose log has no verbose line."""
    if cell_plan.holds == HOLDS_NOTHING:
        return "nothing of MKL-DNN is in the wheel, and TensorFlow says so too"
    ran = "no primitive of MKL-DNN ran, and TensorFlow says that it was built without them"
    if cell_plan.holds == HOLDS_MATRIX_PRODUCT:
        return f"{ran}. The matrix product that TensorFlow's own (Eigen) kernels take from it leaves no line here"
    return ran


def _tell_default(cell_plan: CellPlan, verbose: Verbose, mkl_enabled: bool | None) -> Verdict:
    """The sentence on a build that decides about oneDNN by itself. Both are right: `passed` is None."""
    on = onednn_by_default(cell_plan, verbose, mkl_enabled)
    layers = primitives_of_layers(verbose)
    ran = f"{_library(verbose)} executed {listed(layers)}" if layers else "no primitive of a layer ran"
    head = "Nothing here switches oneDNN on or off, so that TensorFlow decides by the CPU"
    if on is not None:
        return Verdict(KERNELS_RAN, None, f"{head}: it is {'on' if on else 'off'} here ({ran}).")
    says = {True: "TensorFlow says that it is on", False: "TensorFlow says that it is off",
            None: "TensorFlow does not say what it did"}[mkl_enabled]  # fmt: skip
    return Verdict(KERNELS_RAN, None, f"{head}. {says}, and {ran}: what it is here is not known.")


def _counts(verbose: Verbose, without: frozenset[str]) -> Counter[str]:
    counts = Counter[str]()
    for primitive in verbose.primitives:
        if primitive.kind not in without:
            counts[primitive.kind] += primitive.count
    return counts


def _library(verbose: Verbose) -> str:
    return "oneDNN" if verbose.library is None else _named(verbose.library)


def _named(library: Library) -> str:
    return " ".join(part for part in (library.name, library.version) if part)


def listed(counts: Mapping[str, int], most: int = 4) -> str:
    """The counts by kind in words, the most frequent first. Kinds beyond the first `most` are summed up."""
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = [f"{count} {kind}" for kind, count in ordered[:most]]
    if len(ordered) > most:
        shown.append(f"{sum(count for _, count in ordered[most:])} other")
    return ", ".join(shown)
