"""`report`: redraws a run's report from its records, or shows several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.cli.engines import Engines
from runner.cli.progress import CONSOLE, say
from runner.cli.terminal import print_results
from runner.compose.collect import collect, is_compose_run
from runner.errors import EXIT_DONE, EXIT_SOME_CELLS_FAILED, DiskError, UsageError
from runner.report.measured import measured
from runner.report.side_by_side import differing_conditions_table, side_by_side
from runner.storage import runs
from runner.storage.runs import Run
from runner.support.atomic import write_whole


@dataclass(frozen=True)
class Options:
    """What the command line asks for: the folders of runs, and where to write their comparison."""

    runs: Sequence[Path]
    out: Path | None


def run(options: Options, _engines: Engines) -> int:
    """Redraw one report, or compare several; exit code 1 if a cell of the one run failed."""
    loaded = [_load(folder) for folder in options.runs]
    if len(loaded) == 1:
        if options.out is not None:
            raise UsageError("--out goes with several runs; one run's report is written into its own folder.")
        return EXIT_DONE if print_results(loaded[0]) else EXIT_SOME_CELLS_FAILED
    everything = [measured(each) for each in loaded]
    frame, differing = side_by_side(everything), differing_conditions_table(everything)
    CONSOLE.print(frame.to_string(index=False), markup=False, soft_wrap=True)
    CONSOLE.print("\n[ ]: 95% interval, which holds together with those of all pairs of its run", markup=False)
    CONSOLE.print("\nconditions that differ:" if len(differing) else "\nall conditions are equal", markup=False)
    if len(differing):
        CONSOLE.print(differing.to_string(index=False), markup=False, soft_wrap=True)
    if options.out is not None:
        _write(
            options.out,
            {"side_by_side.csv": frame.to_csv(index=False), "conditions.csv": differing.to_csv(index=False)},
        )
    return EXIT_DONE


def _load(folder: Path) -> Run:
    """Read a run. If Docker Compose carried it out, its records are made first."""
    if not is_compose_run(folder):
        return runs.load(folder)
    collected = collect(folder)
    left = collected.remaining()
    if left:
        of = f"{len(left)} of {len(collected.launches)} launches"
        say(f"{folder}: {of} are left for another `up`: a block counts only if one session completes it")
    return collected


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_whole(folder / name, content)
    except OSError as error:
        raise DiskError(
            f"The comparison could not be written to {folder}: {error}. Name another folder with --out."
        ) from error
    CONSOLE.print(f"\nwritten to {folder}/", markup=False)
