"""The report as data: sections of paragraphs, tables and figures. It contains no Markdown and no HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runner.report.plot import Forest, Strip


@dataclass(frozen=True)
class Table:
    """Rows of text under column names. Columns named in `numeric` are aligned to the right.

    The rows of `foot` sum up the others, and stay below them when the table is sorted. The page shows only the caption
    of a `folded` table until a reader opens it.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str] = frozenset()
    caption: str = ""
    foot: tuple[tuple[str, ...], ...] = ()
    folded: bool = False


@dataclass(frozen=True)
class Figure:
    """A drawing, which its section shows, written as <name>.svg and <name>.png, and as <name>.pdf if it has a `pdf`."""

    name: str
    description: str
    svg: bytes
    png: bytes
    pdf: bytes = b""


@dataclass(frozen=True)
class Samples:
    """What is behind the speedups of one group: the command that repeats them, and each launch's raw samples.

    The command is empty if none does. `anchor` is the name by which the page links to it. `links` has the address,
    relative to the page, of what a cell of the table names.
    """

    anchor: str
    title: str
    command: str
    table: Table
    links: Mapping[str, str]


@dataclass(frozen=True)
class Section:
    """A heading with its contents, figures first.

    With a `summary`, one line in plain text, the page shows only that line until a reader opens the section. A `strip`
    and `samples` are on the page only.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    commands: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    summary: str = ""
    strip: Strip | None = None
    samples: tuple[Samples, ...] = ()


@dataclass(frozen=True)
class FirstScreen:
    """What a reader sees before anything else: sentences, the plot, and what is open. Code stands between backticks.

    `in_short` says in a line what is not proven, and is empty if nothing is open. `not_proven` says it in full.
    """

    sentences: tuple[str, ...]
    in_short: str
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
