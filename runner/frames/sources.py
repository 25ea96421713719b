"""What a frame is made of: runs, read once each, and the name that tells each of them from the others."""

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
    """The results of each run with its name, in the order given.

    Raises:
        RunFormatError: a folder holds no run, or one that is damaged or of a newer schema.
    """
    everything = [each if isinstance(each, Results) else results_of(runs.load(Path(each))) for each in sources]
    return list(zip(names_of(everything), everything, strict=True))


def names_of(everything: Sequence[Results]) -> list[str]:
    """Each run's name; its folder where a copy of a run has kept the name."""
    counts = Counter(each.run.name for each in everything)
    return [each.run.name if counts[each.run.name] == 1 else str(each.run.folder) for each in everything]
