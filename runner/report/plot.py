"""The plots that a page draws with its own text and not as pictures, so that they can be read at any width, as data.

These are the forest plot of the speedups, and the strip of time.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """An interval on the axis: its ends in percent of the axis, and whether it goes on beyond them."""

    low: float
    high: float
    goes_on_below: bool
    goes_on_above: bool


@dataclass(frozen=True)
class Dot:
    """One block's ratio on the axis, in percent of it, with what it is in words."""

    at: float
    title: str


@dataclass(frozen=True)
class Mark:
    """One pair of one network. `y` is in pixels from the row's upper edge.

    `hollow` is true if the pair's divisor is not the stack's baseline, `counted` false if the pair is flagged or not
    complete.
    """

    text: str
    title: str
    colour: str
    hollow: bool
    counted: bool
    y: int
    dot: Dot
    alone: Line | None
    together: Line | None
    blocks: tuple[Dot, ...]


@dataclass(frozen=True)
class Row:
    """One network at one batch size, with a mark for each pair. `href` leads to the raw samples behind them."""

    name: str
    height: int
    marks: tuple[Mark, ...]
    href: str


@dataclass(frozen=True)
class Tick:
    """A line across the axis with its label, in percent of the axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Panel:
    """One stack: its title, its pairs as (colour, hollow, name), its rows, and the line of a published figure."""

    title: str
    pairs: tuple[tuple[str, bool, str], ...]
    rows: tuple[Row, ...]
    published: Tick | None


@dataclass(frozen=True)
class Forest:
    """The whole plot."""

    panels: tuple[Panel, ...]
    ticks: tuple[Tick, ...]
    caption: str


@dataclass(frozen=True)
class Bar:
    """One burst on the strip of time: where it begins and how long it is, in percent of the axis; `y` is in pixels."""

    at: float
    width: float
    y: float
    colour: str
    title: str


@dataclass(frozen=True)
class StripRow:
    """One network, with the bursts of all its launches. `height` is in pixels; its middle is the typical step."""

    name: str
    height: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class StripPanel:
    """One session of a run. The title is empty if there is only one."""

    title: str
    rows: tuple[StripRow, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Strip:
    """The whole strip, with the colour and the name of each variant."""

    panels: tuple[StripPanel, ...]
    keys: tuple[tuple[str, str], ...]
    caption: str
