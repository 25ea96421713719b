"""`bench`: images/s of every topology and variant, as ratios, and as a share of the host's measured GEMM peak.

It is a comparison like any other, kept as a run under results/runs, with one more launch for each variant in front
that multiplies large matrices on the same pin with the same settings.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
from collections.abc import Mapping
from typing import Any

from rich.table import Table

from runner import runs
from runner.atomic import write_whole
from runner.bkm import load_bkms, resolve
from runner.cli.compare import context_of, prepare, read_facts
from runner.cli.engine_ratio import measure_engine_ratio
from runner.cli.engines import Engines, choose_engine
from runner.cli.planning import LIVE_ROOT, machine_below, pin_from, require_fit, stacks_from
from runner.cli.progress import CONSOLE, Progress, say
from runner.engines.protocol import Artifact, Engine
from runner.errors import EXIT_DONE, EXIT_SOME_CELLS_FAILED, HostError
from runner.execute import GRACE_SECONDS, execute, make_folders
from runner.header import make_header
from runner.lock import machine_lock
from runner.observation import last_words, read_result
from runner.plan import Plan, Request, make_plan
from runner.report.measured import Measured, measured
from runner.report.wording import significant, topology_title, with_interval
from runner.runs import Run
from runner.stats.estimators import timed_step_seconds
from runner.vocabulary import TOPOLOGIES, Launch, Steps, one_of

# Large enough to be bound by arithmetic, small enough to take seconds on two cores.
GEMM_SIZES = (1024, 2048, 4096)
GEMM_REPEATS = 5
# How many of the topologies are also run as containers and processes in turn, where Docker is the engine.
ENGINE_TOPOLOGIES = 2


def run(arguments: argparse.Namespace, engines: Engines) -> int:
    """Measure and print the table; exit code 1 if a cell failed."""
    machine = machine_below(LIVE_ROOT)
    pin = pin_from(arguments, machine)
    stacks = stacks_from(arguments)
    request = Request(
        stacks=stacks,
        variants=(),
        topologies=tuple(one_of("topology", name, TOPOLOGIES) for name in arguments.topologies or TOPOLOGIES),
        batch_sizes=(arguments.batch_size,),
        blocks=arguments.blocks,
        steps=Steps(warmup=1, timed=arguments.steps),
    )
    bkms = resolve(load_bkms("article"), pin)
    plan = make_plan(request, pin, bkms)
    engine, why = choose_engine(arguments, engines, stacks)
    say(why)
    with machine_lock("bench"):
        require_fit(machine, pin)
        artifacts = prepare(engine, stacks, plan.launches)
        folder = runs.RUNS / runs.new_name("bench")
        header = make_header(
            folder.name, plan, machine, stacks, engine, artifacts, "python -m runner bench", [], arguments.memory
        )
        current = runs.create(folder, header)
        peaks = _gemm_peaks(plan, current, engine, artifacts)
        with Progress(current) as progress:
            execute(current, plan.launches, engine, artifacts, context_of(current, 1), read_facts, progress)
        everything = measured(current)
        CONSOLE.print(_table(everything, peaks))
        if engine.name == "docker":
            few = make_plan(dataclasses.replace(request, topologies=request.topologies[:ENGINE_TOPOLOGIES]), pin, bkms)
            measure_engine_ratio(arguments, engines, few, machine, stacks)
    return EXIT_DONE if all(pair.status == "ok" for pair in everything.pairs) else EXIT_SOME_CELLS_FAILED


def _gemm_peaks(
    plan: Plan, current: Run, engine: Engine, artifacts: Mapping[tuple[str, str], Artifact]
) -> dict[tuple[str, str], float]:
    """The largest GFLOP/s of a square single-precision matrix product, by stack and variant."""
    firsts: dict[tuple[str, str], Launch] = {}
    for launch in plan.launches:
        firsts.setdefault((launch.cell.stack, launch.cell.variant), launch)
    return {
        key: _gemm_peak(
            dataclasses.replace(launch, launch_id=f"gemm-{key[0]}-{key[1]}"), plan, current, engine, artifacts
        )
        for key, launch in firsts.items()
    }


def _gemm_peak(
    launch: Launch, plan: Plan, current: Run, engine: Engine, artifacts: Mapping[tuple[str, str], Artifact]
) -> float:
    say(f"measuring the matrix product's peak: {launch.cell.stack} {launch.cell.variant}")
    folders = make_folders(current, launch, session=1)
    write_whole(folders.job / "job.json", json.dumps(_gemm_job(launch)))
    artifact = artifacts[launch.cell.stack, launch.installation]
    engine.run(launch, plan.pin, artifact, folders, GRACE_SECONDS)
    result = read_result(folders.result / "result.json", launch.launch_id)
    if result is None or result["error"] is not None:
        raise HostError(f"The matrix product could not be measured: {last_words(folders.log)}")
    return max(float(size["gflops_per_second"]) for size in result["gemm"])


def _gemm_job(launch: Launch) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "launch_id": launch.launch_id,
        "kind": "gemm",
        "sizes": list(GEMM_SIZES),
        "repeats": GEMM_REPEATS,
        "intra_op_threads": launch.intra_op_threads,
        "inter_op_threads": launch.inter_op_threads,
        "time_limit_seconds": launch.time_limit_seconds,
    }


def _table(everything: Measured, peaks: Mapping[tuple[str, str], float]) -> Table:
    """One row for each cell: speed, ratio to the baseline, and how near the arithmetic comes to the host's limit."""
    best = max(peaks.values())
    table = Table(box=None, pad_edge=False, title_justify="left",
                  title=f"\nGEMM peak on this pin: {significant(best)} GFLOP/s")  # fmt: skip
    for name in ("topology", "variant"):
        table.add_column(name)
    for name in ("images/s", "ratio to the baseline", "GFLOP/s", "share of peak"):
        table.add_column(name, justify="right")
    ratios = {
        (row["stack"], row["topology"], row["candidate"]): with_interval(row["speedup"], row["ci_low"], row["ci_high"])
        for row in everything.speedups.to_dict("records")
        if row["baseline"] == everything.variants(row["stack"])[0] and row["blocks"]
    }
    for row in everything.throughputs.sort_values(["topology", "variant"]).to_dict("records"):
        gflops = _achieved(everything, row)
        ratio = ratios.get((row["stack"], row["topology"], row["variant"]), "baseline")
        table.add_row(topology_title(row["topology"]), row["variant"], significant(row["images_per_second"]), ratio,
                      significant(gflops), f"{gflops / best:.0%}")  # fmt: skip
    return table


def _achieved(everything: Measured, row: Mapping[str, Any]) -> float:
    """GFLOP/s of training: the graph's convolutions and matrix products over the median step time."""
    rates = [
        record.result["training_flops_per_step"] / statistics.median(timed_step_seconds(record)) / 1e9
        for record in everything.usable
        if record.result and (record.cell.variant, record.cell.topology) == (row["variant"], row["topology"])
    ]
    return float(statistics.median(rates))
