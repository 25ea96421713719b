"""`bench`: images/s of every topology and variant, as ratios, and as a share of the host's measured GEMM peak.

It is a comparison like any other, but small by default. It is kept as a run under results/runs, with its report.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from pathlib import Path

from rich.table import Table

from runner.catalogue.topology_file import chosen_topologies
from runner.cli.by_hand import against_by_hand, measure_by_hand
from runner.cli.engine_ratio import BLOCKS, measure_engine_ratio, ready_process
from runner.cli.engines import Engines, choose_engine
from runner.cli.progress import CONSOLE, Progress, say
from runner.errors import EXIT_DONE, EXIT_SOME_CELLS_FAILED
from runner.planning.plan import Request, make_plan
from runner.report.measured import blocks_in_words
from runner.report.observer import observer_sentences
from runner.report.peak_sections import achieved, host_peak
from runner.report.value_text import estimated, plural, significant, topology_title
from runner.report.write import write_report
from runner.session.execute import execute
from runner.session.opening import begin, make_ready
from runner.session.options import EngineOptions, PinOptions
from runner.session.peak import measure_peaks
from runner.session.planned import PlannedComparison, plan_request, stacks_from
from runner.session.prepared import measuring
from runner.session.state import Session
from runner.session.user_topology import user_topology_of
from runner.stats.launch_time import launch_time
from runner.stats.results import Results
from runner.stats.tables import half_width
from runner.status import NO_FAULT
from runner.storage import runs
from runner.storage.remaining import TRAINING_GFLOPS
from runner.vocabulary import TOPOLOGIES, Steps, TurnSize

BKMS = "article"
COMMAND = "python -m runner bench"
TURNS = TurnSize(bursts=2, burst_seconds=1.0)


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `steps` are the timed steps of each launch.

    With `by_hand`, launches that the kit starts are compared with the same ones started by hand.
    """

    stack: tuple[str, ...] | None
    topologies: tuple[str, ...] | None
    topology_file: Path | None
    inter_op: int | None
    batch_size: int
    blocks: int
    steps: int
    by_hand: bool
    pin: PinOptions
    engine: EngineOptions


def run(options: Options, engines: Engines) -> int:
    """Measure and print the table; exit code 1 if a cell failed."""
    planned = _planned(options)
    engine, why = choose_engine(options.engine, engines, planned.stacks)
    say(why)
    with measuring("bench", engine):
        ready = make_ready(planned, engine, runs.RUNS, say, match=False)
        few = _cheapest(planned)
        process = ready_process(options.engine, engines, few) if few is not None and engine.is_contained else None
        folder = runs.RUNS / runs.new_name(planned.label)
        session = begin(ready, folder, COMMAND, options.engine.memory_bytes, {"peak": True})
        everything = _measure(session)
        CONSOLE.print(_table(everything))
        for text in _economy(everything):
            say(text)
        say(f"\nreport: {session.run.folder / 'report.html'}")
        if few is not None and process is not None:
            measure_engine_ratio(replace(ready, planned=few), process)
        if options.by_hand and few is None:
            say("the kit compared with a start by hand is left out: it takes a built-in topology")
        elif few is not None and options.by_hand:
            measure_by_hand(replace(ready, planned=against_by_hand(few)), options.engine.memory_bytes)
    return EXIT_DONE if all(pair.status in NO_FAULT for pair in everything.pairs) else EXIT_SOME_CELLS_FAILED


def _planned(options: Options) -> PlannedComparison:
    user_topology = user_topology_of(options.topology_file)
    request = Request(
        stacks=stacks_from(options.stack),
        variants=(),
        topologies=chosen_topologies(options.topologies, TOPOLOGIES, user_topology),
        batch_sizes=(options.batch_size,),
        blocks=options.blocks,
        steps=Steps(warmup=2, timed=options.steps),
        turns=TURNS,
        user_topology=user_topology.file if user_topology else None,
    )
    return plan_request("bench", request, options.pin, BKMS, options.inter_op, user_topology)


def _cheapest(planned: PlannedComparison) -> PlannedComparison | None:
    """The plan of the comparisons of container and process, and of kit and by hand: the cheapest measured topology.

    The cost of a container is most visible where training is cheap, and takes the least time to measure there. Returns
    None if only the user's own topology is measured.
    """
    request, plan = planned.request, planned.plan
    kits = sorted(set(request.topologies) & set(TOPOLOGIES), key=lambda name: TRAINING_GFLOPS[name])
    if not kits:
        return None
    few = replace(request, topologies=(kits[0],), user_topology=None, blocks=max(BLOCKS, request.blocks))
    return replace(planned, request=few, plan=make_plan(few, plan.pin, plan.bkms), user_topology=None)


def _measure(session: Session) -> Results:
    measure_peaks(session, say)
    with Progress(session.run, session.run.launches) as progress:
        execute(session, session.run.launches, progress)
    return write_report(session.run)


def _economy(everything: Results) -> tuple[str, ...]:
    """What the run's time was worth: the share that was timed, the widths of intervals, and what the kit took."""
    time = launch_time(everything.usable)
    shares = () if time is None else (f"\ntimed training: {time.timed_share:.0%} of the launches' wall time",)
    estimates = [row.alone for row in everything.speedups.values() if row.alone is not None and row.alone.has_interval]
    widths = [half_width(each) for each in estimates]
    widest = (
        (f"half widths of the 95% intervals: {statistics.median(widths):.1%} in the median, {max(widths):.1%} at most, "
         f"over {plural(len(widths), 'pair')} and {blocks_in_words(everything)}",)
        if widths else ()
    )  # fmt: skip
    return (*shares, *widest, *observer_sentences(everything.usable))


def _table(everything: Results) -> Table:
    """One row for each cell: speed, ratio to the baseline, and its share of the host's GEMM peak."""
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
