"""Turns the result of argparse into the frozen options of a command. No other module reads a Namespace."""

from __future__ import annotations

import argparse
from dataclasses import Field, fields, is_dataclass
from typing import Any, ClassVar, Protocol, TypeVar, get_type_hints


class _Dataclass(Protocol):
    """The type of every dataclass, for a type checker."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=_Dataclass)


def parsed(kind: type[T], arguments: argparse.Namespace) -> T:
    """Make the options of this kind. Each field has the argument of its name, or is a group of such fields.

    Options of a group that the command does not have get the group's defaults.

    Raises:
        TypeError: the command line has no argument for a field without a default.
    """
    given, types = vars(arguments), get_type_hints(kind)
    values: dict[str, Any] = {}
    for name in (each.name for each in fields(kind)):
        if is_dataclass(types[name]):
            values[name] = parsed(types[name], arguments)
        elif name in given:
            values[name] = given[name]
    return kind(**values)
