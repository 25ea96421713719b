"""Prints the table of coverages, and ends with 1 if a bound is broken: `python -m maintenance.bench_stats`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from maintenance.bench_stats.bounds import faults
from maintenance.bench_stats.code_hash import code_hash
from maintenance.bench_stats.design import designs, estimators
from maintenance.bench_stats.outcomes import KINDS, Narrower
from maintenance.bench_stats.scenarios import SCENARIOS, load_noise
from maintenance.bench_stats.simulation import Size
from maintenance.bench_stats.study import BURSTS, RUNS, Study, studies
from maintenance.bench_stats.table import SHOWN, document

TABLE = Path(__file__).resolve().parents[2] / "results" / "coverage.md"


def main() -> int:
    """Simulate, print, and with --write keep the document. Return the exit code."""
    options = _options()
    noise, runs = load_noise(), options.runs
    found: list[Study] = []
    for each in studies(SCENARIOS, noise, runs=runs, narrower=Narrower(options.kind, options.narrower)):
        print(f"simulated: {each.scenario.name}, {each.variants} variants", file=sys.stderr, flush=True)
        found.append(each)
    compared = list(estimators(noise, runs, Size(2, SHOWN, BURSTS)))
    text = document(noise, found, designs(noise, runs), compared, runs, code_hash())
    print(text)
    broken = [fault for each in found for fault in faults(each.scenario, each.outcomes, each.staged, runs)]
    for fault in broken:
        print(f"a bound is broken: {fault}", file=sys.stderr)
    if options.write and not broken:
        TABLE.write_text(text, encoding="utf-8")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m maintenance.bench_stats", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="simulated runs of each scenario (%(default)s)")
    parser.add_argument("--write", action="store_true", help="write results/coverage.md if no bound is broken")
    parser.add_argument("--narrower", type=float, default=0.0, metavar="SHARE",
                        help="make one kind of interval narrower by this share, to see a bound broken")  # fmt: skip
    parser.add_argument("--kind", choices=KINDS, default=KINDS[0], help="the kind for --narrower (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
