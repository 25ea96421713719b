"""`auto`: which engine is taken, decided once, with one line that says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
import requests

from runner.catalogue.stacks import Stack, find_stack
from runner.cli.engines import Engines, choose_engine
from runner.engines.docker import DockerEngine
from runner.engines.docker_images import ImageSource
from runner.errors import HostError
from runner.session.options import EngineOptions
from tests.runner.engines.fake_client import FakeClient, over
from tests.runner.fake_engine import FakeEngine

STACKS = (find_stack("tf-2.14"),)
VENV = FakeEngine(name="venv")


class Refusing(FakeEngine):
    """An engine whose prerequisites are not met."""

    def prerequisites(self, stacks: tuple[Stack, ...]) -> None:
        """Refuse, as where no base image is to be had."""
        raise HostError("no base image")


def choose(asked: str, docker: Callable[[EngineOptions], FakeEngine]) -> tuple[str, str]:
    """The chosen engine's name and the reason."""
    engines = {"docker": docker, "venv": lambda _options: VENV}
    engine, why = choose_engine(EngineOptions(engine=asked), engines, STACKS)
    return engine.name, why


def unreachable(_options: EngineOptions) -> FakeEngine:
    """No engine answers."""
    raise HostError("no daemon")


def test_auto_takes_docker_where_it_can_be_used() -> None:
    """An engine that answers and has its bases is the engine of record."""
    assert choose("auto", lambda _options: FakeEngine(name="docker"))[0] == "docker"


@pytest.mark.parametrize(
    ("docker", "reason"), [(unreachable, "no daemon"), (lambda _options: Refusing(name="docker"), "no base image")]
)
def test_auto_falls_back_to_venv_and_says_why(docker: Callable[[EngineOptions], FakeEngine], reason: str) -> None:
    """The line that is shown carries Docker's own reason."""
    name, why = choose("auto", docker)
    assert name == "venv"
    assert reason in why


def test_an_engine_that_was_named_is_never_replaced() -> None:
    """--engine docker where there is none is an error, not a silent fall-back."""
    with pytest.raises(HostError, match="no daemon"):
        choose("docker", unreachable)


def test_venv_can_be_asked_for_where_docker_runs() -> None:
    assert choose("venv", lambda _options: FakeEngine(name="docker"))[0] == "venv"


def test_auto_falls_back_where_the_daemon_fails_under_the_first_question() -> None:
    """A daemon that accepts a connection and then goes away is no engine to measure with."""
    broken = FakeClient(fail={"info": requests.exceptions.ConnectionError("Connection aborted.")})
    docker = DockerEngine(over(broken), cast(ImageSource, None))
    engines: Engines = {"docker": lambda _options: docker, "venv": lambda _options: VENV}
    engine, why = choose_engine(EngineOptions(engine="auto"), engines, STACKS)
    assert engine.name == "venv"
    assert "Connection aborted" in why
