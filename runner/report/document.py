"""The report as data: sections of paragraphs, tables and figures. It contains no Markdown and no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from runner.report.plot import Forest, Strip


@dataclass(frozen=True)
class Table:
    """Rows of text under column names. Columns named in `numeric` are aligned to the right.

    The rows of `foot` sum up the others, and stay below them when the table is sorted.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str] = frozenset()
    caption: str = ""
    foot: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Figure:
    """A drawing. It is written as <name>.svg and <name>.png, and shown in its section."""

    name: str
    description: str
    svg: bytes
    png: bytes


@dataclass(frozen=True)
class Section:
    """A heading with its contents, figures first.

    With a `summary`, one line in plain text, the page shows only that line until a reader opens the section. A `strip`
    is drawn on the page only.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    commands: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    summary: str = ""
    strip: Strip | None = None


@dataclass(frozen=True)
class FirstScreen:
    """What a reader sees before anything else: sentences, the plot, and what is open. Code stands between backticks."""

    sentences: tuple[str, ...]
    brackets: str
    advice: tuple[str, ...]
    forest: Forest
    not_proven: str
    would_decide: str
    repeat: str


@dataclass(frozen=True)
class Document:
    """A whole report. `picture` is the first screen's plot, for files and for Markdown; the page draws it itself."""

    title: str
    subtitle: str
    findings: tuple[str, ...]
    warnings: tuple[str, ...]
    sections: tuple[Section, ...] = field(default=())
    first: FirstScreen | None = None
    picture: Figure | None = None

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure, in the order of the sections."""
        return tuple(figure for section in self.sections for figure in section.figures)


def table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[str] = (), caption: str = ""
) -> Table:
    """Return a table made from any sequences."""
    return Table(tuple(columns), tuple(tuple(row) for row in rows), frozenset(numeric), caption)
