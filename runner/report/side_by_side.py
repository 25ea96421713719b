"""Several runs side by side: each one's speedups, and the conditions in which the runs differ. Divides nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from runner.checks.conditions import differing_conditions, flatten
from runner.report.measured import Measured
from runner.report.wording import present, with_interval

KEYS = ["stack", "topology", "batch_size", "candidate", "baseline"]


def side_by_side(everything: Sequence[Measured]) -> pd.DataFrame:
    """One row for each pair that any run has, one column with speedup and interval for each run."""
    columns = []
    for each in everything:
        frame = each.speedups.set_index(KEYS)
        texts = [
            with_interval(row.speedup, row.ci_low, row.ci_high) if row.blocks else str(row.status)
            for row in frame.itertuples()
        ]
        columns.append(pd.Series(texts, index=frame.index, name=each.run.name, dtype=object))
    return pd.concat(columns, axis=1).fillna("—").reset_index()


def differing_conditions_table(everything: Sequence[Measured]) -> pd.DataFrame:
    """The conditions that are not the same in all runs, one column for each run."""
    names = differing_conditions(record for each in everything for record in each.usable)
    values = []
    for each in everything:
        found = [dict(flatten(record.conditions)) for record in each.usable]
        values.append([" / ".join(dict.fromkeys(present(one.get(name)) for one in found)) for name in names])
    runs = [each.run.name for each in everything]
    return pd.DataFrame({"condition": list(names), **dict(zip(runs, values, strict=True))})
