"""Rule 12: which of a run's cells come nearest to a claim, in what they differ from it, and whether they may judge it.

A condition that a claim `needs` and that does not match makes the claim not testable by this run; every other
difference is listed beside the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from runner.claims import in_force
from runner.claims.material import BASELINE, CANDIDATE, Material
from runner.claims.verdict import Difference
from runner.publications import Claim, Publication

NOT_STATED = "not stated"
# The kit trains and never infers.
WORK = "training"


@dataclass(frozen=True)
class Question:
    """One claim held against one run."""

    publication: Publication
    claim: Claim
    material: Material

    @property
    def variant(self) -> str:
        """The variant that the claim is about."""
        return self.claim.variant or CANDIDATE


@dataclass(frozen=True)
class Scene:
    """The part of a run that a claim is held against."""

    stack: str
    batch_size: int


@dataclass(frozen=True)
class Condition:
    """One condition: what was published, what is here, whether they match (None: the publication does not tell)."""

    name: str
    title: str
    published: str
    here: str
    matches: bool | None
    obstacle: str

    @property
    def listed(self) -> bool:
        """Is it worth a line that the publication does not tell it?"""
        return self.name not in ("work", "build", "batch_size", "bkms")


def scene_of(question: Question) -> Scene:
    """The stack and batch size of the run that come nearest to the claim's."""
    material, claim, nearest = question.material, question.claim, question.publication.nearest_stack

    def farness(scene: Scene) -> tuple[bool, ...]:
        pair = all(material.has_variant(scene.stack, name) for name in (BASELINE, question.variant))
        return (not pair, scene.stack != nearest, scene.batch_size != claim.batch_size)

    scenes = [Scene(stack, size) for stack in material.stacks for size in material.batch_sizes]
    return min(scenes, key=farness)


def unmet(question: Question, scene: Scene) -> list[str]:
    """Why this run may not judge the claim, a phrase for each needed condition that does not match; empty if it may."""
    return [
        each.obstacle for each in conditions(question, scene) if each.name in question.claim.needs and not each.matches
    ]


def differences(question: Question) -> tuple[Difference, ...]:
    """All in which the run is not what was published, and what the publication does not tell of its machine.

    The stack has no line of its own: the TensorFlow version says it.
    """
    on_a_machine = question.claim.configuration.processor_model is not None
    return tuple(
        Difference(each.title, each.published, each.here)
        for each in conditions(question, scene_of(question))
        if each.name != "stack" and (each.matches is False or (each.matches is None and on_a_machine and each.listed))
    )


def conditions(question: Question, scene: Scene) -> list[Condition]:
    """Every condition of a claim, evaluated on a part of a run."""
    return [make(question, scene) for make in _CONDITIONS]


def _work(question: Question, scene: Scene) -> Condition:
    return _simple("work", "what is timed", question.claim.configuration.work, WORK,
                   f"the figure is of {question.claim.configuration.work}, and this kit measures {WORK}")  # fmt: skip


def _batch_size(question: Question, scene: Scene) -> Condition:
    sizes = ", ".join(map(str, question.material.batch_sizes))
    return _simple("batch_size", "batch size", question.claim.batch_size, scene.batch_size,
                   f"this run's batch size is {sizes}")  # fmt: skip


def _stack(question: Question, scene: Scene) -> Condition:
    publication = question.publication
    obstacle = (
        f"this run's software is {', '.join(question.material.stacks)}, and of what can be installed "
        f"{publication.nearest_stack} is nearest to {publication.short}'s"
    )
    nearest = publication.nearest_stack
    return Condition("stack", "stack", f"nearest: {nearest}", scene.stack, scene.stack == nearest, obstacle)


def _tensorflow(question: Question, scene: Scene) -> Condition:
    here = str(question.material.run.header["stacks"][scene.stack]["tensorflow"])
    published = question.claim.configuration.tensorflow
    return _simple("tensorflow", "TensorFlow version", published, here,
                   f"TensorFlow is {here} and not {published}")  # fmt: skip


def _build(question: Question, scene: Scene) -> Condition:
    # No variant of the kit is built from source, so a figure of such a build is never of the same build.
    build = question.claim.build
    return _simple("build", "TensorFlow build", build, "a published wheel",
                   f"the figure is of a build {build}, and this kit installs wheels")  # fmt: skip


def _processor(question: Question, scene: Scene) -> Condition:
    published = question.claim.configuration.processor_model
    here = question.material.run.header["machine"]["processor"]["model_name"] or "unknown"
    matches = None if published is None else published in here
    return Condition("processor", "processor", published or NOT_STATED, here, matches,
                     f"the processor is another one ({here})")  # fmt: skip


def _sockets(question: Question, scene: Scene) -> Condition:
    here = question.material.run.header["machine"]["sockets"]
    published = question.claim.configuration.sockets
    return _simple("sockets", "sockets", published, here, f"this host has {here} sockets and not {published}")


def _cores(question: Question, scene: Scene) -> Condition:
    here = question.material.run.header["machine"]["cores"]
    published = question.claim.configuration.cores
    return _simple("cores", "physical cores", published, here, f"this host has {here} cores and not {published}")


def _isa(question: Question, scene: Scene) -> Condition:
    published, here = question.claim.configuration.isa, question.material.run.header["machine"]["processor"]["isa"]
    matches = set(published) <= set(here) if published else None
    return Condition("isa", "instruction sets", ", ".join(published) or NOT_STATED, ", ".join(here) or "unknown",
                     matches, f"this host lacks {', '.join(sorted(set(published) - set(here)))}")  # fmt: skip


def _threads(question: Question, scene: Scene) -> Condition:
    threads = in_force.intra_op_threads(question.material.run, scene.stack, scene.batch_size)
    published = question.claim.configuration.threads
    matches = None if published is None else threads == {published}
    shown = NOT_STATED if published is None else str(published)
    obstacle = f"this run's launches compute on {in_force.in_words(threads)} and not {shown}"
    return Condition("threads", "threads", shown, in_force.numbers(threads), matches, obstacle)


def _bkms(question: Question, scene: Scene) -> Condition:
    published = question.claim.configuration.bkms
    here = in_force.bkms(question.material.run.header["plan"], published)
    obstacle = f"this run's settings are the BKMs {here}, and {question.publication.short} prescribes {published}"
    return _simple("bkms", "BKMs", published, here, obstacle)


def _layout(question: Question, scene: Scene) -> Condition:
    variants = question.material.run.header["stacks"][scene.stack]["variants"]
    here = variants[question.variant]["layout"] if question.variant in variants else "not run"
    published = question.claim.layout
    return _simple("layout", f"layout ({question.variant})", published, here, f"the layout is {here}, not {published}")


def _simple(name: str, title: str, published: Any, here: Any, obstacle: str) -> Condition:
    matches = None if published is None else published == here
    return Condition(name, title, NOT_STATED if published is None else str(published), str(here), matches, obstacle)


_CONDITIONS: Sequence[Callable[[Question, Scene], Condition]] = (
    _work, _batch_size, _stack, _tensorflow, _build, _processor, _sockets, _cores, _isa, _threads, _bkms, _layout,
)  # fmt: skip
