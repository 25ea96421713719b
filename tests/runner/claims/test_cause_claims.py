"""The causes, the program and the settings: judged from evidence and ladders, else not testable here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.claims.condition import OUT_OF_REACH
from runner.claims.judge import JUDGES
from runner.claims.practice import ALIKE, MEASURE_IT, ON_NO_LADDER
from runner.claims.verdict import Answer
from runner.stats.results import Results
from tests.runner.claims.builders import article_claim, case, constant, judged, ladder, probe, results, rung
from tests.runner.told import tells

KINDS = ["convolution", "inner_product", "pooling", "batch_normalization", "eltwise"]


def with_probes(*probes: dict[str, Any]) -> Results:
    """A run with this evidence."""
    return results(constant(3.0), topologies=("resnet50",), probes=probes)


def primitives(*entries: tuple[str, str, float]) -> list[dict[str, Any]]:
    """Primitives of kind, implementation and milliseconds."""
    return [{"kind": kind, "implementation": name, "count": 10, "milliseconds": spent} for kind, name, spent in entries]


@pytest.mark.parametrize("claim_id", ["vectorised-primitives", "primitive-kinds", "operations-replaced"])
def test_without_evidence_no_cause_is_judged(claim_id: str) -> None:
    """What was not looked at is not testable, and the command that looks is named."""
    found = judged(claim_id, with_probes())
    assert found.verdict == "not testable here"
    assert "python -m runner probe" in found.why


@pytest.mark.parametrize(
    ("isa", "implementation", "verdict"),
    [
        ("Intel AVX-512 with Intel DL Boost", "brgconv:avx512_core", "reproduced"),
        (None, "jit_1x1:avx2", "reproduced"),
        ("Intel AVX-512", "ref:any", "partly"),
        ("Intel SSE4.1", "jit:sse41", "not reproduced"),
    ],
)
def test_vectorised_means_kernels_with_avx2_or_avx512(isa: str | None, implementation: str, verdict: str) -> None:
    """Told by the names of the kernels that took the time; what the library could dispatch is not what ran."""
    assert vectorised(isa, implementation, ["avx2", "avx512f"]).verdict == verdict


def test_kernels_that_a_processor_cannot_run_are_not_refuted_on_it() -> None:
    """A host without AVX512 that shows AVX2 confirms the cause; one that shows neither tells nothing of AVX512."""
    assert vectorised("Intel AVX2", "jit:avx2", ["avx2"]).verdict == "reproduced"
    found = vectorised("Intel SSE4.1", "jit:sse41", ["avx2"])
    assert (found.verdict, found.missing) == ("not testable here", ("a processor with avx512f",))
    assert found.measured == 0.0
    assert vectorised("Intel SSE4.1", "jit:sse41", ["avx2", "avx512f"]).verdict == "not reproduced"


@pytest.mark.parametrize("claim_id", ["primitive-kinds", "operations-replaced"])
def test_what_is_about_software_alone_is_refuted_on_any_processor_and_by_no_other_stack(claim_id: str) -> None:
    """Kinds of operation and the rewritten graph are there on every processor, or they are not."""
    trace = [{"operation": "Conv2D", "count": 1, "milliseconds": 3.0}]
    seen: dict[str, Any] = {"primitives": primitives(("reorder", "ref", 1.0)), "trace": trace}
    for stack, verdict in (("tf-1.12", "not reproduced"), ("tf-2.14", "not testable here")):
        probes = [probe(stack=stack, **seen), probe("stock", stack=stack, **seen)]
        found = judged(claim_id, results(constant(3.0), stack=stack, topologies=("resnet50",), probes=probes))
        assert (found.verdict, found.measured) == (verdict, 0.0)


def vectorised(isa: str | None, implementation: str, of_the_host: list[str]) -> Answer:
    """The answer on kernels of this kind, on a host with these instruction sets."""
    library = {"name": "oneDNN", "version": "3", "isa": isa, "runtime": "OpenMP", "threads": 2}
    seen = probe(library=library, primitives=primitives(("convolution", implementation, 9.0)))

    def header(found: dict[str, Any]) -> None:
        found["machine"]["processor"] = {**found["machine"]["processor"], "isa": of_the_host}

    return judged(
        "vectorised-primitives", results(constant(3.0), topologies=("resnet50",), probes=[seen], header=header)
    )


def test_a_small_share_of_vectorised_kernels_is_partly() -> None:
    """The measured figure is the share of the primitives' time."""
    mixed = primitives(("convolution", "jit:avx2", 1.0), ("convolution", "ref:any", 3.0))
    found = judged("vectorised-primitives", with_probes(probe(library=None, primitives=mixed)))
    assert (found.verdict, found.measured) == ("partly", 0.25)


def test_kernels_that_did_not_run_refute_the_first_cause() -> None:
    """The probe's own words are passed on."""
    failed = [{"id": "intel_kernels_ran", "passed": False, "text": "there is no convolution"}]
    found = judged("vectorised-primitives", with_probes(probe(verdicts=failed)))
    assert found.verdict == "not reproduced"
    assert "there is no convolution" in found.why


@pytest.mark.parametrize(("count", "verdict"), [(5, "reproduced"), (2, "partly"), (0, "not reproduced")])
def test_the_five_kinds_of_operation_are_counted(count: int, verdict: str) -> None:
    """All five, some, or none ran in Intel's library."""
    seen = primitives(*((kind, "jit:avx2", 1.0) for kind in KINDS[:count]))
    found = judged("primitive-kinds", with_probes(probe(primitives=seen)))
    assert (found.verdict, found.measured) == (verdict, float(count))


def test_operations_that_only_intels_graph_has_show_that_some_were_replaced() -> None:
    """The share of the step's time is measured; what stock has too does not count."""
    trace = [{"operation": "_MklConv2D", "count": 1, "milliseconds": 3.0},
             {"operation": "_FusedConv2D", "count": 1, "milliseconds": 1.0}]  # fmt: skip
    both = with_probes(probe(trace=trace, quiet={"batch_size": 2}), probe("stock", trace=trace[1:]))
    found = judged("operations-replaced", both)
    assert (found.verdict, found.measured) == ("reproduced", 0.75)
    noisy = judged("operations-replaced", with_probes(probe(trace=trace), probe("stock", trace=trace[1:])))
    assert (noisy.verdict, noisy.measured) == ("reproduced", None)
    assert "%" not in noisy.why
    plain = [{"operation": "Conv2D", "count": 1, "milliseconds": 3.0}]
    same = with_probes(probe(trace=plain), probe("stock", trace=plain))
    assert judged("operations-replaced", same).verdict == "not reproduced"


@pytest.mark.parametrize("reorders", [5, 30])
def test_conversions_that_remain_show_of_none_that_it_was_removed(reorders: int) -> None:
    """Few or many for each primitive: how many there were before is not known, and is what is missing."""
    seen = primitives(("convolution", "jit:avx2", 1.0), ("eltwise", "jit:avx2", 1.0), ("reorder", "ref", 1.0))
    found = judged(
        "layout-conversions", with_probes(probe(primitives=seen, reorders={"count": reorders, "share": 0.1}))
    )
    assert (found.verdict, found.measured) == ("not testable here", reorders / 20)
    assert found.missing == (OUT_OF_REACH["conversions_before"][0],)
    per_convolution = "0.500" if reorders == 5 else "3.00"
    assert tells(found.why, f"{reorders} conversions", "10 convolutions", per_convolution)


@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_peak_memory_stands_beside_the_pools_and_never_judges_them(factor: float) -> None:
    """Less memory is what sharing would do, and much else; more says nothing of the allocator either."""
    run = results(constant(3.0))
    records = tuple(_with_peak(each, 1e9 * (factor if each.cell.variant == "intel" else 1)) for each in run.records)
    found = judged("memory-pools", replace(run, records=records))
    assert (found.verdict, found.missing) == ("not testable here", (OUT_OF_REACH["allocator"][0],))
    assert found.measured == pytest.approx(factor)
    assert tells(found.why, "4 topologies", "tf-1.12")


def test_a_topology_whose_peaks_one_side_lacks_is_not_counted_among_those_of_the_mean() -> None:
    """A kernel that does not tell the peak leaves 0."""
    run = results(constant(3.0))
    records = tuple(
        _with_peak(each, 0.0 if (each.cell.variant, each.cell.topology) == ("intel", "vgg16") else 1e9)
        for each in run.records
    )
    assert tells(judged("memory-pools", replace(run, records=records)).why, "3 topologies", "tf-1.12")


@pytest.mark.parametrize("claim_id", ["memory-prefetch", "memory-cache-blocking"])
def test_what_only_counters_show_is_not_testable(claim_id: str) -> None:
    """Nothing is made up for what happens inside the caches."""
    found = judged(claim_id, with_probes(probe()))
    assert found.verdict == "not testable here"
    assert found.missing == ("the processor's own counters",)
    hidden = judged(claim_id, with_probes(counted("stock", None), counted("intel", None)))
    assert tells(hidden.why, "the kernel or the hypervisor of this host hides them")
    without = counted("intel", None)
    without["counters"]["per_step"]["cycles"] = 1e9
    assert tells(judged(claim_id, with_probes(counted("stock", 1e6), without)).why, "does not count misses")


@pytest.mark.parametrize("claim_id", ["memory-prefetch", "memory-cache-blocking"])
@pytest.mark.parametrize(("misses", "verdict"), [(4e6, "partly"), (8.9e6, "partly"), (9.1e6, "not testable here"),
                                                 (2e7, "not testable here")])  # fmt: skip
def test_fewer_cache_misses_are_what_the_claim_lets_expect(claim_id: str, misses: float, verdict: str) -> None:
    """Many causes have them, so that they never reproduce it; and as many do not refute it."""
    found = judged(claim_id, with_probes(counted("stock", 1e7), counted("intel", misses)))
    assert found.verdict == verdict
    assert found.measured == pytest.approx(misses / 1e7)
    assert tells(found.why, "last-level cache", "batch size 2")


def counted(variant: str, misses: float | None) -> dict[str, Any]:
    """A probe that was counted."""
    counts = {"task-clock": 1000.0, "LLC-load-misses": misses}
    return probe(variant, counters={"tool": "perf version 6.1", "per_step": counts, "covered_seconds": 1.0,
                                    "step_seconds": 1.0, "error": None, "user_only": False})  # fmt: skip


@pytest.mark.parametrize("claim_id", ["vectorised-primitives", "memory-prefetch"])
def test_a_share_of_the_primitives_time_stands_with_the_batch_size_that_it_is_of(claim_id: str) -> None:
    """Probes run at another batch size than the claims on speedups are judged at."""
    for size in (2, 8):
        assert tells(judged(claim_id, with_probes(probe(batch_size=size))).why, f"batch size {size}")


def test_the_same_files_on_both_sides_are_transparent_to_the_programmer() -> None:
    """Equal hashes and layouts reproduce the claim, and another layout reproduces it partly.

    Different files show nothing.
    """
    assert judged("transparent", results(constant(3.0))).verdict == "reproduced"
    other_layout = judged("transparent", results(constant(3.0), layouts={"intel": "NCHW"}))
    assert other_layout.verdict == "partly"
    assert tells(other_layout.why, "NHWC on stock", "NCHW on intel")
    assert "this run did not try" in other_layout.why  # stacks.toml tells of a trial of before
    run = results(constant(3.0))
    changed = tuple(
        replace(each, conditions={**each.conditions, "workload_sha256": "00"}) if each.cell.variant == "intel" else each
        for each in run.records
    )
    other_files = judged("transparent", replace(run, records=changed))
    assert other_files.verdict == "not testable here"
    assert other_files.missing == (OUT_OF_REACH["refused_program"][0],)


@pytest.mark.parametrize("claim_id", ["memory-pools", "transparent"])
def test_a_side_that_is_not_what_its_name_says_shows_nothing(claim_id: str) -> None:
    """Less memory, or an unchanged program, with another wheel than Intel's is no evidence for Intel's."""
    run = results(constant(3.0))
    records = tuple(
        _with_wheel(_with_peak(each, 1e9 * (0.8 if each.cell.variant == "intel" else 1)), "tensorflow")
        for each in run.records
    )
    found = judged(claim_id, replace(run, records=records))
    assert (found.verdict, found.measured) == ("not testable here", None)


def test_a_setting_is_sent_to_the_ladder_with_the_value_it_had() -> None:
    """A comparison of builds cannot tell what one setting gains."""
    found = judged("bkm-kmp-blocktime", results(constant(3.0)))
    assert found.verdict == "not testable here"
    assert tells(found.why, "1 in this run", "python -m runner ablate")


OVERRIDDEN = "was inert because the OpenMP runtime says: ignored because KMP_AFFINITY has been defined."


def test_a_setting_that_the_runtime_ignores_is_overridden_on_any_host() -> None:
    """The runtime's own words are the same on two cores and on 36."""
    inert = [{"id": "inert:OMP_PROC_BIND", "passed": True, "text": OVERRIDDEN}]
    found = judged("bkm-omp-proc-bind", with_probes(probe(verdicts=inert)))
    assert found.verdict == "overridden"
    assert "KMP_AFFINITY has been defined" in found.why
    assert "any host" in found.why


def test_a_setting_that_is_ignored_beside_other_settings_than_the_articles_is_not_refuted() -> None:
    """A probe adds a word to KMP_AFFINITY, which alone makes the runtime ignore OMP_PROC_BIND."""

    def none(header: dict[str, Any]) -> None:
        header["plan"]["bkms"] = {**header["plan"]["bkms"], "name": "none", "settings": []}

    inert = [{"id": "inert:OMP_PROC_BIND", "passed": True, "text": OVERRIDDEN}]
    run = results(constant(3.0), topologies=("resnet50",), probes=[probe(verdicts=inert)], header=none)
    found = judged("bkm-omp-proc-bind", run)
    assert (found.verdict, found.missing) == ("not testable here", ("the BKMs article",))


def test_a_setting_that_other_software_ignores_is_not_refuted() -> None:
    """The setting was not prescribed for a later release."""
    inert = [{"id": "inert:KMP_BLOCKTIME", "passed": True, "text": "inert: no OpenMP runtime is in the process."}]
    later = results(constant(3.0), stack="tf-2.14", topologies=("resnet50",),
                     probes=[probe(stack="tf-2.14", verdicts=inert)])  # fmt: skip
    found = judged("bkm-kmp-blocktime", later)
    assert (found.verdict, found.missing) == ("not testable here", ("the stack tf-1.12",))


def test_a_setting_that_changes_nothing_on_two_cores_is_not_refuted() -> None:
    """As many threads as there would be anyway say nothing of a host with hyper-threads and 36 cores."""
    text = "The setting OMP_NUM_THREADS=4 was inert because the OpenMP runtime uses 2 threads."
    inert = [{"id": "inert:OMP_NUM_THREADS", "passed": True, "text": text}]
    found = judged("bkm-omp-num-threads", with_probes(probe(verdicts=inert)))
    assert found.verdict == "not testable here"
    assert "36 cores" in found.missing


def test_a_setting_that_no_ladder_changes_says_so() -> None:
    """A reader is not sent to a command that does not measure it."""
    claim = replace(article_claim("bkm-kmp-blocktime"), setting="MALLOC_ARENA_MAX")
    found = JUDGES["setting"](case(claim, results(constant(3.0))))
    assert found.verdict == "not testable here"
    assert found.why.endswith(ON_NO_LADDER)
    for claim_id in ("bkm-kmp-affinity", "bkm-headroom", "bkm-nchw", "bkm-inter-op", "bkm-omp-num-threads"):
        why = judged(claim_id, results(constant(3.0))).why
        assert why.endswith(MEASURE_IT)
        # What a build's own layout is, is the one setting of these that variants differ in.
        assert (ALIKE in why) == (claim_id != "bkm-nchw")


def test_a_setting_that_is_not_said_to_be_faster_is_held_against_no_speed() -> None:
    """KMP_SETTINGS makes the runtime print; nobody claimed a gain."""
    rungs = (rung("stock", ""), rung("intel", "stock", ("KMP_SETTINGS", "not set", "1")))
    found = judged("bkm-kmp-settings", ladder(constant(0.5), *rungs))
    assert (found.verdict, found.measured) == ("not testable here", None)
    assert OUT_OF_REACH["claimed_gain"][1] in found.why


def test_a_probe_that_failed_says_nothing_of_the_kinds_of_operation() -> None:
    """No primitive was seen because nothing was seen."""
    failed = probe(primitives=[], verdicts=[], library=None, error={"kind": "timeout", "message": "killed"})
    for claim_id in ("primitive-kinds", "vectorised-primitives", "operations-replaced", "layout-conversions"):
        assert judged(claim_id, with_probes(failed)).verdict == "not testable here"


def test_an_operation_is_intels_own_only_beside_a_traced_step_of_the_baseline() -> None:
    """Without it, what stock fuses too would look like Intel's."""
    trace = [{"operation": "_FusedConv2D", "count": 1, "milliseconds": 5.0}]
    elsewhere = probe("stock", "vgg16", trace=[{"operation": "Conv2D", "count": 1, "milliseconds": 5.0}])
    for probes in ([probe(trace=trace)], [probe(trace=trace), probe("stock")], [probe(trace=trace), elsewhere]):
        found = judged("operations-replaced", with_probes(*probes))
        assert found.verdict == "not testable here"
        assert "probe both" in found.why


@pytest.mark.parametrize("claim_id", ["operations-replaced", "layout-conversions"])
def test_the_graphs_changes_are_not_judged_from_a_speed(claim_id: str) -> None:
    """A ladder that switched graph optimisation off measured another thing, in another metric."""
    rungs = (rung("stock", ""), rung("intel", "stock", ("graph_optimisation", "true", "false")))
    found = judged(claim_id, ladder(constant(0.5), *rungs))
    assert (found.verdict, found.measured) == ("not testable here", None)


def _with_wheel(record: Any, distribution: str) -> Any:
    evidence = {
        **record.result["evidence"],
        "wheel": {"distribution": distribution, "version": "1", "record_sha256": ""},
    }
    return replace(record, result={**record.result, "evidence": evidence})


def _with_peak(record: Any, peak: float) -> Any:
    return replace(record, result={**record.result, "peak_memory_bytes": round(peak * (1 + 0.001 * record.block))})
