"""Settings without effect, each with the reason that the build or its runtimes give."""

from __future__ import annotations

import pytest

from runner.evidence.inert_settings import Seen, judge_settings
from runner.evidence.onednn import parse_verbose
from runner.evidence.openmp import parse_openmp
from tests.runner.evidence.captured import BASELINES, INTELS, captured, cell_plan


def inert(name: str, log: str | None = None, **environment: str) -> dict[str, str]:
    """The sentence of each setting without effect, if a real probe had had this environment."""
    probe = captured(name)
    text = probe.log if log is None else log
    seen = Seen(cell_plan(name, environment=environment or probe.environment), parse_verbose(text), parse_openmp(text),
                probe.result["observed"]["omp_max_threads"])  # fmt: skip
    return {verdict.id: verdict.text for verdict in judge_settings(seen)}


@pytest.mark.parametrize("name", BASELINES)
def test_openmps_settings_do_nothing_in_stock(name: str) -> None:
    """Every OMP and KMP variable is inert where no OpenMP runtime is in the process."""
    found = inert(name)
    names = ("KMP_AFFINITY", "KMP_BLOCKTIME", "KMP_SETTINGS", "OMP_NUM_THREADS", "OMP_PROC_BIND")
    assert set(found) == {f"inert:{setting}" for setting in names}
    assert found["inert:KMP_BLOCKTIME"].startswith(
        "The setting KMP_BLOCKTIME=1 was inert for TensorFlow because no OpenMP runtime is in the process"
    )


def test_the_reason_names_what_runs_instead() -> None:
    """Where oneDNN says what it runs on, that is told."""
    assert inert("tf-2.14-stock")["inert:OMP_NUM_THREADS"].endswith("; oneDNN runs on threadpool.")


@pytest.mark.parametrize("name", INTELS)
def test_only_what_the_runtime_overrides_does_nothing_in_intels_builds(name: str) -> None:
    """The reason for OMP_PROC_BIND is in the runtime's own words."""
    assert inert(name) == {
        "inert:OMP_PROC_BIND": "The setting OMP_PROC_BIND=true was inert for TensorFlow because the OpenMP runtime "
        "says: ignored because KMP_AFFINITY has been defined."
    }


@pytest.mark.parametrize(
    ("name", "setting", "value", "words"),
    [
        ("tf-2.14-intel", "TF_ENABLE_ONEDNN_OPTS", "0", "Intel's build does not read it"),
        ("tf-1.15-stock", "TF_ENABLE_ONEDNN_OPTS", "1", "since 2.5 only"),
        ("tf-2.14-stock", "TF_DISABLE_MKL", "1", "stock TensorFlow does not read it"),
        ("tf-1.12-intel", "TF_DISABLE_MKL", "1", "does not know it"),
        ("tf-2.14-intel", "TF_DISABLE_MKL", "1", "53 primitives of oneDNN ran all the same"),
        ("tf-2.14-intel", "KMP_BLOCKTIME", "200", "1 is in effect in the OpenMP runtime"),
        ("tf-2.14-intel", "OMP_NUM_THREADS", "4", "2 is in effect in the OpenMP runtime"),
        ("tf-1.15-intel", "ONEDNN_MAX_CPU_ISA", "AVX2", "MKL-DNN 0.20.3 does not know it"),
        ("tf-2.14-intel", "ONEDNN_MAX_CPU_ISA", "AVX2", "oneDNN still dispatched Intel AVX-512"),
        ("tf-1.12-stock", "ONEDNN_MAX_CPU_ISA", "AVX2", "no primitive of oneDNN ran"),
    ],
)
def test_each_rule_names_its_reason(name: str, setting: str, value: str, words: str) -> None:
    """A real probe contradicts the setting, or the build does not know it."""
    assert words in inert(name, **{setting: value})[f"inert:{setting}"]


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("tf-2.14-stock", "TF_ENABLE_ONEDNN_OPTS", "0"),
        ("tf-2.14-intel", "KMP_BLOCKTIME", "1"),
        ("tf-2.14-intel", "OMP_NUM_THREADS", "2"),
        ("tf-2.14-intel", "ONEDNN_MAX_CPU_ISA", "AVX512_CORE"),
        ("tf-2.14-intel", "LANG", "C.UTF-8"),
    ],
)
def test_a_setting_that_is_in_effect_is_not_called_inert(name: str, setting: str, value: str) -> None:
    """Settings that worked, or that leave no trace, are not mentioned."""
    assert inert(name, **{setting: value}) == {}


def test_an_instruction_set_that_was_limited_is_in_effect() -> None:
    """The library names the limit itself."""
    log = "onednn_verbose,info,cpu,isa:Intel AVX2\nonednn_verbose,exec,cpu,convolution,jit:avx2,fwd,,,a,mb2,1\n"
    assert inert("tf-2.14-intel", log, ONEDNN_MAX_CPU_ISA="AVX2") == {}
