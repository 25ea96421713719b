"""Best-known methods (BKMs): settings as data, resolved for one pin. Knows nothing of engines or processes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args

from cattrs import Converter

from runner.errors import UsageError
from runner.host.pin import Pin
from runner.support.data import read_toml
from runner.support.structure import OneOf, UnexpectedValueError, structure, written_by_people
from runner.vocabulary import one_of

BUILT_IN = Path(__file__).resolve().parent / "bkms"
SCHEMA_VERSION = 1

THREAD_SETTINGS = ("intra_op_threads", "inter_op_threads")
_TARGETS = ("environment", "job")
_CONDITIONS = ("always", "siblings", "no-siblings")

# Names in braces in a value. OpenMP's places ({0:4},{4:4}) are in braces too, but are not names.
_IN_BRACES = re.compile(r"\{([A-Za-z_]\w*)\}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class FilledIn:
    """Annotates a value with the names in braces that it may contain; in the file it may be a whole number."""

    counts: tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """One BKM. `value` may hold `{threads}` (physical cores in the pin) and `{cpus}` (logical CPUs in the pin).

    `own_topology` is the value for a user's own topology; it is empty if that value does not differ. It may hold
    `{branches}` (the number of the topology's disjoint branches). Only inter-op threads can depend on the topology.
    """

    name: str
    target: Annotated[str, OneOf("target", _TARGETS)]
    value: Annotated[str, FilledIn(("threads", "cpus"))]
    read_by: tuple[str, ...]
    reason: str
    source: str
    when: Annotated[str, OneOf("condition", _CONDITIONS)] = "always"
    own_topology: Annotated[str, FilledIn(("branches",))] = ""


@dataclass(frozen=True)
class Bkms:
    """A named set of BKMs with its source."""

    name: str
    title: str
    source: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True)
class ResolvedBkms:
    """The settings for one pin: variables for every launch, and thread counts (0: the framework chooses)."""

    name: str
    title: str
    source: str
    settings: tuple[Setting, ...]
    environment: Mapping[str, str]
    intra_op_threads: int
    inter_op_threads: int

    def to_json(self) -> dict[str, Any]:
        """The settings as run.json keeps them."""
        return asdict(self)


def load_bkms(name: str) -> Bkms:
    """Read a built-in set by its name, or a TOML file by its path.

    Raises:
        UsageError: there is no such set or file, or it is malformed; the message names the place.
    """
    known = sorted(path.stem for path in BUILT_IN.glob("*.toml"))
    if "/" in name or name.endswith(".toml"):
        return _bkms(Path(name))
    return _built_in(one_of("set of BKMs", name, known))


def resolve(bkms: Bkms, pin: Pin) -> ResolvedBkms:
    """Keep the settings that apply to the pin, and fill in its counts.

    Raises:
        UsageError: the value of a thread setting is not a whole number of 0 or more.
    """
    kept = tuple(_filled(setting, pin) for setting in bkms.settings if _applies(setting, pin))
    threads = {setting.name: _count(setting) for setting in kept if setting.target == "job"}
    return ResolvedBkms(
        name=bkms.name,
        title=bkms.title,
        source=bkms.source,
        settings=kept,
        environment={setting.name: setting.value for setting in kept if setting.target == "environment"},
        intra_op_threads=threads.get("intra_op_threads", 0),
        inter_op_threads=threads.get("inter_op_threads", 0),
    )


def with_inter_op_threads(bkms: ResolvedBkms, count: int) -> ResolvedBkms:
    """The same settings with another number of inter-op threads, for every topology."""
    requested = Setting(
        name="inter_op_threads", target="job", value=str(count), read_by=("eigen", "openmp"),
        reason="Requested for every variant and topology.", source="--inter-op",
    )  # fmt: skip
    others = tuple(setting for setting in bkms.settings if setting.name != requested.name)
    return replace(bkms, settings=(*others, requested), inter_op_threads=count)


def inter_op_threads_of_user_topology(bkms: ResolvedBkms, branches: int) -> int:
    """The number of inter-op threads of a user's own topology, from the number of its disjoint branches.

    Raises:
        UsageError: the value of the setting is not a whole number of 0 or more.
    """
    for setting in bkms.settings:
        if setting.name == "inter_op_threads" and setting.own_topology:
            return _count(replace(setting, value=setting.own_topology.replace("{branches}", str(branches))))
    return bkms.inter_op_threads


def for_user_topology(bkms: Bkms, branches: int) -> Bkms:
    """The set for a user's own topology only; `branches` is the number of its disjoint branches."""
    settings = [
        replace(setting, value=setting.own_topology.replace("{branches}", str(branches)), own_topology="")
        if setting.own_topology
        else setting
        for setting in bkms.settings
    ]
    return replace(bkms, settings=tuple(settings))


def bkms_from(where: str, data: Mapping[str, Any]) -> Bkms:
    """Make a set of BKMs from the data of a TOML file or of a run; messages call the data `where`.

    Raises:
        UsageError: the data is malformed; the message names the place.
    """
    bkms = structure(data, Bkms, where, _converter())
    for number, setting in enumerate(bkms.settings):
        place = f"{where}, settings[{number + 1}]"
        _check(place, setting)
        _require_one(place, setting, bkms.settings[:number])
    return bkms


@cache
def _built_in(name: str) -> Bkms:
    return _bkms(BUILT_IN / f"{name}.toml")


def _bkms(path: Path) -> Bkms:
    return bkms_from(str(path), read_toml(path, SCHEMA_VERSION))


def _check(where: str, setting: Setting) -> None:
    if setting.target == "job":
        one_of(f"thread setting (in {where})", setting.name, THREAD_SETTINGS)
    elif _VARIABLE.fullmatch(setting.name) is None:
        raise UsageError(f"{where}: {setting.name!r} is not a variable's name; letters, digits and _ were expected.")
    if setting.own_topology and setting.name != "inter_op_threads":
        raise UsageError(f"{where} has own_topology; only inter_op_threads can depend on the topology.")


@cache
def _converter() -> Converter:
    made = written_by_people()
    made.register_structure_hook_func(lambda kind: _filled_in(kind) is not None, _value)
    return made


def _filled_in(kind: Any) -> FilledIn | None:
    return next((mark for mark in get_args(kind)[1:] if isinstance(mark, FilledIn)), None)


def _value(value: Any, kind: Any) -> str:
    """The value as text; a whole number may be written without quotation marks."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UnexpectedValueError(value, "a text in quotation marks or a whole number")
    mark = _filled_in(kind)
    counts = mark.counts if mark else ()
    for name in _IN_BRACES.findall(str(value)):
        one_of("count of the pin or the topology", name, counts)
    return str(value)


def _require_one(where: str, setting: Setting, before: Iterable[Setting]) -> None:
    """Refuse two settings of the same name, unless no pin can have both."""
    for other in before:
        if other.name == setting.name and (other.when == setting.when or "always" in (other.when, setting.when)):
            raise UsageError(
                f"{where} sets {setting.name} to {setting.value!r}, which an earlier setting sets to {other.value!r}, "
                f"and both can apply to one pin (when = {other.when!r} and {setting.when!r}). Leave one of them out."
            )


def _applies(setting: Setting, pin: Pin) -> bool:
    return setting.when == "always" or (setting.when == "siblings") == pin.has_siblings


def _filled(setting: Setting, pin: Pin) -> Setting:
    value = setting.value.replace("{threads}", str(pin.threads)).replace("{cpus}", str(len(pin.cpus)))
    return Setting(**{**asdict(setting), "read_by": setting.read_by, "value": value})


def _count(setting: Setting) -> int:
    if not setting.value.isdecimal():
        raise UsageError(f"The BKM {setting.name} is {setting.value!r}; a whole number of 0 or more was expected.")
    return int(setting.value)
