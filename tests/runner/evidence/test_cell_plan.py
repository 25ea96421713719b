"""What run.json asks of a cell: wheel and kernels, from the stack's data and the launches' settings."""

from __future__ import annotations

import pytest

from runner.evidence.cell_plan import CellPlan, cell_plan_of
from runner.host.pin import Pin
from runner.storage.header import Provenance
from tests.runner.evidence.captured import TWO_CORES
from tests.runner.evidence.headers import header_of

PIN = Pin(cores=((0, 2), (1, 3)), mems=(0,), nodes=1, sockets=1)
WHEELS = {"stock": "tensorflow-cpu==2.14.0", "intel": "intel-tensorflow==2.14.0"}
MADE = dict.fromkeys(WHEELS, Provenance({"wheel": "tensorflow-cpu==2.14.0"}))
HEADER = header_of(PIN, wheels=WHEELS, installations=MADE)


def test_the_first_variant_is_the_baseline_and_the_declared_wheel_counts() -> None:
    """What an artifact says of itself does not count, because that is what the evidence examines."""
    stock, intel = (cell_plan_of(HEADER, "tf-2.14", variant, {}) for variant in ("stock", "intel"))
    assert (stock.is_baseline, intel.is_baseline) == (True, False)
    assert intel.wheel == "intel-tensorflow==2.14.0"
    assert intel.cores == (frozenset({0, 2}), frozenset({1, 3}))
    assert intel.cpus == frozenset({0, 1, 2, 3})


def test_a_run_of_the_first_version_is_still_understood() -> None:
    """Its run.json has nothing but the artifact's own word."""
    header = header_of(PIN, wheels={}, installations=MADE)
    assert cell_plan_of(header, "tf-2.14", "stock", {}).wheel == "tensorflow-cpu==2.14.0"


@pytest.mark.parametrize(
    ("wheel", "environment", "kernels"),
    [
        ("intel-tensorflow==2.14.0", {}, "run"),
        ("intel-tensorflow==2.14.0", {"TF_ENABLE_ONEDNN_OPTS": "0"}, "run"),
        ("intel-tensorflow==1.15.2", {"TF_DISABLE_MKL": "1"}, "absent"),
        ("intel-tensorflow==1.15.2", {"TF_DISABLE_MKL": "0"}, "run"),
        ("tensorflow-cpu==2.14.0", {"TF_ENABLE_ONEDNN_OPTS": "1"}, "run"),
        ("tensorflow-cpu==2.14.0", {"TF_ENABLE_ONEDNN_OPTS": "0"}, "absent"),
        ("tensorflow-cpu==2.14.0", {}, "either"),
        ("tensorflow==1.12.0", {}, "absent"),
        ("tensorflow==1.15.2", {"TF_ENABLE_ONEDNN_OPTS": "1"}, "absent"),
    ],
)
def test_a_variants_settings_say_which_kernels_belong_into_it(
    wheel: str, environment: dict[str, str], kernels: str
) -> None:
    """Each build is judged by the switch that it reads."""
    assert CellPlan(False, wheel, environment, TWO_CORES).kernels == kernels


def test_a_baseline_has_no_kernels_whatever_its_settings_say() -> None:
    """A slip in stacks.toml that leaves oneDNN on is a wrongly configured baseline, not another wish."""
    cell_plan = CellPlan(True, "tensorflow-cpu==2.14.0", {"TF_ENABLE_ONEDNN_OPTS": "1"}, TWO_CORES)
    assert cell_plan.kernels == "absent"
