"""Reads and writes run.json's data, with cattrs hooks for values whose form in the file differs from that in memory.

Keys that this version of the kit does not know are ignored. Keys that earlier versions did not write have defaults. So
a run of any version can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from cattrs import Converter
from cattrs.gen import override

from runner.errors import RunFormatError
from runner.host.pin import Pin
from runner.machine import Machine, parse_cpu_list
from runner.machine.cgroups import Limits
from runner.machine.numa import Node
from runner.machine.settings import Settings
from runner.machine.topology import LogicalCpu
from runner.storage.header import Header, Provenance, RecordedLadder, RecordedStack
from runner.support.structure import Hook, UnexpectedValueError, class_hook, strict_converter, structure
from runner.vocabulary import Launch, Turn

T = TypeVar("T")

# Written last, and only if they have a value: each command sets only some of them.
_ONLY_IF_THERE = ("peak", "probes", "images", "own_topology", "kind", "ladder", "repeats", "noise_floor")
# The parts of a launch whose fields are written beside the launch's own fields, with the names in the file.
_FLAT = {
    "cell": {name: name for name in ("stack", "variant", "topology", "batch_size")},
    "steps": {"warmup": "warmup_steps", "timed": "timed_steps"},
}


def header_from_json(data: Mapping[str, Any], where: str) -> Header:
    """Structure run.json's data; `where` is what messages call it.

    Raises:
        RunFormatError: it lacks a key that every version of the kit has written, or has a value of another kind.
    """
    return recorded(data, Header, where)


def recorded(data: Any, kind: type[T], where: str) -> T:
    """Structure a part of run.json, such as a plan, a machine, a pin or a rung; messages call it `where`.

    Raises:
        RunFormatError: it lacks a key that every version of the kit has written, or has a value of another kind.
    """
    return structure(data, kind, where, _CONVERTER, RunFormatError)


def header_to_json(header: Header) -> dict[str, Any]:
    """The data of run.json, its keys in the order in which they are written."""
    data = {each.name: getattr(header, each.name) for each in fields(header)}
    written = {
        **{name: value for name, value in data.items() if name not in _ONLY_IF_THERE or value is not None},
        "kit": asdict(header.kit),
        "notes": list(header.notes),
        "plan": header.plan.to_json(),
        "machine": header.machine.to_json(),
        "engine": {**asdict(header.engine), "cannot_enforce": list(header.engine.cannot_enforce)},
        "stacks": {name: _stack_to_json(stack) for name, stack in header.stacks.items()},
        "matched": {name: asdict(match) for name, match in header.matched.items()},
    }
    if header.own_topology is not None:
        written["own_topology"] = asdict(header.own_topology)
    if header.noise_floor is not None:
        written["noise_floor"] = asdict(header.noise_floor)
    if header.ladder is not None:
        written["ladder"] = _ladder_to_json(header.ladder)
    return written


def _stack_to_json(stack: RecordedStack) -> dict[str, Any]:
    return {**asdict(stack), "installations": {name: dict(made.said) for name, made in stack.installations.items()}}


def _ladder_to_json(ladder: RecordedLadder) -> dict[str, Any]:
    stacks = {name: [rung.to_json() for rung in rungs] for name, rungs in ladder.stacks.items()}
    return {**asdict(ladder), "stacks": stacks}


def _cpu_list(value: Any, _kind: Any) -> tuple[int, ...]:
    """The numbers of a list as the kernel writes it ("0-3,8"), sorted."""
    if not isinstance(value, str):
        raise UnexpectedValueError(value, "a list of CPUs such as '0-3'")
    return tuple(sorted(parse_cpu_list(value)))


def _cpu_list_or_none(value: Any, kind: Any) -> tuple[int, ...] | None:
    return None if value is None else _cpu_list(value, kind)


def _cpu_lists(value: Any, kind: Any) -> tuple[tuple[int, ...], ...]:
    if not isinstance(value, list):
        raise UnexpectedValueError(value, "a list of lists of CPUs")
    return tuple(_cpu_list(each, kind) for each in value)


def _provenance(value: Any, _kind: Any) -> Provenance:
    if not isinstance(value, Mapping):
        raise UnexpectedValueError(value, "a table")
    return Provenance(value)


def _turn(value: Any, _kind: Any) -> Turn:
    """A turn from its list of member, phase and steps."""
    match value:
        case [int(member), ("warmup" | "timed" | "end") as phase, int(steps)]:
            return Turn(member, phase, steps)
    raise UnexpectedValueError(value, "a list of member, phase and steps")


def _launch_hook(converter: Converter) -> Hook:
    inside = class_hook(Launch, converter)

    def nested(value: Any, kind: Any) -> Any:
        if not isinstance(value, Mapping):
            raise UnexpectedValueError(value, "a table")
        parts = {
            part: {name: value[key] for name, key in names.items() if key in value} for part, names in _FLAT.items()
        }
        return inside({**value, **parts}, kind)

    return nested


def _converter() -> Converter:
    made = strict_converter(refuses_unknown=False)
    cpus, cpus_or_none = override(struct_hook=_cpu_list), override(struct_hook=_cpu_list_or_none)
    as_lists = {
        Pin: {"cores": override(rename="cpus_by_core", struct_hook=_cpu_lists), "mems": cpus},
        Node: {"cpus": cpus},
        LogicalCpu: {"siblings": cpus},
        Limits: {"cpuset_cpus": cpus_or_none, "cpuset_mems": cpus_or_none},
        Settings: {"nohz_full_cpus": cpus},
        Machine: {"allowed_mems": cpus},
    }
    made.register_structure_hook(Provenance, _provenance)
    for kind, overrides in as_lists.items():
        made.register_structure_hook(kind, class_hook(kind, made, **overrides))
    made.register_structure_hook(Turn, _turn)
    made.register_structure_hook(Launch, _launch_hook(made))
    return made


_CONVERTER = _converter()
