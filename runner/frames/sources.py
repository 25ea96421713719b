"""Reads the runs that a frame is made of, each once, and gives each a name that no other of them has."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from runner.stats.results import Results, results_of
from runner.storage import runs

# A run's folder, or the results that were read from it.
Source = str | os.PathLike[str] | Results


def named(sources: Sequence[Source]) -> list[tuple[str, Results]]:
    """Return the results of each run with its name, in the order given.

    Raises:
        RunFormatError: a folder holds no run, or a run that is damaged or of a newer schema.
    """
    everything = [each if isinstance(each, Results) else results_of(runs.load(Path(each))) for each in sources]
    return list(zip(names_of(everything), everything, strict=True))


def names_of(everything: Sequence[Results]) -> list[str]:
    """Return each run's name. Runs that share a name, because one is a copy of another, are named by their folders."""
    counts = Counter(each.run.name for each in everything)
    return [each.run.name if counts[each.run.name] == 1 else str(each.run.folder) for each in everything]
