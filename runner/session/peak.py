"""Measures the host's single-precision matrix product on a run's pin, in each installation, before its launches.

The largest result is the practical limit with which the speed of training is compared. Where a library gives this
processor's vendor slower code than it could, the product is measured once more without that check. Knows how launches
are carried out, not how the results are reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from runner.engines.protocol import Notify
from runner.planning.job import product_job
from runner.session.execute import carry_out
from runner.session.state import Session
from runner.storage import peak_records
from runner.storage.peak_records import Key, Peak, peak_key
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


@dataclass(frozen=True)
class Product:
    """A launch that multiplies matrices, and the variables that it has besides those of its variant."""

    launch: Launch
    besides: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """What identifies the measurement among the run's peaks."""
        return peak_key(self.launch.cell.stack, self.launch.installation, self.besides)


def measure_peaks(session: Session, notify: Notify) -> None:
    """Measure every product that is not measured yet, and append a line for each, also for an error.

    Raises:
        HostError: the engine cannot go on, or the results' disk is full.
    """
    run = session.run
    done = {peak.key for peak in peak_records.read(run.peaks_file) if peak.error is None}
    products = [product for product in peak_products(run) if product.key not in done]
    for number, product in enumerate(products, start=1):
        launch = product.launch
        besides = "".join(f" {name}={value}" for name, value in product.besides.items())
        where = f"{launch.cell.stack}/{launch.installation}{besides}"
        notify(f"measuring the matrix product's peak, {number} of {len(products)}: {where}")
        record = carry_out(session, launch, product_job(launch, sizes_for(session.context.pin.threads), REPEATS))
        peak = _peak(product, record)
        peak_records.append(run.peaks_file, peak)
        notify(f"  {_words(peak)}")


def peak_products(run: Run) -> list[Product]:
    """The products of each installation, in the environment of its first variant in the stack's order."""
    chosen: dict[tuple[str, str], Launch] = {}
    order = {
        (stack, variant): position
        for stack, entry in run.about.stacks.items()
        for position, variant in enumerate(entry.variants)
    }
    for launch in sorted(run.launches, key=lambda each: order[each.cell.stack, each.cell.variant]):
        chosen.setdefault((launch.cell.stack, launch.installation), launch)
    return [product for key in sorted(chosen) for product in _products(run, chosen[key])]


def _products(run: Run, launch: Launch) -> list[Product]:
    stack, installation = launch.cell.stack, launch.installation
    plain = replace(
        launch,
        launch_id=f"gemm-{stack}-{installation}",
        inter_op_threads=run.about.plan.bkms.inter_op_threads,
        time_limit_seconds=TIME_LIMIT_SECONDS,
        topology_file=None,
        turns=None,
    )
    check = run.about.stacks[stack].vendor_checks.get(installation)
    lifted = check.lifted_on(run.about.machine.processor.vendor) if check else {}
    if not lifted:
        return [Product(plain)]
    without = replace(
        plain, launch_id=f"{plain.launch_id}-vendor-check-lifted", environment={**plain.environment, **lifted}
    )
    return [Product(plain), Product(without, lifted)]


def sizes_for(threads: int) -> list[int]:
    """The sizes of the square matrices that are measured with this number of threads."""
    return [*SIZES, LARGE_SIZE] if threads >= MANY_THREADS else list(SIZES)


def _peak(product: Product, record: Record) -> Peak:
    launch = product.launch
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
        besides=product.besides,
    )


def _words(peak: Peak) -> str:
    if peak.error is not None:
        return f"not measured: {peak.error['kind']}: {peak.error['message'].splitlines()[0][:200]}"
    best = peak.best
    return f"{best['gflops_per_second']:.0f} GFLOP/s at size {best['size']}" if best else "nothing was measured"
