"""`report`: redraws a run's report from its records, or shows several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.catalogue.publications import Publication, further_publications
from runner.cli.engines import Engines
from runner.cli.progress import CONSOLE, say
from runner.cli.terminal import print_reproduction, print_results
from runner.compose.collect import collect, is_compose_run
from runner.errors import EXIT_DONE, EXIT_SOME_CELLS_FAILED, DiskError, UsageError
from runner.report.measured import measured
from runner.report.side_by_side import differing_conditions_table, side_by_side
from runner.storage import runs
from runner.storage.reproductions import Reproduction, is_reproduction
from runner.storage.reproductions import load as load_reproduction
from runner.storage.runs import Run
from runner.support.atomic import write_whole


@dataclass(frozen=True)
class Options:
    """What the command line asks for: the folders of runs, and where to write their comparison.

    `publication` are names of publications that one run's report judges besides the article, or `all`.
    """

    runs: Sequence[Path]
    publication: tuple[str, ...] | None
    out: Path | None


def run(options: Options, _engines: Engines) -> int:
    """Redraw one report, or compare several; exit code 1 if a cell of the one run failed.

    A reproduction is redrawn with all its parts.
    """
    further = further_publications(options.publication or ())
    if further and len(options.runs) > 1:
        raise UsageError("--publication goes with one run; several runs are shown side by side, without claims.")
    if len(options.runs) == 1 and options.out is None and is_reproduction(options.runs[0]):
        return _redraw(load_reproduction(options.runs[0]), further)
    loaded = [_load(folder) for folder in options.runs]
    if len(loaded) == 1:
        if options.out is not None:
            raise UsageError("--out goes with several runs; one run's report is written into its own folder.")
        return EXIT_DONE if print_results(loaded[0], further) else EXIT_SOME_CELLS_FAILED
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


def _redraw(made: Reproduction, further: Sequence[Publication]) -> int:
    are_well = [print_results(each, further) for each in made.runs]
    print_reproduction(made)
    return EXIT_DONE if all(are_well) else EXIT_SOME_CELLS_FAILED


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
