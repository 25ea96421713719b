"""The sentences at the top of a report: what was found on this host, and what a reader must be warned of."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from runner.catalogue.publications import HEADLINE, Publication
from runner.claims.judge import judge_claim
from runner.claims.verdict import NOT_TESTABLE
from runner.report.claims_sections import material
from runner.report.default_sections import default_findings, not_observed
from runner.report.host_sections import host_warnings
from runner.report.measured import Measured
from runner.report.wording import at_once, plural, topology_title, true_largest, with_interval

# Above this share of all CPU time stolen by the hypervisor during a launch, its numbers deserve a warning.
STEAL_WORTH_A_WORD = 0.02
# With fewer timed steps nothing in a launch shows whether they had come to one speed.
FEWEST_TIMED_STEPS = 2
# The kernel counts in hundredths of a second; below a second of CPU time the share would be rounding.
LEAST_CPU_SECONDS = 1.0
# A load this far above the pin's own threads before a launch means that something else was running.
LOAD_WORTH_A_WORD = 0.5


def findings(measured: Measured, article: Publication) -> tuple[str, ...]:
    """What a plain installation does here, one sentence for each pair, what may be said of the article's figure."""
    sentences = [_finding(measured, row) for row in measured.summaries.to_dict("records")]
    return (*default_findings(measured), *sentences, _on_the_article(measured, article))


def warnings(measured: Measured) -> tuple[str, ...]:
    """What a reader must know before quoting a number."""
    return (*_incomplete(measured), *_flagged(measured), *measured.header["notes"], *_enforcement(measured),
            *not_observed(measured), *host_warnings(measured), *_few_steps(measured), *_noise(measured))  # fmt: skip


def _finding(measured: Measured, row: dict[str, Any]) -> str:
    stack, size = row["stack"], row["batch_size"]
    title = measured.header["stacks"][stack]["title"]
    candidate, baseline = measured.label(stack, row["candidate"]), measured.label(stack, row["baseline"])
    head = f"{title}, batch size {size}: {candidate} against {baseline}{_layouts(measured, row)}"
    if not row["topologies"]:
        flagged = "all that was measured is flagged, so no verdict is given (see the table)"
        return f"{head}: {flagged if row['flagged'] else 'nothing could be measured'}."
    frame = _rows(measured.speedups, row)
    counts = frame[frame["verdict"] != ""]["verdict"].value_counts(sort=False)
    parts = [f"{verdict} on {count}" for verdict, count in counts.items()]
    text = f"{head}: {', '.join(parts)} of {plural(row['of_topologies'], 'topology')}"
    if not math.isnan(row.get("largest", math.nan)):
        text += f"{_top(row)} ({at_once(measured.family)}){_beyond(row)}"
    if not math.isnan(row.get("geometric_mean", math.nan)) and row["topologies"] > 1:
        mean = with_interval(row["geometric_mean"], row["geometric_low"], row["geometric_high"])
        alone = "" if math.isnan(row["geometric_low"]) else ", 95% for this mean alone"
        text += f"; geometric mean over {plural(row['topologies'], 'topology')} {mean}{alone}"
    return f"{text}."


def _layouts(measured: Measured, row: dict[str, Any]) -> str:
    """The layouts of both sides, where a bar compares two of them."""
    variants = measured.header["stacks"][row["stack"]]["variants"]
    candidate, baseline = (variants[row[side]]["layout"] for side in ("candidate", "baseline"))
    return "" if candidate == baseline else f", {candidate} against {baseline}"


def _top(row: dict[str, Any]) -> str:
    """The largest bar, or the only one, with its own interval of those that hold at once."""
    top, title = with_interval(row["largest"], row["largest_own_low"], row["largest_own_high"]), row["largest_topology"]
    if row["topologies"] == 1:
        return f", {topology_title(title)} {top}"
    return f", the largest is {topology_title(title)}'s, {top}"


def _beyond(row: dict[str, Any]) -> str:
    own, joint = ((row[f"{name}_low"], row[f"{name}_high"]) for name in ("largest_own", "largest"))
    return true_largest(own, joint)


def _rows(frame: pd.DataFrame, row: dict[str, Any]) -> pd.DataFrame:
    keys = ("stack", "batch_size", "baseline", "candidate")
    keep = pd.Series(data=True, index=frame.index)
    for key in keys:
        keep &= frame[key] == row[key]
    return frame[keep]


def _on_the_article(measured: Measured, article: Publication) -> str:
    claim = article.claim(HEADLINE)
    verdict = judge_claim(article, claim, material(measured)).answer
    head = f"The article ({article.title}, {article.year}) says {claim.words} at batch size {claim.batch_size}"
    why = f"{verdict.why[0].upper()}{verdict.why[1:]}."
    if verdict.verdict == NOT_TESTABLE:
        return f"{head}: {verdict.verdict}. {why}"
    text = f"{head}: {verdict.verdict} on this host. {why}"
    here = measured.header["machine"]["processor"]["model_name"] or "an unknown processor"
    if claim.configuration.processor_model and claim.configuration.processor_model in here:
        return text
    return f"{text} That is about {here} and no word on the article's own machine ({article.platform['Processor']})."


def _incomplete(measured: Measured) -> list[str]:
    planned, found = len(measured.run.launches), []
    if measured.unfinished:
        done = planned - measured.unfinished - measured.failed
        found.append(f"The run is not complete: {done} of {planned} launches are measured. Go on with "
                     f"{measured.going_on}, which runs a broken block again whole.")  # fmt: skip
    if measured.failed:
        found.append(f"{measured.failed} of {planned} launches failed: {measured.going_on} runs each of their blocks "
                     "again whole, and no other.")  # fmt: skip
    return found


def _flagged(measured: Measured) -> list[str]:
    frame = measured.speedups
    flagged = frame[frame["status"] != "ok"]
    found = [
        f"{row.stack}, {topology_title(row.topology)}, batch size {row.batch_size}, "
        f"{row.candidate} over {row.baseline}: {str(row.status).replace('_', ' ')}: {row.reason.rstrip('.')}."
        for row in flagged.itertuples()
        if row.status != "missing"
    ]
    if measured.has_partial:
        found.append(f"What is partial gets no verdict and enters no mean. Complete it with: {measured.completing}, "
                     "where RUN is the run's folder.")  # fmt: skip
    return found


def _enforcement(measured: Measured) -> list[str]:
    engine = measured.header["engine"]
    if not engine["cannot_enforce"]:
        return []
    return [
        f"The engine {engine['name']} runs plain processes and cannot enforce: {', '.join(engine['cannot_enforce'])}."
    ]


def _few_steps(measured: Measured) -> list[str]:
    few = {(launch.steps.timed, launch.steps.warmup) for launch in measured.run.launches
           if launch.steps.timed < FEWEST_TIMED_STEPS}  # fmt: skip
    return [
        f"Launches timed {plural(timed, 'step')} after {plural(warmup, 'warm-up step')}: that training had come to its "
        "steady speed by then was not shown. `--warmup` and `--steps` give more."
        for timed, warmup in sorted(few)
    ]


def _noise(measured: Measured) -> list[str]:
    threads = measured.header["plan"]["pin"]["threads"]
    stolen = [share for record in measured.usable if (share := _steal_share(record.facts)) is not None]
    loads = [record.facts["before"].get("load_1_minute") for record in measured.usable]
    # The load before a launch still holds the launch before it, so only what exceeds the pin's own threads counts.
    busy = [load for load in loads if load is not None and load > threads + LOAD_WORTH_A_WORD]
    found = []
    if stolen and max(stolen) > STEAL_WORTH_A_WORD:
        found.append(f"The hypervisor took up to {max(stolen):.0%} of this host's CPU time during a launch: neighbours "
                     "were busy, or this host's own share is capped. The intervals include "
                     "its scatter between launches, not what it took from one side more than from the other."
                     )  # fmt: skip
    if busy:
        found.append(f"Something else was running before {len(busy)} of {len(loads)} launches (load up to "
                     f"{max(busy):.1f} on {threads} threads): repeat on a quiet host.")  # fmt: skip
    return found


def _steal_share(facts: Any) -> float | None:
    before, after = facts["before"], facts["after"]
    values = [side.get(name) for side in (before, after) for name in ("steal_seconds", "cpu_seconds")]
    if any(value is None for value in values) or values[3] - values[1] < LEAST_CPU_SECONDS:
        return None
    return float((values[2] - values[0]) / (values[3] - values[1]))
