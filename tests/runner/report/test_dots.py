"""Every block is a dot beside its interval."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from runner.report.dots import OPACITY, draw_dots, room_for_dots


def test_dots_stand_in_the_order_of_the_blocks_inside_the_bar_to_the_right_of_its_interval() -> None:
    axes = Figure().subplots()
    draw_dots(axes, 2.0, 0.5, [3.0, 1.0, 2.0])
    (dots,) = axes.get_lines()
    places, values = np.asarray(dots.get_xdata(), dtype=float), np.asarray(dots.get_ydata(), dtype=float)
    assert values.tolist() == [3.0, 1.0, 2.0]
    assert places.tolist() == sorted(places)
    assert places[0] > 2.0
    assert places[-1] < 2.25


def test_dots_do_not_move_the_limits_of_the_axes() -> None:
    axes = Figure().subplots()
    axes.bar(0, 1.0)
    before = axes.get_ylim()
    draw_dots(axes, 0.0, 0.8, [50.0])
    axes.autoscale_view()
    assert axes.get_ylim() == before


def test_an_axis_reaches_above_the_highest_dot() -> None:
    assert room_for_dots([1.0, 4.0, 2.0]) == pytest.approx(4.12)
    assert room_for_dots([]) == 0


def test_figure_1_has_a_dot_for_each_launch_and_for_each_ratio(
    in_folder: Path, finished_run: Callable[..., Path]
) -> None:
    """Two variants in two blocks: four speeds and two ratios."""
    folder = finished_run("compare", "--variants", "stock,intel", "--topologies", "resnet50", "--blocks", "2",
                          "--out", "run")  # fmt: skip
    svg = (folder / "run/figure1.svg").read_text()
    assert len(re.findall(rf"<use [^>]*opacity: {OPACITY}", svg)) == 6
