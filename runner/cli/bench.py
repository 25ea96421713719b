"""`bench`: images/s of every topology and variant, as ratios, and as a share of the host's measured GEMM peak.

It is a comparison like any other, small by default and kept as a run under results/runs, with its report.
"""

from __future__ import annotations

import argparse
import dataclasses
import math

from rich.table import Table

from runner.catalogue.topology_file import chosen_topologies, keep
from runner.cli.compare import context_of, prepare, read_facts
from runner.cli.engine_ratio import BLOCKS, Side, measure_engine_ratio, ready_process
from runner.cli.engines import Engines, choose_engine, measuring
from runner.cli.own_topology import built, own_topology_json, own_topology_of
from runner.cli.planning import LIVE_ROOT, bkms_from, machine_below, pin_from, require_fit, stacks_from
from runner.cli.progress import CONSOLE, Progress, say
from runner.errors import EXIT_DONE, EXIT_SOME_CELLS_FAILED
from runner.planning.plan import Request, make_plan
from runner.report.peak_sections import achieved, host_peak
from runner.report.wording import estimated, significant, topology_title
from runner.report.write import write_report
from runner.session.execute import execute
from runner.session.header import make_header
from runner.session.peak import measure_peaks
from runner.stats.results import Results
from runner.storage import runs
from runner.storage.remaining import TRAINING_GFLOPS
from runner.vocabulary import TOPOLOGIES, Steps


def run(arguments: argparse.Namespace, engines: Engines) -> int:
    """Measure and print the table; exit code 1 if a cell failed."""
    machine = machine_below(LIVE_ROOT)
    pin = pin_from(arguments, machine)
    stacks = stacks_from(arguments)
    own = own_topology_of(arguments)
    request = Request(
        stacks=stacks,
        variants=(),
        topologies=chosen_topologies(arguments.topologies, TOPOLOGIES, own),
        batch_sizes=(arguments.batch_size,),
        blocks=arguments.blocks,
        steps=Steps(warmup=1, timed=arguments.steps),
        own_topology=own.file if own else None,
    )
    bkms = bkms_from(arguments, "article", pin)
    plan = make_plan(request, pin, bkms)
    engine, why = choose_engine(arguments, engines, stacks)
    say(why)
    with measuring("bench", engine):
        require_fit(machine, pin, engine)
        artifacts = prepare(engine, stacks, plan.launches, runs.RUNS)
        # What a container costs shows most where training is cheap, and takes the least time there.
        kits = sorted(set(request.topologies) & set(TOPOLOGIES), key=lambda name: TRAINING_GFLOPS[name])
        contained = engine.name == "docker" and kits
        process = ready_process(arguments, engines, stacks, plan.launches) if contained else None
        plan, description = built(own, request, plan, engine, artifacts, say)
        folder = runs.RUNS / runs.new_name("bench")
        header = make_header(
            folder.name, plan, machine, stacks, engine, artifacts, "python -m runner bench", [], arguments.memory
        )
        current = runs.create(folder, {**header, "peak": True, **own_topology_json(own, description)})
        if own is not None:
            keep(own, current.folder)
        context = context_of(current, 1)
        measure_peaks(current, engine, artifacts, context, read_facts, say)
        with Progress(current, plan.launches) as progress:
            execute(current, plan.launches, engine, artifacts, context, read_facts, progress)
        everything = write_report(current)
        CONSOLE.print(_table(everything))
        say(f"\nreport: {current.folder / 'report.html'}")
        if process is not None:
            blocks = max(BLOCKS, request.blocks)
            few = dataclasses.replace(request, topologies=(kits[0],), own_topology=None, blocks=blocks)
            measure_engine_ratio(Side(engine, artifacts), process, make_plan(few, pin, bkms), machine, stacks)
    return EXIT_DONE if all(pair.status == "ok" for pair in everything.pairs) else EXIT_SOME_CELLS_FAILED


def _table(everything: Results) -> Table:
    """One row for each cell: speed, ratio to the baseline, and how near the arithmetic comes to the host's limit."""
    title = f"\nGEMM peak on this pin: {significant(host_peak(everything))} GFLOP/s"
    table = Table(box=None, pad_edge=False, title_justify="left", title=title)
    for name in ("topology", "variant"):
        table.add_column(name)
    for name in ("images/s", "ratio to the baseline", "GFLOP/s", "share of peak"):
        table.add_column(name, justify="right")
    ratios = {
        comparison.cells[1]: estimated(row.alone)
        for comparison, row in everything.speedups.items()
        if comparison.baseline == everything.variants(comparison.group.stack)[0] and row.blocks
    }
    for row in achieved(everything):
        cell = row.cell
        ratio = ratios.get(cell, "baseline")
        share = "—" if math.isnan(row.share) else f"{row.share:.0%}"
        table.add_row(topology_title(cell.topology), cell.variant,
                      significant(everything.throughputs[cell].images_per_second.value), ratio,
                      significant(row.gflops), share)  # fmt: skip
    return table
