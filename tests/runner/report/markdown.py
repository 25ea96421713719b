"""Reads the tables of a report in Markdown, so that a test can ask for columns and values and not for phrases."""

from __future__ import annotations

import re
from itertools import groupby


def rows(text: str, *columns: str) -> list[dict[str, str]]:
    """Every row, by column, of the tables that have these columns among theirs; at least one table has."""
    found = [table for table in _tables(text) if set(columns) <= set(table[0])]
    assert found, f"no table of the report has the columns {columns}"
    return [dict(zip(names, values, strict=True)) for names, *below in found for values in below]


def _tables(text: str) -> list[list[list[str]]]:
    """Each table as its lines of cells: the names of the columns, then every row."""
    blocks = (list(lines) for is_table, lines in groupby(text.splitlines(), lambda each: each[:1] == "|") if is_table)
    return [[_cells(line) for number, line in enumerate(lines) if number != 1] for lines in blocks]


def _cells(line: str) -> list[str]:
    parts = re.split(r"(?<!\\)\|", line.strip())[1:-1]
    return [part.strip().replace("\\|", "|").replace("&lt;", "<") for part in parts]
