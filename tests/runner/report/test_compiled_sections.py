"""The sentences on compiler flags: what each build logs, and the rung that separates flags from kernels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runner.evidence.probed import Evidence, Subject
from runner.report.compiled_sections import NO_LINE, compiled_table, compiler_paragraphs
from runner.report.measured import measured
from runner.stats.results import Results
from runner.storage import runs
from tests.runner.evidence.captured import evidence


@pytest.fixture
def run(finished_run: Callable[..., Path], in_folder: Path) -> Results:
    """A run of two stacks, whose logs have no such line."""
    stacks = ("--stack", "tf-1.12,tf-2.14")
    finished_run("compare", *stacks, "--topologies", "alexnet", "--blocks", "2", "--no-peak", "--out", "run")
    return measured(runs.load(Path("run")))


def probe(name: str, says: list[str] | None = None) -> Evidence:
    """A real probe; or one whose build says something else."""
    found = evidence(name)
    return found if says is None else replace(found, compiled={"not_compiled_for": says})


def test_the_real_builds_of_both_ends_say_the_same_of_stock_and_intel(run: Results) -> None:
    """Instruction sets explain nothing there; the ladder separates the rest on 2.14, and nothing can on 1.12."""
    names = [f"{stack}-{variant}" for stack in ("tf-1.12", "tf-2.14") for variant in ("stock", "intel")]
    _, oldest, newest = compiler_paragraphs(run, [probe(name) for name in names])
    assert oldest.startswith(
        "tf-1.12: both wheels say that they were not compiled to use AVX2, AVX512F and FMA. So no part of a speedup"
    )
    assert oldest.endswith("Intel's wheel of TensorFlow 1.12 has no switch for its kernels: TF_DISABLE_MKL came later.")
    assert "not compiled to use AVX2, AVX512F, AVX512_VNNI and FMA" in newest
    for words in (
        "`python -m runner ablate --stack tf-2.14`",
        "`intel-kernels-off`",
        "TF_DISABLE_MKL=1",
        "`intel-kernels`",
    ):
        assert words in newest


def test_builds_that_differ_may_owe_a_part_of_the_bar_to_it(run: Results) -> None:
    found = compiler_paragraphs(run, [probe("tf-1.12-stock"), probe("tf-1.12-intel", ["AVX512F"])])
    assert "the stock wheel says that it was not compiled to use AVX2, AVX512F and FMA, and Intel's wheel" in found[1]
    assert "not compiled to use AVX512F. So a part of a speedup between them can come from compiler flags" in found[1]


def test_a_build_that_says_nothing_leaves_it_unknown(run: Results) -> None:
    """A log without the line does not prove that nothing is missing."""
    silent = replace(probe("tf-1.12-intel"), compiled={"not_compiled_for": None})
    obtained = [probe("tf-1.12-stock"), silent]
    assert "Intel's wheel does not say what it was not compiled to use" in compiler_paragraphs(run, obtained)[1]
    assert compiled_table(obtained).rows == (
        ("tf-1.12", "stock", "AVX2, AVX512F, FMA"), ("tf-1.12", "intel", NO_LINE),
    )  # fmt: skip


def test_evidence_of_before_is_shown_as_it_is(run: Results) -> None:
    """Earlier versions did not read this line from the logs: the report has no row and no sentence on it."""
    old = [replace(probe(name), compiled=None) for name in ("tf-1.12-stock", "tf-1.12-intel")]
    assert compiler_paragraphs(run, old) == ()
    assert compiled_table(old).rows == ()


def test_it_stands_in_the_report_for_every_build(run: Results) -> None:
    """The fake engine's builds say nothing, and that is what is shown of each."""
    text = Path("run/report.md").read_text()
    assert "Compiler flags, as each build logs them" in text
    for variant in ("tf-1.12 | stock", "tf-1.12 | intel", "tf-2.14 | stock", "tf-2.14 | intel"):
        assert f"| {variant} | {NO_LINE} |" in text


def test_a_probe_of_the_plain_installation_is_no_build_of_its_own() -> None:
    """It is stock's wheel, which has its row."""
    plain = replace(probe("tf-2.14-stock"), subject=Subject("tf-2.14", "plain-install", "googlenet"))
    assert compiled_table([plain]).rows == ()
