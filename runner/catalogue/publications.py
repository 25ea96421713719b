"""Reads results/publications/*.toml: every claim with its figure and configuration. Knows no run and judges nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from runner.errors import UsageError
from runner.support.data import check_keys, check_list, read_toml
from runner.vocabulary import Layout, one_of

PUBLICATIONS = Path(__file__).resolve().parents[2] / "results" / "publications"
ARTICLE = "intel-aws-2018"
# The claim of it that a report speaks of first.
HEADLINE = "largest-speedup"
SCHEMA_VERSION = 2
NOT_PUBLISHED = "not published as text"

# What a claim may be judged by (runner/claims/judge.py has one function for each).
KINDS = (
    "largest-speedup", "faster-on-all", "speedup", "speedup-at-least", "bar", "throughput", "vectorised-primitives",
    "primitive-kinds", "replaced-operations", "layout-conversions", "peak-memory", "hardware-counters", "same-program",
    "setting",
)  # fmt: skip
# What may have to match before a run can confirm or refute a claim (runner/claims/conditions.py evaluates each). Those
# of the last line match in no run: they say what a verdict would take that nothing here can give.
CONDITIONS = (
    "value", "work", "data", "stack", "build", "tensorflow", "batch_size", "topologies", "layout", "processor",
    "instance_type", "sockets", "cores", "isa", "threads", "baseline", "steps", "bkms",
    "allocator", "cache_counters", "claimed_gain", "conversions_before", "network", "refused_program",
)  # fmt: skip

_TEXTS = (
    "id", "title", "short", "authors", "year", "source",
    "nearest_stack", "nearest_stack_reason", "nearest_stack_source",
)  # fmt: skip
_CLAIM_KEYS = ("id", "kind", "quote", "says", "source", "configuration", "metric", "value", "to_confirm",
               "to_refute")  # fmt: skip
_CLAIM_OPTIONS = ("topologies", "batch_size", "layout", "variant", "build", "setting", "setting_value", "names",
                  "paraphrase", "derived")  # fmt: skip
_CONFIGURATION_OPTIONS = ("work", "data", "tensorflow", "processor_model", "instance_type", "sockets", "cores", "isa",
                          "threads", "baseline_threads", "steps", "bkms")  # fmt: skip


@dataclass(frozen=True)
class Configuration:
    """What a claim was measured on. What the publication does not tell is None, or empty for `isa`.

    `processor_model` is a part of the CPU model as the host itself tells it; `cores` counts all sockets;
    `baseline_threads` are those that a speedup's baseline computed on; `steps` are those of one launch, such as "10
    warm-up and 100 timed"; `bkms` names the built-in set of settings that
    it was measured with.
    """

    text: str
    work: str | None = None
    data: str | None = None
    tensorflow: str | None = None
    processor_model: str | None = None
    instance_type: str | None = None
    sockets: int | None = None
    cores: int | None = None
    isa: tuple[str, ...] = ()
    threads: int | None = None
    baseline_threads: int | None = None
    steps: str | None = None
    bkms: str | None = None


@dataclass(frozen=True)
class Claim:
    """One sentence or figure that can be checked. `kind` names its judge.

    `to_confirm` names what must match before a run can confirm the claim, `to_refute` what must match besides before
    one that falls short can refute it: all of `to_confirm` is included there.
    `value` is the published number in the metric's unit; None where the publication gives none as text. `names` is
    for kinds that look for words in evidence: what the publication calls a thing -> what the evidence calls it.
    `setting_value` may hold `{threads}` and `{sockets}`, those of the pin. A `paraphrase` tells what the source says
    and not its words; a `derived` value is computed from published ones.
    """

    id: str
    kind: str
    quote: str
    says: str
    source: str
    configuration: Configuration
    metric: str
    value: float | None
    to_confirm: tuple[str, ...]
    to_refute: tuple[str, ...]
    topologies: tuple[str, ...] = ()
    batch_size: int | None = None
    layout: Layout | None = None
    variant: str | None = None
    build: str | None = None
    setting: str | None = None
    setting_value: str | None = None
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    paraphrase: bool = False
    derived: bool = False

    @property
    def words(self) -> str:
        """What was published, in quotation marks only where these are the source's own words."""
        return self.quote if self.paraphrase else f'"{self.quote}"'


@dataclass(frozen=True)
class ScriptPoint:
    """One point on which a published script does something else than it seems to, and what this kit does there."""

    point: str
    asked: str
    does: str
    kit: str


@dataclass(frozen=True)
class OriginalScript:
    """What a publication's own script really does, read in its source."""

    text: str
    source: str
    points: tuple[ScriptPoint, ...]


@dataclass(frozen=True)
class Publication:
    """A publication with its claims.

    `nearest_stack` is the stack of this kit that comes nearest to its software: the only one that may judge its
    figures. `platform` is row name -> text, for a table beside this host's.
    """

    id: str
    title: str
    short: str
    authors: str
    year: int
    source: str
    nearest_stack: str
    nearest_stack_reason: str
    nearest_stack_source: str
    claims: tuple[Claim, ...]
    platform: Mapping[str, str]
    original_script: OriginalScript | None

    def claim(self, claim_id: str) -> Claim:
        """The claim of that id; a StopIteration would be a slip in the kit."""
        return next(claim for claim in self.claims if claim.id == claim_id)


def publication_names() -> list[str]:
    """Every publication, the article first."""
    return sorted((path.stem for path in PUBLICATIONS.glob("*.toml")), key=lambda name: (name != ARTICLE, name))


def find_publication(name: str) -> Publication:
    """Return the publication of that name.

    Raises:
        UsageError: there is none; the nearest names are suggested.
    """
    return load_publication(one_of("publication", name, publication_names()))


@cache
def load_publication(name: str = ARTICLE) -> Publication:
    """Read one publication by its name."""
    return read_publication(PUBLICATIONS / f"{name}.toml")


def read_publication(path: Path) -> Publication:
    """Read one publication's file.

    Raises:
        UsageError: a key is missing, unknown, or names something that does not exist.
    """
    data = read_toml(path, SCHEMA_VERSION)
    check_keys(str(path), data, (*_TEXTS, "configurations", "claims"), ("platform", "original_script"))
    if data["id"] != path.stem:
        raise UsageError(f"{path} has the id {data['id']!r}; a publication's id is its file's name.")
    configurations = {key: _configuration(f"{path}, {key}", table) for key, table in data["configurations"].items()}
    claims = tuple(_claim(str(path), table, configurations) for table in data["claims"])
    repeated = sorted({claim.id for claim in claims if [each.id for each in claims].count(claim.id) > 1})
    if repeated:
        raise UsageError(f"{path} has several claims with the id {', '.join(repeated)}.")
    script = data.get("original_script")
    return Publication(
        **{key: data[key] for key in _TEXTS},
        claims=claims,
        platform=data.get("platform", {}),
        original_script=None if script is None else _script(f"{path}, original_script", script),
    )


def _configuration(where: str, table: Mapping[str, Any]) -> Configuration:
    check_keys(where, table, ("text",), _CONFIGURATION_OPTIONS)
    return Configuration(**{**table, "isa": tuple(table.get("isa", ()))})


def _claim(path: str, table: Mapping[str, Any], configurations: Mapping[str, Configuration]) -> Claim:
    where = f"{path}, claim {table.get('id', '(without an id)')}"
    check_keys(where, table, _CLAIM_KEYS, _CLAIM_OPTIONS)
    one_of(f"kind of claim (in {where})", table["kind"], KINDS)
    _check_conditions(where, table)
    one_of(f"configuration (in {where})", table["configuration"], configurations)
    value = table["value"]
    if value != NOT_PUBLISHED and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise UsageError(f"{where} has the value {value!r}; a number or {NOT_PUBLISHED!r} was expected.")
    for key in ("paraphrase", "derived"):
        if not isinstance(table.get(key, False), bool):
            raise UsageError(f"{where} has {key} = {table[key]!r}; true or false was expected.")
    return Claim(
        **{
            **table,
            "configuration": configurations[table["configuration"]],
            "value": None if value == NOT_PUBLISHED else float(value),
            "to_confirm": tuple(table["to_confirm"]),
            "to_refute": tuple(table["to_refute"]),
            "topologies": tuple(table.get("topologies", ())),
            "names": {name: tuple(found) for name, found in table.get("names", {}).items()},
        }
    )


def _check_conditions(where: str, table: Mapping[str, Any]) -> None:
    for key in ("to_confirm", "to_refute"):
        check_list(where, table, key, str, "a list of conditions")
        for name in table[key]:
            one_of(f"condition (in {where}, {key})", name, CONDITIONS)
    twice = [name for name in table["to_refute"] if name in table["to_confirm"]]
    if twice:
        raise UsageError(
            f"{where} has {', '.join(twice)} in to_confirm and in to_refute; to_refute includes all of to_confirm."
        )


def _script(where: str, table: Mapping[str, Any]) -> OriginalScript:
    check_keys(where, table, ("text", "source", "points"))
    for point in table["points"]:
        check_keys(f"{where}, a point", point, ("point", "asked", "does", "kit"))
    return OriginalScript(table["text"], table["source"], tuple(ScriptPoint(**point) for point in table["points"]))
