"""Reads results/publications/*.toml: every claim with its figure and its configuration.

It knows no run and gives no verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from cattrs import Converter

from runner.errors import UsageError
from runner.support.data import read_toml
from runner.support.structure import OneOf, UnexpectedValueError, scalar, structure, written_by_people
from runner.vocabulary import Layout, one_of

PUBLICATIONS = Path(__file__).resolve().parents[2] / "results" / "publications"
ARTICLE = "intel-aws-2018"
# Stands for every publication on a command line.
ALL = "all"
# The article's claim that a report presents first.
HEADLINE = "largest-speedup"
SCHEMA_VERSION = 2
NOT_PUBLISHED = "not published as text"

# The kinds of claims. runner/claims/judge.py has a function for each, which gives the verdict.
KINDS = (
    "largest-speedup", "faster-on-all", "speedup", "speedup-at-least", "bar", "throughput", "vectorised-primitives",
    "primitive-kinds", "replaced-operations", "layout-conversions", "peak-memory", "hardware-counters", "same-program",
    "setting",
)  # fmt: skip
# The conditions that may have to match before a run can confirm or refute a claim (runner/claims/conditions.py
# evaluates each). Those of the last line match in no run: a verdict would need them, and the kit cannot measure them.
CONDITIONS = (
    "value", "work", "data", "stack", "build", "tensorflow", "batch_size", "topologies", "layout", "processor",
    "instance_type", "sockets", "cores", "isa", "threads", "baseline", "steps", "bkms", "cache_counters",
    "allocator", "claimed_gain", "conversions_before", "network", "refused_program",
    "two_processors",
)  # fmt: skip

Condition = Annotated[str, OneOf("condition", CONDITIONS)]
# In a file this is a number, or the text NOT_PUBLISHED, which is read as None.
Published = Annotated[float | None, NOT_PUBLISHED]


@dataclass(frozen=True)
class Configuration:
    """What a claim was measured on. What the publication does not state is None, or empty for `isa`.

    `processor_model` is a part of the CPU model that the host itself reports. `cores` is the number of cores of all
    sockets. `baseline_threads` is the number of threads of a speedup's baseline. `steps` describes the steps of one
    launch, such as "10 warm-up and 100 timed". `bkms` names the built-in set of settings that was used.
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
    """One sentence or figure that can be checked. `kind` names the function that gives its verdict.

    `to_confirm` has the conditions that must match before a run can confirm the claim. `to_refute` has those that must
    match as well before a run can refute it; it includes all of `to_confirm`.

    `value` is the published number in the metric's unit, None if the publication has no number as text. A `derived`
    value is computed from published ones. A speedup is that of `variant` over `against`; None for a vendor's build, and
    for the stack's baseline. If `paraphrase` is true, `quote` has the content of the source and not its
    words. `names` is for kinds of claims that look for words in evidence: it maps the publication's name of a thing to
    the names in evidence. `setting_value` may contain `{threads}` and `{sockets}`, which stand for those of the pin.
    """

    id: str
    kind: Annotated[str, OneOf("kind of claim", KINDS)]
    quote: str
    says: str
    source: str
    configuration: Configuration
    metric: str
    value: Published
    to_confirm: tuple[Condition, ...]
    to_refute: tuple[Condition, ...]
    topologies: tuple[str, ...] = ()
    batch_size: int | None = None
    layout: Layout | None = None
    variant: str | None = None
    against: str | None = None
    build: str | None = None
    setting: str | None = None
    setting_value: str | None = None
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    paraphrase: bool = False
    derived: bool = False

    @property
    def words(self) -> str:
        """What was published. It is in quotation marks only if these are the source's own words."""
        return self.quote if self.paraphrase else f'"{self.quote}"'


@dataclass(frozen=True)
class ScriptPoint:
    """One point in which a published script does something else than it seems to do, and what this kit does there."""

    point: str
    asked: str
    does: str
    kit: str


@dataclass(frozen=True)
class OriginalScript:
    """What a publication's own script really does, according to its source code."""

    text: str
    source: str
    points: tuple[ScriptPoint, ...]


@dataclass(frozen=True)
class Publication:
    """A publication with its claims.

    `nearest_stack` is the stack of this kit that is nearest to the publication's software. Only runs of that stack can
    confirm or refute its figures. `platform` maps the name of a row to its text, for a table beside this host's.
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
    platform: Mapping[str, str] = field(default_factory=dict)
    original_script: OriginalScript | None = None

    def claim(self, claim_id: str) -> Claim:
        """The claim of that id. A StopIteration for an unknown id would be an error in the kit."""
        return next(claim for claim in self.claims if claim.id == claim_id)


def publication_names() -> list[str]:
    """The names of all publications, the article's first."""
    return sorted((path.stem for path in PUBLICATIONS.glob("*.toml")), key=lambda name: (name != ARTICLE, name))


def find_publication(name: str) -> Publication:
    """Return the publication of that name.

    Raises:
        UsageError: there is no such publication; the message suggests the nearest names.
    """
    return load_publication(one_of("publication", name, publication_names()))


def further_publications(asked: Sequence[str]) -> list[Publication]:
    """Return the publications of these names besides the article, or all others for the name `all`.

    Raises:
        UsageError: there is no such publication; the message suggests the nearest names.
    """
    wanted = (
        publication_names() if ALL in asked else [one_of("publication", name, publication_names()) for name in asked]
    )
    return [load_publication(name) for name in dict.fromkeys(wanted) if name != ARTICLE]


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
    tables = {key: data.pop(key) for key in ("configurations",) if key in data}
    configurations = structure(tables, _Configurations, str(path), written_by_people()).configurations
    publication = structure(data, Publication, str(path), _converter(configurations))
    if publication.id != path.stem:
        raise UsageError(f"{path} has the id {publication.id!r}; a publication's id is its file's name.")
    ids = [claim.id for claim in publication.claims]
    repeated = sorted({name for name in ids if ids.count(name) > 1})
    if repeated:
        raise UsageError(f"{path} has several claims with the id {', '.join(repeated)}.")
    for claim in publication.claims:
        _check_conditions(f"{path}, claims.{claim.id}", claim)
    return publication


@dataclass(frozen=True)
class _Configurations:
    configurations: Mapping[str, Configuration]


def _converter(configurations: Mapping[str, Configuration]) -> Converter:
    """A converter that replaces the name of a claim's configuration by that configuration of the same file."""
    made, text = written_by_people(), scalar((str,), "the name of a configuration")

    def named(name: Any, kind: Any) -> Configuration:
        return configurations[one_of("configuration", text(name, kind), configurations)]

    made.register_structure_hook(Configuration, named)
    made.register_structure_hook_func(lambda kind: kind == Published, _published)
    return made


def _published(value: Any, _kind: Any) -> float | None:
    if value == NOT_PUBLISHED:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnexpectedValueError(value, f"a number or {NOT_PUBLISHED!r}")
    return float(value)


def _check_conditions(where: str, claim: Claim) -> None:
    twice = [name for name in claim.to_refute if name in claim.to_confirm]
    if twice:
        raise UsageError(
            f"{where} has {', '.join(twice)} in to_confirm and in to_refute; to_refute includes all of to_confirm."
        )
