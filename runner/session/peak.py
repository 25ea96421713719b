"""Measures the host's single-precision matrix product on a run's pin, once in each installation, before its launches.

The largest result is the practical limit with which the speed of training is compared. Knows how launches are carried
out, not how the results are reported.
"""

from __future__ import annotations

from dataclasses import replace

from runner.engines.protocol import Notify
from runner.planning.job import product_job
from runner.session.execute import carry_out
from runner.session.state import Session
from runner.storage import peak_records
from runner.storage.peak_records import Peak
from runner.storage.records import Record
from runner.storage.runs import Run
from runner.vocabulary import Launch

# Large enough to be limited by arithmetic, small enough to take seconds on two cores. One size alone would be unfair to
# some builds: their blockings favour some sizes. Many threads need a large matrix to have work for all of them.
SIZES = (1024, 2048, 4096)
MANY_THREADS = 16
LARGE_SIZE = 8192
REPEATS = 3
TIME_LIMIT_SECONDS = 60.0
# The conditions of a launch that only concern training steps.
_OF_STEPS = ("warmup_steps", "timed_steps", "seed")


def measure_peaks(session: Session, notify: Notify) -> None:
    """Measure every installation that has no peak yet, and append a line for each, also for an error.

    Raises:
        HostError: the engine cannot go on, or the results' disk is full.
    """
    run = session.run
    done = {peak.key for peak in peak_records.read(run.peaks_file) if peak.error is None}
    launches = [launch for launch in peak_launches(run) if (launch.cell.stack, launch.installation) not in done]
    for number, launch in enumerate(launches, start=1):
        where = f"{launch.cell.stack}/{launch.installation}"
        notify(f"measuring the matrix product's peak, {number} of {len(launches)}: {where}")
        record = carry_out(session, launch, product_job(launch, sizes_for(session.context.pin.threads), REPEATS))
        peak = _peak(launch, record)
        peak_records.append(run.peaks_file, peak)
        notify(f"  {_words(peak)}")


def peak_launches(run: Run) -> list[Launch]:
    """One launch for each installation, in the environment of its first variant in the stack's order."""
    chosen: dict[tuple[str, str], Launch] = {}
    order = {
        (stack, variant): position
        for stack, entry in run.about.stacks.items()
        for position, variant in enumerate(entry.variants)
    }
    for launch in sorted(run.launches, key=lambda each: order[each.cell.stack, each.cell.variant]):
        key = (launch.cell.stack, launch.installation)
        if key not in chosen:
            chosen[key] = replace(
                launch,
                launch_id=f"gemm-{launch.cell.stack}-{launch.installation}",
                inter_op_threads=run.about.plan.bkms.inter_op_threads,
                time_limit_seconds=TIME_LIMIT_SECONDS,
                topology_file=None,
                turns=None,
            )
    return [chosen[key] for key in sorted(chosen)]


def sizes_for(threads: int) -> list[int]:
    """The sizes of the square matrices that are measured with this number of threads."""
    return [*SIZES, LARGE_SIZE] if threads >= MANY_THREADS else list(SIZES)


def _peak(launch: Launch, record: Record) -> Peak:
    return Peak(
        stack=launch.cell.stack,
        installation=launch.installation,
        variant=launch.cell.variant,
        session=record.session,
        conditions={key: value for key, value in record.conditions.items() if key not in _OF_STEPS},
        settings=record.settings,
        facts=record.facts,
        result=record.result,
        error=record.error,
    )


def _words(peak: Peak) -> str:
    if peak.error is not None:
        return f"not measured: {peak.error['kind']}: {peak.error['message'].splitlines()[0][:200]}"
    best = peak.best
    return f"{best['gflops_per_second']:.0f} GFLOP/s at size {best['size']}" if best else "nothing was measured"
