"""Every option of the command line arrives in its command's frozen options, under its own name."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from runner.cli import probe, pull
from runner.cli.parsed import parsed
from runner.cli.parser import build_parser
from runner.session.options import PinOptions

# The least that each command can be given.
COMMANDS = {
    "ablate": [],
    "bench": [],
    "build": [],
    "claims": [],
    "compare": [],
    "compose": [],
    "doctor": [],
    "images": ["diff", "tf-2.14"],
    "plan": [],
    "probe": [],
    "pull": [],
    "push": ["--to", "a.example/b"],
    "repeat": ["run"],
    "report": ["run"],
    "reproduce": [],
}


def names_of(kind: type[Any]) -> Iterator[str]:
    """The fields of options, those of their groups among them."""
    types = get_type_hints(kind)
    for each in fields(kind):
        yield from names_of(types[each.name]) if is_dataclass(types[each.name]) else [each.name]


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_argument_of_a_command_has_a_field(command: str) -> None:
    """A field of another name would leave the option without effect, and the group's default in its place."""
    arguments = build_parser().parse_args([command, *COMMANDS[command]])
    options = importlib.import_module(f"runner.cli.{command}").Options
    assert set(vars(arguments)) - {"handler", "action"} <= set(names_of(options))
    parsed(options, arguments)  # and every field without a default has an argument


def test_every_command_is_looked_at() -> None:
    """The commands are those that --help lists, one a line."""
    assert set(re.findall(r"^    ([a-z]+)(?: |$)", build_parser().format_help(), re.MULTILINE)) == set(COMMANDS)


def test_groups_of_options_become_values() -> None:
    """A group is found by its type, wherever it stands in a command's options."""
    options = parsed(probe.Options, build_parser().parse_args(["probe", "--cpus", "0-1", "--memory", "8g"]))
    assert options.pin == PinOptions(cpus=frozenset({0, 1}))
    assert options.pin.is_given
    assert options.engine.memory == 8 << 30


def test_an_argument_that_the_command_has_not_is_an_error() -> None:
    """A field without a default is never made up."""
    arguments = build_parser().parse_args(["doctor"])
    with pytest.raises(TypeError, match="images"):
        parsed(pull.Options, arguments)
    assert parsed(pull.Options, build_parser().parse_args(["pull"])).images == Path("images.lock.json")
