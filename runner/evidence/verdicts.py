"""What a verdict is, and two of them: did the right kernels run, is it the right wheel? Pure functions.

A verdict is true, false, or None where the log does not tell; its text is a whole sentence either way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name

from runner.evidence.asked import Asked
from runner.evidence.onednn import Verbose

KERNELS_RAN = "intel_kernels_ran"
BASELINE_FREE = "baseline_is_free_of_them"
THREADS_BOUND = "threads_bound_inside_cpuset"
RIGHT_WHEEL = "right_wheel"
INERT = "inert:"

# What the article's baseline never runs through oneDNN. Lines of gemm_api prove nothing: stock TensorFlow's own (Eigen)
# contractions call that one routine also with oneDNN off.
TELLING_KINDS = (
    "convolution", "deconvolution", "batch_normalization", "layer_normalization", "group_normalization", "lrn",
    "pooling",
)  # fmt: skip
# What is no kernel of a layer: matrix products on their own, and changes of layout.
_NOT_KERNELS = frozenset({"gemm_api", "gemm", "reorder"})


@dataclass(frozen=True)
class Verdict:
    """One sentence and whether it holds; None if that could not be told."""

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


def judge_kernels(asked: Asked, verbose: Verbose, mkl_enabled: bool | None) -> Verdict:
    """Did oneDNN's kernels run where they should, and not where they should not?"""
    if asked.kernels == "absent":
        return _judge_absence(asked, verbose, mkl_enabled)
    counts = Counter[str]()
    for primitive in verbose.primitives:
        if primitive.kind not in _NOT_KERNELS:
            counts[primitive.kind] += primitive.count
    found = f"{_library(verbose)} executed {_listed(counts)}" if counts else "no primitive of oneDNN was executed"
    if asked.kernels == "either":
        text = f"Nothing here switches oneDNN on or off, so that TensorFlow decides by the CPU: {found}."
        return Verdict(KERNELS_RAN, None, text)
    return Verdict(KERNELS_RAN, bool(counts), f"Intel kernels {'ran' if counts else 'did NOT run'}: {found}.")


def judge_wheel(asked: Asked, wheel: Mapping[str, Any] | None) -> Verdict:
    """Is the installed distribution the one that the stack names?"""
    if not wheel or not asked.wheel:
        unknown = "what is installed" if not wheel else "what should be installed"
        return Verdict(RIGHT_WHEEL, None, f"It is not known {unknown}.")
    name, _, version = asked.wheel.partition("==")
    installed = f"{canonicalize_name(wheel['distribution'])} {wheel['version']}"
    if (canonicalize_name(wheel["distribution"]), wheel["version"]) == (canonicalize_name(name), version):
        return Verdict(RIGHT_WHEEL, True, f"The right wheel is installed: {installed}.")
    return Verdict(RIGHT_WHEEL, False, f"The wrong wheel is installed: {installed} instead of {asked.wheel}.")


def _judge_absence(asked: Asked, verbose: Verbose, mkl_enabled: bool | None) -> Verdict:
    counts = Counter({kind: verbose.count([kind]) for kind in TELLING_KINDS if verbose.count([kind])})
    what = "The baseline" if asked.is_baseline else "This variant"
    if counts:
        text = f"{what} is NOT free of Intel kernels: {_library(verbose)} executed {_listed(counts)}."
        return Verdict(BASELINE_FREE, False, text)
    if verbose.library is not None:
        rest = Counter[str]()
        for primitive in verbose.primitives:
            rest[primitive.kind] += primitive.count
        besides = f" ({_listed(rest)}: no layers, but what TensorFlow's own kernels call)" if rest else ""
        text = f"{what} is free of Intel kernels: no convolution, normalisation or pooling primitive ran{besides}."
        return Verdict(BASELINE_FREE, True, text)
    if mkl_enabled is False:
        text = f"{what} is free of Intel kernels: no primitive at all ran, and TensorFlow says that it has none."
        return Verdict(BASELINE_FREE, True, text)
    text = "No verbose line was printed and TensorFlow does not say that oneDNN is off: nothing is proved."
    return Verdict(BASELINE_FREE, None, text)


def _library(verbose: Verbose) -> str:
    if verbose.library is None:
        return "oneDNN"
    return " ".join(part for part in (verbose.library.name, verbose.library.version) if part)


def _listed(counts: Mapping[str, int], most: int = 4) -> str:
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = [f"{count} {kind}" for kind, count in ordered[:most]]
    if len(ordered) > most:
        shown.append(f"{sum(count for _, count in ordered[most:])} other")
    return ", ".join(shown)
