"""Ladders: TOML lists of rungs. Each rung is one change and the article's sentence that it tests.

Knows neither stacks nor hosts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from cattrs import Converter

from runner.catalogue.debian_libraries import find_allocator
from runner.errors import UsageError
from runner.planning.bkm import Bkms, load_bkms
from runner.support.data import read_toml
from runner.support.structure import OneOf, scalar, structure, written_by_people
from runner.vocabulary import one_of

BUILT_IN = Path(__file__).resolve().parent / "ladders"
SCHEMA_VERSION = 1
DEFAULT_LADDER = "main"
# As the `of` of a branch: the last rung of the ladder that is not left out.
LAST = "last"
# The variant of a launch that measures the whole ladder directly is this prefix and the id of the first or last rung.
WHOLE = "whole-"
FEWEST_RUNGS = 2

PINS = ("all", "pinned", "headroom")
LAYOUTS = ("NHWC", "NCHW", "declared")
# Where a change must be visible inside the process if it had an effect; runner/checks/inert_changes.py checks it.
SIGNS = ("openmp", "onednn", "omp_max_threads", "thread_count", "thread_cpus")
CHANGE_KEYS = (
    "variant", "declared", "bkms", "set", "unset", "intra_op_threads", "inter_op_threads", "layout", "pin",
    "graph_optimisation", "vendor_check", "allocator",
)  # fmt: skip
_ID = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True)
class Rung:
    """One change, compared with the rung before it. `stacks` is empty if the rung is for every stack.

    The fields from `variant` on are what the rung changes. A field that its table does not name keeps the value that it
    has in the rung before.
    """

    id: str
    title: str
    sentence: str
    source: str
    note: str = ""
    stacks: tuple[str, ...] = ()
    stacks_reason: str = ""
    needs_isa: tuple[str, ...] = ()
    acts_through: tuple[Annotated[str, OneOf("sign of a change", SIGNS)], ...] = ()
    variant: str | None = None
    declared: bool | None = None
    bkms: tuple[str, ...] = ()
    set: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    intra_op_threads: int | None = None
    inter_op_threads: int | None = None
    layout: Annotated[str, OneOf("layout", LAYOUTS)] | None = None
    pin: Annotated[str, OneOf("pin", PINS)] | None = None
    graph_optimisation: bool | None = None
    vendor_check: bool | None = None
    allocator: str | None = None

    @property
    def change(self) -> Mapping[str, Any]:
        """The changes of the rung: the keys of CHANGE_KEYS that its table names, with their values."""
        named = {key: getattr(self, key) for key in CHANGE_KEYS}
        return {key: value for key, value in named.items() if value not in (None, (), {})}


@dataclass(frozen=True, kw_only=True)
class Branch(Rung):
    """One change, compared with the rung `of`. The rungs after that one do not depend on the branch.

    `could_be_baseline` says that a careless comparison could have used the branch as its baseline.
    """

    of: str
    could_be_baseline: bool = False


@dataclass(frozen=True)
class Ladder:
    """A named ladder with the set of BKMs that its rungs take values from."""

    name: str
    title: str
    source: str
    bkms: Bkms
    rungs: tuple[Rung, ...]
    branches: tuple[Branch, ...] = ()


def load_ladder(name: str) -> Ladder:
    """Read a built-in ladder by its name, or a TOML file by its path.

    Raises:
        UsageError: there is no such ladder or file, or it is malformed; the message names the place.
    """
    if "/" in name or name.endswith(".toml"):
        return _ladder(Path(name))
    known = sorted(path.stem for path in BUILT_IN.glob("*.toml"))
    return _built_in(one_of("ladder", name, known))


@cache
def _built_in(name: str) -> Ladder:
    return _ladder(BUILT_IN / f"{name}.toml")


def _ladder(path: Path) -> Ladder:
    ladder = structure(read_toml(path, SCHEMA_VERSION), Ladder, str(path), _converter())
    for kind, rungs in (("rungs", ladder.rungs), ("branches", ladder.branches)):
        for rung in rungs:
            _check(f"{path}, {kind}.{rung.id}", rung, ladder.bkms)
    _check_shape(path, ladder.rungs, ladder.branches)
    return ladder


@cache
def _converter() -> Converter:
    """A converter that replaces the name of a set of BKMs in a ladder's file by the set itself."""
    made, text = written_by_people(), scalar((str,), "the name of a set of BKMs")
    made.register_structure_hook(Bkms, lambda name, kind: load_bkms(text(name, kind)))
    return made


def _check(where: str, rung: Rung, bkms: Bkms) -> None:
    if not rung.change:
        raise UsageError(f"{where} changes nothing. Give it at least one of {', '.join(CHANGE_KEYS)}.")
    for name in rung.bkms:
        one_of(f"setting of the BKMs {bkms.name} (in {where})", name, {setting.name for setting in bkms.settings})
    if rung.allocator is not None:
        find_allocator(rung.allocator)
    if bool(rung.stacks) != bool(rung.stacks_reason):
        raise UsageError(f"{where}: stacks and stacks_reason go together. Give both, or neither.")


def _check_shape(path: Path, rungs: tuple[Rung, ...], branches: tuple[Branch, ...]) -> None:
    ids = [rung.id for rung in (*rungs, *branches)]
    for name in ids:
        if not _ID.fullmatch(name) or name.startswith(WHOLE) or name == LAST or ids.count(name) > 1:
            raise UsageError(
                f"{path}: {name!r} cannot be a rung's id. An id has small letters, digits and hyphens, is used once, "
                f"is not {LAST!r} and does not begin with {WHOLE!r}."
            )
    if len(rungs) < FEWEST_RUNGS:
        raise UsageError(f"{path} has {len(rungs)} rung; a ladder needs at least {FEWEST_RUNGS}.")
    missing = [key for key in ("variant", "layout", "pin") if key not in rungs[0].change]
    if missing:
        raise UsageError(f"{path}: the first rung, {rungs[0].id}, lacks {', '.join(missing)}.")
    for branch in branches:
        one_of(f"rung that the branch {branch.id} is of (in {path})", branch.of, [LAST, *(each.id for each in rungs)])
