"""What may have to match before a run can confirm or refute a claim: each condition, evaluated on a part of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from runner.catalogue.stacks import load_stacks
from runner.claims import in_force
from runner.claims.condition import OUT_OF_REACH, Condition
from runner.claims.question import Question, Scene
from runner.support.wording import plural, topology_title

NOT_STATED = "not stated"
# The kit trains and never infers, on images that it makes itself.
WORK = "training"
DATA = "synthetic images"


def conditions(question: Question, scene: Scene) -> list[Condition]:
    """Every condition of a claim, evaluated on a part of a run."""
    return [*(make(question, scene) for make in _CONDITIONS), *_out_of_reach()]


def _work(question: Question, scene: Scene) -> Condition:
    published = question.claim.configuration.work
    return _simple("work", "what is timed", published, WORK,
                   f"the figure is of {published}, and this kit measures {WORK}", str(published))  # fmt: skip


def _data(question: Question, scene: Scene) -> Condition:
    published = question.claim.configuration.data
    return _simple("data", "training data", published, DATA,
                   f"the figure is of {published}, and this kit trains on {DATA}", str(published))  # fmt: skip


def _batch_size(question: Question, scene: Scene) -> Condition:
    sizes = ", ".join(map(str, question.results.batch_sizes))
    published = question.claim.batch_size
    return _simple("batch_size", "batch size", published, scene.batch_size,
                   f"this run's batch size is {sizes}", f"batch size {published}")  # fmt: skip


def _topologies(question: Question, scene: Scene) -> Condition:
    run = {launch.cell.topology for launch in question.results.run.launches
           if (launch.cell.stack, launch.cell.batch_size) == (scene.stack, scene.batch_size)}  # fmt: skip
    absent = ", ".join(topology_title(name) for name in question.claim.topologies if name not in run)
    published = ", ".join(map(topology_title, question.claim.topologies))
    matches = not absent if published else None
    return Condition("topologies", "topologies", published or NOT_STATED, ", ".join(map(topology_title, sorted(run))),
                     matches, f"{absent} was not run", absent or _untold("topologies"))  # fmt: skip


def _stack(question: Question, scene: Scene) -> Condition:
    publication = question.publication
    obstacle = (
        f"this run's software is {', '.join(question.results.stacks)}, and of what can be installed "
        f"{publication.nearest_stack} is nearest to {publication.short}'s"
    )
    nearest = publication.nearest_stack
    return Condition("stack", "stack", f"nearest: {nearest}", scene.stack, scene.stack == nearest, obstacle,
                     f"the stack {nearest}")  # fmt: skip


def _tensorflow(question: Question, scene: Scene) -> Condition:
    here = question.results.run.about.stacks[scene.stack].tensorflow
    published = question.claim.configuration.tensorflow
    found = _simple("tensorflow", "TensorFlow version", published, here,
                    f"TensorFlow is {here} and not {published}", "its TensorFlow version")  # fmt: skip
    if published in (None, here, *(stack.tensorflow for stack in load_stacks().values())):
        return found
    return replace(found, lacking="its TensorFlow version (no stack of this kit has it)", never=True)


def _build(question: Question, scene: Scene) -> Condition:
    # No variant of the kit is built from source, so a figure of such a build is never of the same build.
    build = question.claim.build
    found = _simple("build", "TensorFlow build", build, "a published wheel",
                    f"the figure is of a build {build}, and this kit installs wheels", f"a build {build}")  # fmt: skip
    return replace(found, never=True)


def _processor(question: Question, scene: Scene) -> Condition:
    published = question.claim.configuration.processor_model
    here = question.results.run.about.machine.processor.model_name or "unknown"
    matches = None if published is None else published in here
    lacking = _untold("processor") if published is None else f"the processor {published}"
    return Condition("processor", "processor", published or NOT_STATED, here, matches,
                     f"the processor is another one ({here})", lacking)  # fmt: skip


def _instance_type(question: Question, scene: Scene) -> Condition:
    here = question.results.run.about.machine.platform.instance_type or "none, or not known"
    published = question.claim.configuration.instance_type
    return _simple("instance_type", "EC2 instance type", published, here,
                   f"this host is no {published}", f"the instance type {published}")  # fmt: skip


# Sockets and cores are those of the pin: a part of a large host is no large host.
def _sockets(question: Question, scene: Scene) -> Condition:
    here, published = in_force.sockets(question.results.run), question.claim.configuration.sockets
    return _simple("sockets", "sockets", published, here, f"launches have {plural(here, 'socket')} and not {published}",
                   plural(published or 0, "socket"))  # fmt: skip


def _cores(question: Question, scene: Scene) -> Condition:
    here, published = in_force.cores(question.results.run), question.claim.configuration.cores
    return _simple("cores", "physical cores", published, here, f"launches have {plural(here, 'core')} and not "
                   f"{published}", plural(published or 0, "core"))  # fmt: skip


def _isa(question: Question, scene: Scene) -> Condition:
    published, here = question.claim.configuration.isa, question.results.run.about.machine.processor.isa
    matches = set(published) <= set(here) if published else None
    absent = ", ".join(sorted(set(published) - set(here)))
    lacking = f"a processor with {absent}" if published else _untold("instruction sets")
    return Condition("isa", "instruction sets", ", ".join(published) or NOT_STATED, ", ".join(here) or "unknown",
                     matches, f"this host lacks {absent}", lacking)  # fmt: skip


def _threads(question: Question, scene: Scene) -> Condition:
    return _thread_count("threads", "threads", question.claim.configuration.threads, question, scene)


def _baseline(question: Question, scene: Scene) -> Condition:
    published = question.claim.configuration.baseline_threads
    return _thread_count("baseline", "baseline's threads", published, question, scene)


def _thread_count(name: str, title: str, published: int | None, question: Question, scene: Scene) -> Condition:
    threads = in_force.intra_op_threads(question.results.run, scene.stack, scene.batch_size)
    matches = None if published is None else threads == {published}
    shown = NOT_STATED if published is None else str(published)
    obstacle = f"this run's launches compute on {in_force.in_words(threads)} and not {shown}"
    count = "" if published is None else plural(published, "thread")
    lacking = _untold(title) if published is None else f"a baseline on {count}" if name == "baseline" else count
    return Condition(name, title, shown, in_force.numbers(threads), matches, obstacle, lacking)


def _steps(question: Question, scene: Scene) -> Condition:
    # How many there are tells how steady the timed ones may be. No verdict depends on it: it is a difference only.
    here = in_force.steps(question.results.run, scene.stack, scene.batch_size)
    published = question.claim.configuration.steps
    return _simple("steps", "steps of one launch", published, here,
                   f"a launch has {here} and not {published}", str(published))  # fmt: skip


def _bkms(question: Question, scene: Scene) -> Condition:
    published = question.claim.configuration.bkms
    here = in_force.bkms(question.results.run.about.plan, published)
    obstacle = f"this run's settings are the BKMs {here}, and {question.publication.short} prescribes {published}"
    return _simple("bkms", "BKMs", published, here, obstacle, f"the BKMs {published}")


def _layout(question: Question, scene: Scene) -> Condition:
    variants = question.results.run.about.stacks[scene.stack].variants
    here = variants[question.variant].layout if question.variant in variants else "not run"
    published = question.claim.layout
    return _simple("layout", f"layout ({question.variant})", published, here, f"the layout is {here}, not {published}",
                   f"the layout {published}")  # fmt: skip


def _value(question: Question, scene: Scene) -> Condition:
    obstacle = (
        "its value was never published as text, only as a picture, so that there is nothing to hold a figure against"
    )
    known = question.claim.value is not None
    return Condition("value", "value", str(question.claim.value), "", known, obstacle, "a published value")


def _simple(name: str, title: str, published: Any, here: Any, obstacle: str, lacking: str) -> Condition:
    if published is None:
        return Condition(name, title, NOT_STATED, str(here), None, f"its {title} was not published", _untold(title))
    return Condition(name, title, str(published), str(here), published == here, obstacle, lacking)


def _untold(title: str) -> str:
    return f"its {title} (not published)"


def _out_of_reach() -> list[Condition]:
    return [Condition(name, name, "", "", False, obstacle, lacking)
            for name, (lacking, obstacle) in OUT_OF_REACH.items()]  # fmt: skip


_CONDITIONS: Sequence[Callable[[Question, Scene], Condition]] = (
    _value, _work, _data, _batch_size, _topologies, _stack, _tensorflow, _build, _processor, _instance_type, _sockets,
    _cores, _isa, _threads, _baseline, _steps, _bkms, _layout,
)  # fmt: skip
