"""What a word says wherever it stands: of engines, on every one that the command line offers."""

from __future__ import annotations

from typing import get_args

import pytest

from runner.engines.docker import DockerEngine
from runner.engines.venv import VenvEngine
from runner.vocabulary import EngineName, runs_containers


def test_every_engine_is_tried_below() -> None:
    """A third one has to say what it is."""
    assert {DockerEngine.name, VenvEngine.name} == set(get_args(EngineName))


@pytest.mark.parametrize(("engine", "contained"), [(DockerEngine, True), (VenvEngine, False)])
def test_an_engine_and_its_name_in_a_record_say_the_same(
    engine: type[DockerEngine] | type[VenvEngine], contained: bool
) -> None:
    """A record is judged by the name alone, long after the engine is gone."""
    assert engine.is_contained is contained
    assert runs_containers(engine.name) is contained


def test_an_engine_that_is_still_to_be_chosen_is_not_counted_on() -> None:
    """`--engine auto` may fall to either."""
    assert not runs_containers("auto")
