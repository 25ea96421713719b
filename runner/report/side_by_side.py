"""Several runs side by side: the speedups of each, and the conditions that differ. Nothing of two runs is divided."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from runner.checks.conditions import differing_conditions, flatten
from runner.frames import speedups
from runner.frames.sources import names_of
from runner.report.measured import condition
from runner.report.value_text import shown
from runner.stats.results import Results

KEYS = ["stack", "topology", "batch_size", "candidate", "baseline"]


def side_by_side(everything: Sequence[Results]) -> pd.DataFrame:
    """Return one row for each pair that any run has, and one column with speedup and interval for each run."""
    columns = []
    for name, each in zip(names_of(everything), everything, strict=True):
        pairs = pd.MultiIndex.from_frame(speedups(each)[KEYS])
        columns.append(pd.Series([shown(row) for row in each.speedups.values()], index=pairs, name=name, dtype=object))
    return pd.concat(columns, axis=1).fillna("—").reset_index()


def differing_conditions_table(everything: Sequence[Results]) -> pd.DataFrame:
    """Return one row for each condition that is not the same in all runs, and one column for each run."""
    names = differing_conditions(record for each in everything for record in each.usable)
    values = []
    for each in everything:
        found = [dict(flatten(record.conditions)) for record in each.usable]
        values.append(
            [" / ".join(dict.fromkeys(condition(each, name, one.get(name)) for one in found)) for name in names]
        )
    return pd.DataFrame({"condition": list(names), **dict(zip(names_of(everything), values, strict=True))})
