"""The report as data: sections of paragraphs, tables and figures. Knows nothing of Markdown or HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """Rows of text under column names. Columns named in `numeric` are aligned to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str] = frozenset()
    caption: str = ""


@dataclass(frozen=True)
class Figure:
    """A drawing: written as <name>.svg and <name>.png, and shown where its section stands."""

    name: str
    description: str
    svg: bytes
    png: bytes


@dataclass(frozen=True)
class Section:
    """A heading with what stands below it, figures first."""

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    commands: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    folded: bool = False


@dataclass(frozen=True)
class Document:
    """A whole report."""

    title: str
    subtitle: str
    findings: tuple[str, ...]
    warnings: tuple[str, ...]
    sections: tuple[Section, ...] = field(default=())

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure, in the order of the sections."""
        return tuple(figure for section in self.sections for figure in section.figures)


def table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[str] = (), caption: str = ""
) -> Table:
    """A table from any sequences."""
    return Table(tuple(columns), tuple(tuple(row) for row in rows), frozenset(numeric), caption)
