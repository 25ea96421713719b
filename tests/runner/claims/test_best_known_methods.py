"""Settings on a ladder: judged from the steps that the report shows, with their references and refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.evidence.inert_settings import CANNOT_BIND, ONE_THREAD
from runner.vocabulary import ARTICLE_TOPOLOGIES
from tests.runner.claims.builders import (
    articles_host,
    constant,
    judged,
    ladder,
    probe,
    results,
    rung,
)
from tests.runner.told import tells

# What a prescription is refuted on: the article's machine, and all its networks.
ALL: dict[str, Any] = {"topologies": ARTICLE_TOPOLOGIES, "host": articles_host}


@pytest.mark.parametrize(
    ("before", "now", "speedup", "verdict"),
    [
        ("not set", "1", 1.3, "reproduced"),
        ("not set", "1", 1.0, "not reproduced"),
        ("1", "200", 0.5, "reproduced"),
        ("1", "200", 2.0, "not reproduced"),
        ("0", "30", 2.0, "not testable here"),
    ],
)
def test_a_ladder_judges_a_setting_whichever_way_it_goes(before: str, now: str, speedup: float, verdict: str) -> None:
    """A rung to the article's value gains, one away from it loses; one between other values tells nothing of it."""
    rungs = (rung("stock", ""), rung("intel", "stock", ("KMP_BLOCKTIME", before, now)))
    assert judged("bkm-kmp-blocktime", ladder(constant(speedup, 0.005), *rungs, **ALL)).verdict == verdict


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"topologies": ARTICLE_TOPOLOGIES}, ("the processor 8124M", "2 sockets", "36 cores")),
        ({"host": articles_host}, ("InceptionV3, ResNet152, VGG16",)),
        ({**ALL, "batch_size": 4}, ("batch size 32",)),
        ({**ALL, "stack": "tf-2.14"}, ("the stack tf-1.12",)),
    ],
)
def test_no_gain_elsewhere_does_not_refute_a_prescription(changes: dict[str, Any], missing: tuple[str, ...]) -> None:
    """A null, or a loss, on two cores or on one network says nothing of 36 cores and of the others; a gain holds."""
    for speedup in (1.0, 0.5):
        found = judged("bkm-kmp-blocktime", ladder(constant(speedup, 0.005), *BLOCKTIME, **changes))
        assert (found.verdict, found.missing) == ("not testable here", missing)
        assert found.measured == pytest.approx(speedup, rel=0.01)
    assert judged("bkm-kmp-blocktime", ladder(constant(2.0), *BLOCKTIME, **changes)).verdict == "reproduced"


def test_what_cannot_be_told_on_one_network_may_be_a_gain() -> None:
    """Three clear nulls and an unclear fourth refute nothing."""

    def speed(name: str, topology: str, block: int) -> float:
        return constant(1.0, 0.2 if topology == "vgg16" else 0.005)(name, topology, block)

    assert judged("bkm-kmp-blocktime", ladder(speed, *BLOCKTIME, **ALL)).verdict == "not testable here"


def test_a_rung_of_the_stock_build_says_nothing_of_what_is_prescribed_for_intels() -> None:
    """A gain of stock's is not Intel's, and a setting that stock does not read is not inert in Intel's."""
    settings = replace(BLOCKTIME[1].settings, variant="stock")
    for speedup in (2.0, 0.5):
        run = ladder(constant(speedup), BLOCKTIME[0], replace(BLOCKTIME[1], settings=settings), **ALL)
        for each in (run, replace(run, records=tuple(map(_without_openmp, run.records)))):
            found = judged("bkm-kmp-blocktime", each)
            assert found.verdict == "not testable here"
            assert tells(found.why, "build stock")


def test_a_ladder_that_goes_down_to_one_thread_speaks_for_as_many_as_there_are_cores() -> None:
    """The claim's value is the pin's number of cores, so a rung away from it is read the other way round."""
    rungs = (rung("stock", ""), rung("intel", "stock", ("intra_op_threads", "2", "1")))
    found = judged("bkm-intra-op", ladder(constant(0.5), *rungs))
    assert found.verdict == "reproduced"
    assert found.measured == pytest.approx(2.0, rel=0.01)
    assert tells(found.why, "from 1 to 2")


BLOCKTIME = (rung("stock", ""), rung("intel", "stock", ("KMP_BLOCKTIME", "not set", "1"), acts_through=("openmp",)))


@pytest.mark.parametrize(("spread", "verdict"), [(0.005, "not reproduced"), (0.2, "not testable here")])
def test_a_step_across_1_is_judged_only_where_it_is_narrow(spread: float, verdict: str) -> None:
    """Noise is no verdict; an interval that leaves no room for a gain is one."""
    found = judged("bkm-kmp-blocktime", ladder(constant(1.0, spread), *BLOCKTIME, **ALL))
    assert found.verdict == verdict
    assert ("--blocks" in found.why) == (verdict == "not testable here")


def test_a_step_that_its_table_refuses_is_not_testable() -> None:
    """Rungs whose conditions differ are not divided here either, and the field is named."""
    run = ladder(constant(2.0), *BLOCKTIME)
    records = tuple(
        replace(each, conditions={**each.conditions, "engine": "another"}) if each.cell.variant == "intel" else each
        for each in run.records
    )
    found = judged("bkm-kmp-blocktime", replace(run, records=records))
    assert (found.verdict, found.measured) == ("not testable here", None)
    assert tells(found.why, "engine")


def test_a_step_that_trained_something_else_is_not_testable() -> None:
    """A flagged step has a number in the table and makes no verdict."""
    run = ladder(constant(2.0), *BLOCKTIME)
    records = tuple(_with_loss(each, 9.0 if each.cell.variant == "intel" else 8.0) for each in run.records)
    found = judged("bkm-kmp-blocktime", replace(run, records=records))
    assert (found.verdict, found.measured) == ("not testable here", None)
    assert "losses differ" in found.why


def test_an_inert_step_says_so_and_why() -> None:
    """No speed is judged, and nobody is sent to a ladder that this run is."""
    run = ladder(constant(2.0), *BLOCKTIME)
    found = judged("bkm-kmp-blocktime", replace(run, records=tuple(map(_without_openmp, run.records))))
    assert (found.verdict, found.measured) == ("not reproduced", None)
    assert tells(found.why, "inert", "no OpenMP runtime", "any host")
    assert "ablate" not in found.why


def test_a_step_after_an_inert_one_is_judged_by_what_its_table_compares_it_with() -> None:
    """The inert rung's own speed has no say in the next one's gain."""

    def speed(name: str, _topology: str, block: int) -> float:
        return {"stock": 1.0, "intel": 4.0, "last": 2.0}[name] * (1 + block / 1000 * (name == "last"))

    rungs = (*BLOCKTIME, rung("last", "intel", ("inter_op_threads", "2", "1")))
    run = ladder(speed, *rungs)
    found = judged("bkm-inter-op", replace(run, records=tuple(map(_without_openmp, run.records))))
    assert found.verdict == "reproduced"
    assert found.measured == pytest.approx(2.0, rel=0.01)


def test_a_step_over_a_failed_rung_is_not_that_of_its_setting_alone() -> None:
    """Its ratio holds the failed rung's change as well."""
    rungs = (*BLOCKTIME, rung("last", "intel", ("inter_op_threads", "2", "1")))
    run = ladder(lambda name, _, block: 2.0 + block / 1000 if name == "last" else 1.0, *rungs)
    error = {"kind": "failed", "message": "it stopped"}
    records = tuple(
        replace(each, result=None, error=error) if each.cell.variant == "intel" else each for each in run.records
    )
    found = judged("bkm-inter-op", replace(run, records=records))
    assert found.verdict == "not testable here"
    assert tells(found.why, "intel", "could not be measured")


def test_the_nearest_stack_judges_a_setting_if_it_was_measured() -> None:
    """Another stack in the same run has no say then; alone it has, and is named."""
    other = ladder(constant(0.5), *BLOCKTIME, stack="tf-2.14")
    assert "tf-2.14" in judged("bkm-kmp-blocktime", other).why
    near = ladder(constant(2.0), *BLOCKTIME)
    both = {**near.run.header, "ladder": {**near.run.header["ladder"],
                                                     "stacks": {**other.run.header["ladder"]["stacks"],
                                                     **near.run.header["ladder"]["stacks"]}}}  # fmt: skip
    both["stacks"] = {**other.run.header["stacks"], **near.run.header["stacks"]}
    launches = [*other.run.header["plan"]["launches"], *near.run.header["plan"]["launches"]]
    both["plan"] = {**both["plan"], "launches": launches}
    run = replace(near, run=replace(near.run, header=both), records=(*other.records, *near.records))
    found = judged("bkm-kmp-blocktime", run)
    assert found.verdict == "reproduced"
    assert "tf-2.14" not in found.why


@pytest.mark.parametrize("reason", [CANNOT_BIND, ONE_THREAD])
def test_a_setting_that_this_host_gives_nothing_to_do_is_not_testable(reason: str) -> None:
    """One thread, or a host where nothing can be bound, tells nothing of the setting."""
    inert = [{"id": "inert:KMP_BLOCKTIME", "passed": True, "text": f"It was inert because {reason}."}]
    for run in (
        results(constant(3.0), topologies=("resnet50",), probes=[probe(verdicts=inert)]),
        ladder(constant(2.0), *BLOCKTIME, probes=[probe(verdicts=inert)]),
    ):
        found = judged("bkm-kmp-blocktime", run)
        assert found.verdict == "not testable here"
        assert reason in found.why


@pytest.mark.parametrize(
    ("environment", "verdict"), [({"KMP_AFFINITY": "compact"}, "overridden"), ({}, "not testable here")]
)
def test_a_setting_that_only_its_probe_overrode_is_not_refuted(environment: dict[str, str], verdict: str) -> None:
    """A probe adds a word to KMP_AFFINITY, which overrides OMP_PROC_BIND; the timed launches may have none."""
    step = rung("intel", "stock", ("OMP_PROC_BIND", "not set", "true"), acts_through=("openmp",))
    step = replace(step, settings=replace(step.settings, environment=environment))
    text = "It was inert because the OpenMP runtime says: ignored because KMP_AFFINITY has been defined."
    probes = [probe(verdicts=[{"id": "inert:OMP_PROC_BIND", "passed": True, "text": text}])]
    found = judged("bkm-omp-proc-bind", ladder(constant(2.0), rung("stock", ""), step, probes=probes))
    assert (found.verdict, found.measured) == (verdict, None)


def _without_openmp(record: Any) -> Any:
    return replace(record, result={**record.result, "observed": {**record.result["observed"], "omp_max_threads": None}})


def _with_loss(record: Any, loss: float) -> Any:
    return replace(
        record, result={**record.result, "steps": [{**each, "loss": loss} for each in record.result["steps"]]}
    )
