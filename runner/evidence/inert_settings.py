"""Finds which settings of a cell had no effect, and why, from what the build and its runtimes print, never from speed.

A setting is inert if it has no effect on TensorFlow's computation. Another library in the process, such as numpy's
OpenBLAS, may still read the same variable. Each rule takes one setting and returns the reason why it was inert, or
None. All functions are pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runner.evidence.cell_plan import ONEDNN_IN_STOCK, CellPlan
from runner.evidence.onednn import Verbose
from runner.evidence.openmp import OpenMp
from runner.evidence.verdicts import INERT, Verdict, primitives_of_layers

# The variable that switches Intel's kernels off does not exist in the 1.12 wheel: no library contains the name.
DISABLE_MKL_SINCE = (1, 15)
# ISA limits below AVX-512, as in https://oneapi-src.github.io/oneDNN/dev_guide_cpu_dispatcher_control.html
_BELOW_AVX512 = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2")
_ISA_LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")

# Reasons that lie in the host and not in the build. If one of them holds, the setting was not really tried.
ONE_THREAD = "with one OpenMP thread there is none that waits for work"
CANNOT_BIND = "the OpenMP runtime cannot bind threads on this host"
# A part of the runtime's own message that one setting overrides another.
_OVERRIDDEN = "has been defined"
# Parts of reasons that lie in the software alone: of a probe, of a launch, and of that message. Any other reason, such
# as an unchanged number of threads, may not hold on a larger host.
_OF_THE_SOFTWARE = ("no OpenMP runtime is in the process", "no OpenMP runtime is mapped", _OVERRIDDEN)


@dataclass(frozen=True)
class Seen:
    """What a probe showed. `omp_max_threads` is None where no OpenMP runtime is mapped."""

    cell_plan: CellPlan
    verbose: Verbose
    openmp: OpenMp
    omp_max_threads: int | None


Rule = Callable[[str, str, Seen], str | None]


def judge_settings(seen: Seen) -> list[Verdict]:
    """One verdict for each setting that was inert. There is none for a setting of which that cannot be shown."""
    verdicts = []
    for name, value in sorted(seen.cell_plan.environment.items()):
        reason = next((found for rule in _RULES if (found := rule(name, value, seen)) is not None), None)
        if reason is not None:
            text = f"The setting {name}={value} was inert for TensorFlow because {reason}."
            verdicts.append(Verdict(f"{INERT}{name}", True, text))
    return verdicts


def is_overridden(reason: str) -> bool:
    """Whether a setting is inert because another one takes precedence. Takes a verdict's text, or the reason in it."""
    return _OVERRIDDEN in reason


def is_of_the_host(reason: str) -> bool:
    """Whether a setting is inert for a reason that lies in the host. Takes a verdict's text, or the reason in it."""
    return any(each in reason for each in (ONE_THREAD, CANNOT_BIND))


def is_of_the_software(reason: str) -> bool:
    """Whether a setting is inert for a reason that lies in the software, so that it holds on any host.

    Takes a verdict's text, or the reason in it.
    """
    return any(each in reason for each in _OF_THE_SOFTWARE)


def _no_openmp(name: str, _value: str, seen: Seen) -> str | None:
    if not name.startswith(("OMP_", "KMP_")) or seen.omp_max_threads is not None:
        return None
    library = seen.verbose.library
    runs_on = f"; {library.name} runs on {library.runtime}" if library and library.runtime else ""
    return f"no OpenMP runtime is in the process{runs_on}"


def _said_by_the_runtime(name: str, _value: str, seen: Seen) -> str | None:
    reason = seen.openmp.ignored.get(name)
    return None if reason is None else f"the OpenMP runtime says: {reason}"


def _another_value_in_effect(name: str, value: str, seen: Seen) -> str | None:
    effective = seen.openmp.effective.get(name)
    if effective is None or not (value.isdecimal() and effective.isdecimal()) or int(effective) == int(value):
        return None
    return f"{effective} is in effect in the OpenMP runtime"


def _another_thread_count(name: str, value: str, seen: Seen) -> str | None:
    if name != "OMP_NUM_THREADS" or not value.isdecimal() or seen.omp_max_threads in (None, int(value)):
        return None
    return f"the OpenMP runtime uses {seen.omp_max_threads} threads"


def _nobody_waits(name: str, _value: str, seen: Seen) -> str | None:
    if name != "KMP_BLOCKTIME" or seen.omp_max_threads != 1:
        return None
    return ONE_THREAD


def _cannot_bind(name: str, _value: str, seen: Seen) -> str | None:
    if name != "KMP_AFFINITY" or not seen.openmp.cannot_bind:
        return None
    return CANNOT_BIND


def _stocks_switch(name: str, _value: str, seen: Seen) -> str | None:
    if name != "TF_ENABLE_ONEDNN_OPTS":
        return None
    if seen.cell_plan.is_intels_build:
        return "Intel's build does not read it: its switch is TF_DISABLE_MKL"
    if seen.cell_plan.version is not None and seen.cell_plan.version < ONEDNN_IN_STOCK:
        return "stock TensorFlow has oneDNN, and this variable, since 2.5 only"
    return None


def _intels_switch(name: str, _value: str, seen: Seen) -> str | None:
    if name != "TF_DISABLE_MKL":
        return None
    if not seen.cell_plan.is_intels_build:
        return "stock TensorFlow does not read it"
    if seen.cell_plan.version is not None and seen.cell_plan.version < DISABLE_MKL_SINCE:
        return "this version of Intel's build does not know it"
    ran = primitives_of_layers(seen.verbose).total()
    if seen.cell_plan.is_on(name) and ran:
        return f"{ran} primitives of oneDNN ran all the same"
    return None


def _isa_limit(name: str, value: str, seen: Seen) -> str | None:
    if name not in _ISA_LIMITS:
        return None
    library = seen.verbose.library
    if library is None or not seen.verbose.primitives:
        return "no primitive of oneDNN ran"
    if library.name == "MKL-DNN":
        return f"MKL-DNN {library.version or '0.x'} does not know it"
    isa = (library.isa or "").lower().replace("-", "")
    if value.upper() in _BELOW_AVX512 and "avx512" in isa:
        return f"{library.name} still dispatched {library.isa}"
    return None


_RULES: tuple[Rule, ...] = (
    _no_openmp, _said_by_the_runtime, _cannot_bind, _another_value_in_effect, _another_thread_count, _nobody_waits,
    _stocks_switch, _intels_switch, _isa_limit,
)  # fmt: skip
