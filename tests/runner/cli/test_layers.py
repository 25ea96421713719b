"""Layers on the screen: bars on a terminal, one line for each that has ended everywhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from runner.cli.layers import LayerProgress
from runner.registry.transfer import Layer

STORY = (
    Layer("abc", "Preparing"),
    Layer("abc", "Pushing", 1_000_000, 5_000_000),
    Layer("def", "Layer already exists"),
    Layer("abc", "Pushing", 5_100_000, 5_000_000),
    Layer("abc", "Pushed"),
    Layer("abc", "Pushed"),
)


@pytest.mark.parametrize("terminal", [False, True])
def test_each_layer_that_has_ended_is_one_line(terminal: bool) -> None:
    """The line tells the size where it is known. A progress bar is drawn on a terminal only."""
    out = io.StringIO()
    with LayerProgress(Console(file=out, force_terminal=terminal, width=100, highlight=False)) as progress:
        for layer in STORY:
            progress(layer)
    text = out.getvalue()
    assert text.count("layer abc: pushed (5.1 MB)") == 1
    assert text.count("layer def: layer already exists") == 1
    assert ("━" in text) == terminal


def test_a_layer_that_is_fetched_and_not_unpacked_has_not_ended_for_people() -> None:
    """The line is printed when the unpacking has ended."""
    out = io.StringIO()
    with LayerProgress(Console(file=out)) as progress:
        progress(Layer("abc", "Download complete"))
        assert out.getvalue() == ""
        progress(Layer("abc", "Pull complete"))
    assert "layer abc: pull complete" in out.getvalue()
