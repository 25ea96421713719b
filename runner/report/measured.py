"""A run with its records and tables, computed once for all parts of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from runner.records import Record, latest
from runner.runs import Run
from runner.stats.pairs import Pair, pairs_of, variants_of
from runner.stats.tables import speedups, summaries, throughputs


@dataclass(frozen=True)
class Measured:
    """Everything a report is made from. Tables are pandas frames in the columns that `stats.tables` documents."""

    run: Run
    records: tuple[Record, ...]

    @property
    def header(self) -> Mapping[str, Any]:
        """run.json."""
        return self.run.header

    @cached_property
    def pairs(self) -> list[Pair]:
        """Every pair of every group."""
        return pairs_of(self.run, self.records)

    @cached_property
    def speedups(self) -> pd.DataFrame:
        """The table of speedups.csv."""
        return speedups(self.pairs)

    @cached_property
    def throughputs(self) -> pd.DataFrame:
        """Images per second of each cell, in the report's order of topologies."""
        return throughputs(self.records)

    @cached_property
    def summaries(self) -> pd.DataFrame:
        """Geometric means and largest speedups."""
        return summaries(self.pairs)

    @property
    def stacks(self) -> list[str]:
        """The stacks of the run."""
        return list(self.header["stacks"])

    def variants(self, stack: str) -> list[str]:
        """The variants of a stack that were compared, the baseline first."""
        return variants_of(self.run, stack)

    def label(self, stack: str, variant: str) -> str:
        """A variant's name for people."""
        return str(self.header["stacks"][stack]["variants"][variant]["label"])

    @property
    def batch_sizes(self) -> list[int]:
        """The batch sizes of the run, ascending."""
        return sorted({launch.cell.batch_size for launch in self.run.launches})

    @property
    def usable(self) -> list[Record]:
        """The records that count and have samples."""
        return [record for record in latest(list(self.records)).values() if record.error is None]

    @property
    def unfinished(self) -> int:
        """How many planned launches have no record yet."""
        return len(self.run.launches) - len(latest(list(self.records)))


def measured(run: Run) -> Measured:
    """Read a run's records."""
    return Measured(run, tuple(run.read_records()))
