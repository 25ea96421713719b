"""Several runs side by side: each one's speedups, and the conditions in which the runs differ. Divides nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from runner.checks.conditions import differing_conditions, flatten
from runner.report.measured import Measured
from runner.report.wording import shown

KEYS = ["stack", "topology", "batch_size", "candidate", "baseline"]


def side_by_side(everything: Sequence[Measured]) -> pd.DataFrame:
    """One row for each pair that any run has, one column with speedup and interval for each run."""
    columns = []
    for name, each in zip(_names(everything), everything, strict=True):
        frame = each.speedups.set_index(KEYS)
        texts = [shown(row) for row in frame.itertuples()]
        columns.append(pd.Series(texts, index=frame.index, name=name, dtype=object))
    return pd.concat(columns, axis=1).fillna("—").reset_index()


def differing_conditions_table(everything: Sequence[Measured]) -> pd.DataFrame:
    """The conditions that are not the same in all runs, one column for each run."""
    names = differing_conditions(record for each in everything for record in each.usable)
    values = []
    for each in everything:
        found = [dict(flatten(record.conditions)) for record in each.usable]
        values.append(
            [" / ".join(dict.fromkeys(each.condition(name, one.get(name)) for one in found)) for name in names]
        )
    return pd.DataFrame({"condition": list(names), **dict(zip(_names(everything), values, strict=True))})


def _names(everything: Sequence[Measured]) -> list[str]:
    """Each run's name; its folder where a copy of a run has kept the name."""
    names = [each.run.name for each in everything]
    return [
        name if names.count(name) == 1 else str(each.run.folder) for name, each in zip(names, everything, strict=True)
    ]
