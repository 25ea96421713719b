"""The report as data: sections of paragraphs, tables and figures. It contains no Markdown and no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from runner.report.plot import Forest


@dataclass(frozen=True)
class Table:
    """Rows of text under column names. Columns named in `numeric` are aligned to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str] = frozenset()
    caption: str = ""


@dataclass(frozen=True)
class Figure:
    """A drawing. It is written as <name>.svg and <name>.png, and shown in its section."""

    name: str
    description: str
    svg: bytes
    png: bytes


@dataclass(frozen=True)
class Section:
    """A heading with its contents, figures first. `folded` tables are hidden until a reader opens them (in HTML)."""

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    commands: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    folded: bool = False


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
    """A whole report."""

    title: str
    subtitle: str
    findings: tuple[str, ...]
    warnings: tuple[str, ...]
    sections: tuple[Section, ...] = field(default=())
    first: FirstScreen | None = None

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure, in the order of the sections."""
        return tuple(figure for section in self.sections for figure in section.figures)


def table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[str] = (), caption: str = ""
) -> Table:
    """Return a table made from any sequences."""
    return Table(tuple(columns), tuple(tuple(row) for row in rows), frozenset(numeric), caption)
