"""Says which part of a speedup can come from compiler flags, and which rung separates it from that of the kernels.

The source is what each build logs about its own compilation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runner.evidence.cell_plan import cell_plan_of
from runner.evidence.default import PLAIN
from runner.evidence.probed import Evidence
from runner.planning.ladder_file import DEFAULT_LADDER, load_ladder
from runner.report.document import Table, table
from runner.stats.results import Results

# Two rungs of the main ladder: Intel's wheel with its kernels switched off, and the rung that switches them on.
KERNELS_OFF = "intel-kernels-off"
KERNELS_ON = "intel-kernels"
NO_LINE = "the log has no such line"

# (stack, variant) -> the instruction sets that the build was not compiled to use; None if it printed no such line.
Said = dict[tuple[str, str], tuple[str, ...] | None]


def compiled_table(obtained: Sequence[Evidence]) -> Table:
    """Return one row for each build: the instruction sets of this CPU that it says it was not compiled to use."""
    rows = [(stack, variant, NO_LINE if names is None else ", ".join(names))
            for (stack, variant), names in said_by_builds(obtained).items()]  # fmt: skip
    columns = ("stack", "variant", "instruction sets of this CPU that the build was not compiled to use")
    return table(columns, rows, caption="Compiler flags, as each build logs them when it starts")


def compiler_paragraphs(measured: Results, obtained: Sequence[Evidence]) -> tuple[str, ...]:
    """Return, for each stack with both wheels, whether their flags differ and what separates flags from kernels."""
    said = said_by_builds(obtained)
    if not said:
        return ()
    return (
        "Each build logs which instruction sets of this CPU it was not compiled to use. This concerns all operations "
        "but the kernels of oneDNN, which choose their instruction sets when they run, whatever a build was compiled "
        "for. The log names instruction sets. It does not name the compiler or its other flags.",
        *(text for stack in measured.stacks for text in _of_stack(measured, stack, said)),
    )


def said_by_builds(obtained: Sequence[Evidence]) -> Said:
    """Return what each build says. Builds of earlier runs, whose logs were not read for this, are absent."""
    found: Said = {}
    for evidence in obtained:
        if evidence.compiled is not None and evidence.subject.variant != PLAIN:
            names: list[str] | None = evidence.compiled["not_compiled_for"]
            found.setdefault(
                (evidence.subject.stack, evidence.subject.variant), None if names is None else tuple(names)
            )
    return found


def _of_stack(measured: Results, stack: str, said: Said) -> tuple[str, ...]:
    sides = [(name, _is_intels(measured, stack, name)) for name in measured.variants(stack) if (stack, name) in said]
    stock = next((name for name, is_intels in sides if not is_intels), None)
    intel = next((name for name, is_intels in sides if is_intels), None)
    if stock is None or intel is None:
        return ()
    return (f"{stack}: {_compared(said[stack, stock], said[stack, intel])} {_separated(stack)}",)


def _compared(stock: tuple[str, ...] | None, intel: tuple[str, ...] | None) -> str:
    if stock is None or intel is None:
        silent = "neither wheel" if stock == intel else "the stock wheel" if stock is None else "Intel's wheel"
        verb = "says" if stock == intel else "does not say"
        return (f"{silent} {verb} what it was not compiled to use, so that it is not known here whether the two were "
                "compiled for different instruction sets.")  # fmt: skip
    if sorted(stock) == sorted(intel):
        return (f"both wheels say that they were not compiled to use {_words(stock)}. So no part of a speedup between "
                "them comes from the instruction sets that they were compiled for. It can come from other compiler "
                "flags, from OpenMP and from the kernels.")  # fmt: skip
    return (f"the stock wheel says that it was not compiled to use {_words(stock)}, and Intel's wheel says that it was "
            f"not compiled to use {_words(intel)}. So a part of a speedup between them can come from compiler flags, "
            "and "
            "not from kernels.")  # fmt: skip


def _separated(stack: str) -> str:
    """Return which rung of the ladder separates the kernels from the rest of the wheel, or why no rung can."""
    rung = next(each for each in load_ladder(DEFAULT_LADDER).rungs if each.id == KERNELS_OFF)
    if rung.stacks and stack not in rung.stacks:
        return f"Compiler flags and kernels cannot be separated on {stack}: {rung.stacks_reason}."
    return (
        f"`python -m runner ablate --stack {stack}` separates compiler flags from kernels: the rung `{KERNELS_OFF}` is "
        f"Intel's wheel with {_setting(rung.change)}. The factor of the rung after it, `{KERNELS_ON}`, is hence that "
        f"of the kernels with their graph passes. The factor of `{KERNELS_OFF}` itself is that of the rest of the "
        "wheel: its compiler flags, its OpenMP, and its own Eigen kernels, which do not call the matrix product of "
        "oneDNN as stock's do."
    )


def _setting(change: Any) -> str:
    return " ".join(f"{name}={value}" for name, value in change["set"].items())


def _words(names: Sequence[str]) -> str:
    return " and ".join(", ".join(names).rsplit(", ", 1))


def _is_intels(measured: Results, stack: str, variant: str) -> bool:
    return cell_plan_of(measured.header, stack, variant, {}).is_intels_build
