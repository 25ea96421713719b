"""The end of a run on the terminal: the report is written, its table and its path are shown."""

from __future__ import annotations

from rich.table import Table

from runner.cli.progress import CONSOLE
from runner.report.measured import Measured
from runner.report.wording import interval, times, topology_title
from runner.report.write import write_report
from runner.runs import Run


def print_results(run: Run) -> bool:
    """Write a run's report and show its table; true if every planned cell was measured and is in order."""
    everything = write_report(run)
    CONSOLE.print(speedup_table(everything))
    CONSOLE.print(f"\nreport: {run.folder / 'report.html'}", markup=False, soft_wrap=True)
    return all(pair.status == "ok" for pair in everything.pairs)


def speedup_table(everything: Measured) -> Table:
    """The speedups as a table for the terminal."""
    table = Table(box=None, pad_edge=False, title_justify="left", title=f"\nspeedups, {everything.run.name}")
    for name in ("stack", "topology"):
        table.add_column(name)
    for name in ("batch", "images/s", "over", "speedup", "95% interval"):
        table.add_column(name, justify="right")
    for name in ("pair", "verdict"):
        table.add_column(name)
    for row in everything.speedups.itertuples():
        remark = (
            row.verdict if row.status == "ok" else f"{row.verdict} {row.status.replace('_', ' ')}: {row.reason}"[:120]
        )
        measured = row.blocks > 0
        table.add_row(
            row.stack, topology_title(row.topology), str(row.batch_size),
            f"{row.candidate_images_per_second:.2f}" if measured else "—",
            f"{row.baseline_images_per_second:.2f}" if measured else "—",
            times(row.speedup), interval(row.ci_low, row.ci_high), f"{row.candidate} / {row.baseline}", remark.strip(),
        )  # fmt: skip
    return table
