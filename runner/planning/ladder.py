"""Ladders: TOML lists of rungs, each one change with the article's sentence that it tests. Knows no stack, no host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from runner.errors import UsageError
from runner.planning.bkm import Bkms, load_bkms
from runner.support.data import check_keys, read_toml
from runner.vocabulary import one_of

BUILT_IN = Path(__file__).resolve().parent / "ladders"
SCHEMA_VERSION = 1
DEFAULT_LADDER = "main"
# Where a branch hangs off whatever rung turns out to be the last one.
LAST = "last"
# Launches of the first and the last rung for the direct measurement go by this name and the rung's.
WHOLE = "whole-"
FEWEST_RUNGS = 2

PINS = ("all", "pinned", "headroom")
LAYOUTS = ("NHWC", "NCHW", "declared")
# What a change may have to show inside the process before it can have done anything (runner/checks/inert.py looks).
SIGNS = ("openmp", "onednn", "omp_max_threads", "thread_count", "thread_cpus")
CHANGE_KEYS = (
    "variant", "declared", "bkms", "set", "unset", "intra_op_threads", "inter_op_threads", "layout", "pin",
    "graph_optimisation",
)  # fmt: skip
_TEXT_KEYS = ("id", "title", "sentence", "source")
_OPTIONAL_KEYS = ("note", "stacks", "stacks_reason", "needs_isa", "acts_through")
_BRANCH_KEYS = ("of", "could_be_baseline")
_ID = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True)
class Rung:
    """One change against the rung before it, or, for a branch, against the rung `of`.

    `change` holds the keys of CHANGE_KEYS that the rung names. `stacks` is empty for every stack. A branch that
    `could_be_baseline` is one that somebody would have divided by without knowing better.
    """

    id: str
    title: str
    sentence: str
    source: str
    change: Mapping[str, Any]
    note: str = ""
    stacks: tuple[str, ...] = ()
    stacks_reason: str = ""
    needs_isa: tuple[str, ...] = ()
    acts_through: tuple[str, ...] = ()
    of: str = ""
    could_be_baseline: bool = False


@dataclass(frozen=True)
class Ladder:
    """A named ladder with the set of BKMs that its rungs take values from."""

    name: str
    title: str
    source: str
    bkms: Bkms
    rungs: tuple[Rung, ...]
    branches: tuple[Rung, ...]


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
    data = read_toml(path, SCHEMA_VERSION)
    check_keys(str(path), data, ("name", "title", "source", "bkms", "rungs"), ("branches",))
    bkms = load_bkms(data["bkms"])
    rungs = tuple(_rung(f"{path}, rung {n}", entry, (), bkms) for n, entry in enumerate(data["rungs"], start=1))
    branches = tuple(
        _rung(f"{path}, branch {n}", entry, _BRANCH_KEYS, bkms)
        for n, entry in enumerate(data.get("branches", ()), start=1)
    )
    _check_shape(path, rungs, branches)
    return Ladder(data["name"], data["title"], data["source"], bkms, rungs, branches)


def _rung(where: str, entry: Mapping[str, Any], more: tuple[str, ...], bkms: Bkms) -> Rung:
    check_keys(where, entry, _TEXT_KEYS, (*_OPTIONAL_KEYS, *CHANGE_KEYS, *more))
    change = {key: entry[key] for key in CHANGE_KEYS if key in entry}
    _check_change(where, change, bkms)
    for sign in entry.get("acts_through", ()):
        one_of(f"sign of a change (in {where})", sign, SIGNS)
    if bool(entry.get("stacks")) != bool(entry.get("stacks_reason")):
        raise UsageError(f"{where}: stacks and stacks_reason go together: a rung that is left out says why.")
    lists = {key: tuple(entry[key]) for key in ("stacks", "needs_isa", "acts_through") if key in entry}
    rest = {key: entry[key] for key in (*_TEXT_KEYS, "note", "stacks_reason", *more) if key in entry}
    return Rung(**{**rest, **lists, "change": change})


def _check_change(where: str, change: Mapping[str, Any], bkms: Bkms) -> None:
    if not change:
        raise UsageError(f"{where} changes nothing. Give it at least one of {', '.join(CHANGE_KEYS)}.")
    for key, choices in (("pin", PINS), ("layout", LAYOUTS)):
        if key in change:
            one_of(f"{key} (in {where})", change[key], choices)
    for name in change.get("bkms", ()):
        one_of(f"setting of the BKMs {bkms.name} (in {where})", name, {setting.name for setting in bkms.settings})
    for name, value in change.get("set", {}).items():
        if not isinstance(value, str):
            raise UsageError(f"{where}: {name} is set to {value!r}; a variable's value is a text, in quotation marks.")
    kinds = {"declared": bool, "graph_optimisation": bool, "intra_op_threads": int, "inter_op_threads": int}
    for key, kind in kinds.items():
        if key in change and type(change[key]) is not kind:
            raise UsageError(f"{where}: {key} is {change[key]!r}; {kind.__name__} was expected.")


def _check_shape(path: Path, rungs: tuple[Rung, ...], branches: tuple[Rung, ...]) -> None:
    ids = [rung.id for rung in (*rungs, *branches)]
    for name in ids:
        if not _ID.fullmatch(name) or name.startswith(WHOLE) or name == LAST or ids.count(name) > 1:
            raise UsageError(
                f"{path}: {name!r} cannot be a rung's id: small letters, digits and hyphens were expected, each id "
                f"once, none called {LAST!r} or beginning with {WHOLE!r}."
            )
    if len(rungs) < FEWEST_RUNGS:
        raise UsageError(f"{path} has {len(rungs)} rung; a ladder takes at least {FEWEST_RUNGS}.")
    missing = [key for key in ("variant", "layout", "pin") if key not in rungs[0].change]
    if missing:
        raise UsageError(f"{path}: the first rung, {rungs[0].id}, stands on nothing: it lacks {', '.join(missing)}.")
    for branch in branches:
        one_of(f"rung that the branch {branch.id} is of (in {path})", branch.of, [LAST, *(each.id for each in rungs)])
