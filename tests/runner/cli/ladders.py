"""A ladder of four rungs and a branch, with speeds that multiply, and what was made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runner.report.measured import measured
from runner.stats.ladder import LadderResult
from runner.storage import runs
from runner.vocabulary import Launch

HEAD = 'schema_version = 1\nname = "mine"\ntitle = "My causes"\nsource = "s"\nbkms = "article"\n'
FIRST = 'variant = "stock"\nlayout = "NHWC"\npin = "pinned"'
# Step seconds; exact binary fractions keep ratios exact.
SECONDS = {"slow": 1.0, "wheel": 0.5, "blocktime": 0.25, "top": 0.125, "side": 2.0}


def rung(name: str, change: str, *, of: str = "") -> str:
    """One rung of a ladder file, or a branch."""
    texts = f'id = "{name}"\ntitle = "the {name}"\nsentence = "a sentence of {name}"\nsource = "s"\n{change}\n'
    return f'[[branches]]\nof = "{of}"\n{texts}' if of else f"[[rungs]]\n{texts}"


LADDER = (
    HEAD
    + rung("slow", FIRST)
    + rung("wheel", 'variant = "intel"')
    + rung("blocktime", 'bkms = ["KMP_BLOCKTIME"]\nacts_through = ["openmp"]')
    + rung("top", "inter_op_threads = 1")
    + rung("side", "intra_op_threads = 1\ncould_be_baseline = true", of="slow")
)


def with_openmp(launch: Launch, result: dict[str, Any]) -> None:
    """Intel's wheel has an OpenMP runtime in it."""
    if launch.installation == "intel":
        result["observed"]["omp_max_threads"] = 2


def result_of(folder: str = "run") -> LadderResult:
    """The only ladder of a run."""
    (only,) = measured(runs.load(Path(folder))).ladders
    return only


def factors(result: LadderResult) -> dict[str, float | None]:
    """Each step's factor."""
    return {step.rung.id: step.ratio.value if step.ratio else None for step in (*result.steps, *result.branches)}
