"""Several runs of one host judge a publication together: which run judges a claim does not depend on what came out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.catalogue.publications import load_publication
from runner.claims.judge import judge
from runner.claims.together import JudgedByRun, judge_together, require_one_host
from runner.errors import UsageError
from runner.host.pin import Pin
from runner.planning.bkm import load_bkms, resolve
from runner.stats.results import Results
from runner.vocabulary import Layout
from tests.runner.claims.builders import constant, ladder, probe, results, rung

SETTING = "bkm-kmp-blocktime"
BLOCKTIME = ("KMP_BLOCKTIME", "not set", "1")


def named(name: str, found: Results) -> Results:
    """The same run under another name."""
    return replace(found, run=replace(found.run, folder=Path(name), header={**found.run.header, "run": name}))


def of_settings(gain: float, name: str = "settings", blocks: int = 4) -> Results:
    """A ladder that tries KMP_BLOCKTIME."""
    return named(name, ladder(constant(gain), rung("stock", ""), rung("with", "stock", BLOCKTIME), blocks=blocks))


def by_claim(*found: Results) -> dict[str, JudgedByRun]:
    """Every claim of the article as these runs judge it together."""
    return {each.judgement.claim.id: each for each in judge_together(load_publication(), found)}


def test_one_run_judges_as_it_does_alone() -> None:
    run = results(constant(2.0))
    article = load_publication()
    assert [each.judgement for each in judge_together(article, [run])] == judge(article, run)


def test_a_setting_is_judged_by_the_ladder_that_tries_it_and_the_rest_by_the_comparison() -> None:
    comparison = named("figure1", results(constant(2.0)))
    for runs in ((comparison, of_settings(1.5)), (of_settings(1.5), comparison)):
        found = by_claim(*runs)
        assert found[SETTING].results.run.name == "settings"
        assert found[SETTING].judgement.answer.verdict == "reproduced"
        assert found["bkm-kmp-affinity"].results.run.name == "figure1", "no step of the ladder changes it"
        assert found["faster-on-all"].results.run.name == "figure1"
        assert found["faster-on-all"].judgement.answer.verdict == "reproduced"


@pytest.mark.parametrize("gain", [0.5, 1.5])
def test_which_ladder_judges_does_not_depend_on_what_came_out(gain: float) -> None:
    """The one with more blocks judges, whether it agrees with the claim or not, and the other one is told."""
    long, short = of_settings(gain, "long", blocks=6), of_settings(1 / gain, "short", blocks=4)
    found = by_claim(short, long)[SETTING]
    assert found.results.run.name == "long"
    assert [name for name, _ in found.others] == ["short"]


def test_the_batch_size_that_is_nearer_to_the_claims_comes_before_more_blocks() -> None:
    small = named("small", results(constant(8.0), batch_size=4, blocks=10))
    large = named("large", results(constant(2.0), batch_size=32, blocks=4))
    found = by_claim(small, large)["largest-speedup"]
    assert found.results.run.name == "large"


def test_a_setting_that_the_software_overrides_is_not_left_to_a_speed() -> None:
    """The ladder calls it inert here; the probe has the runtime's own words, which it says on any host."""
    text = "It was inert because the OpenMP runtime says: ignored because KMP_AFFINITY has been defined."
    probes = [probe(verdicts=[{"id": "inert:OMP_PROC_BIND", "passed": True, "text": text}])]

    def articles(header: dict[str, Any]) -> None:
        pin = Pin(cores=((0,), (1,)), mems=(0,), nodes=1, sockets=1)
        header["plan"] |= {"bkms": resolve(load_bkms("article"), pin).to_json()}

    comparison = named("figure1", results(constant(2.0), probes=probes, header=articles))
    step = rung("with", "stock", ("OMP_PROC_BIND", "not set", "true"))
    found = by_claim(comparison, named("settings", ladder(constant(1.5), rung("stock", ""), step)))["bkm-omp-proc-bind"]
    assert (found.results.run.name, found.judgement.answer.verdict) == ("figure1", "overridden")
    assert [name for name, _ in found.others] == ["settings"]


def of_builds(layout: Layout) -> Results:
    """A ladder of one step from stock to Intel's build, in this layout."""
    stock, intel = rung("as-shipped", ""), rung("intel-kernels", "as-shipped")
    stock = replace(stock, settings=replace(stock.settings, variant="stock"))
    intel = replace(intel, settings=replace(intel.settings, layout=layout))
    return named("settings", ladder(constant(1.5), stock, intel))


@pytest.mark.parametrize(("layout", "judge_is", "verdict"), [("NHWC", "settings", "reproduced"),
                                                             ("NCHW", "figure1", "partly")])  # fmt: skip
def test_that_the_program_stays_is_judged_by_the_run_that_had_both_builds_in_one_layout(
    layout: Layout, judge_is: str, verdict: str
) -> None:
    comparison = named("figure1", results(constant(2.0), layouts={"intel": "NCHW"}))
    found = by_claim(comparison, of_builds(layout))["transparent"]
    assert (found.results.run.name, found.judgement.answer.verdict) == (judge_is, verdict)


def test_the_step_that_is_named_is_the_last_one_of_a_build() -> None:
    """Intel's build comes first with its kernels off, which is no optimised program."""
    stock, off, on = rung("as-shipped", ""), rung("kernels-off", "as-shipped"), rung("kernels-on", "kernels-off")
    stock = replace(stock, settings=replace(stock.settings, variant="stock"))
    found = by_claim(named("settings", ladder(constant(1.5), stock, off, on)))["transparent"]
    assert '"kernels-on" (intel)' in found.judgement.answer.why


def test_a_comparison_in_one_layout_needs_no_ladder() -> None:
    found = by_claim(named("figure1", results(constant(2.0))), of_builds("NHWC"))["transparent"]
    assert found.judgement.answer.verdict == "reproduced"


def test_what_a_run_of_the_claims_own_sizes_may_decide_is_open() -> None:
    """Another batch size is of the run; a figure that was never published is missing on any host."""
    small = by_claim(results(constant(2.0), batch_size=4))
    assert small["largest-speedup"].needs_sizes
    assert small["faster-on-all"].is_open
    assert not small["bar-vgg16"].is_open
    assert not by_claim(results(constant(2.0)))["largest-speedup"].is_open, "it lacks the article's host"


def test_a_run_that_may_still_decide_is_told_from_one_that_cannot() -> None:
    """An interval that is too wide may become narrower; that this host is not the article's stays."""
    noisy = results(constant(1.05, spread=0.5))
    found = by_claim(noisy)
    assert found["faster-on-all"].needs_more
    assert not found["bar-vgg16"].needs_more, "its height was never published"
    assert not by_claim(results(constant(2.0)))["faster-on-all"].needs_more


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"machine_conditions": {"kernel_release": "another"}}, "kernel_release"),
        ({"machine": {"cpus": []}}, "the number of cores"),
    ],
)
def test_runs_of_two_hosts_are_refused_by_name(change: dict[str, Any], words: str) -> None:
    here = named("here", results(constant(2.0)))

    def header(found: dict[str, Any]) -> None:
        for name, values in change.items():
            found[name] = {**found[name], **values}

    there = named("there", results(constant(2.0), header=header))
    require_one_host([here, here])
    with pytest.raises(UsageError, match=f"here and there.*{words}"):
        judge_together(load_publication(), [here, there])
