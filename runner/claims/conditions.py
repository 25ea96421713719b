"""Evaluates each condition that may have to match before a run can confirm or refute a claim, on a part of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from runner.catalogue.stacks import load_stacks
from runner.claims import in_force
from runner.claims.case import Case, RunPart
from runner.claims.condition import OUT_OF_REACH, Condition
from runner.claims.counters import cache_misses, why_uncounted
from runner.support.wording import plural, topology_title

NOT_STATED = "not stated"
# The kit only trains. It never times inference, and it trains on images that it makes itself.
WORK = "training"
DATA = "synthetic images"


def conditions(case: Case, part: RunPart) -> list[Condition]:
    """Return every condition of a claim, evaluated on a part of a run."""
    return [*(make(case, part) for make in _CONDITIONS), *_out_of_reach()]


def _work(case: Case, part: RunPart) -> Condition:
    published = case.claim.configuration.work
    return _simple("work", "what is timed", published, WORK,
                   f"the figure is of {published}, and this kit measures {WORK}", str(published))  # fmt: skip


def _data(case: Case, part: RunPart) -> Condition:
    published = case.claim.configuration.data
    return _simple("data", "training data", published, DATA,
                   f"the figure is of {published}, and this kit trains on {DATA}", str(published))  # fmt: skip


def _batch_size(case: Case, part: RunPart) -> Condition:
    sizes = ", ".join(map(str, case.results.batch_sizes))
    published = case.claim.batch_size
    return _simple("batch_size", "batch size", published, part.batch_size,
                   f"this run's batch size is {sizes}", f"batch size {published}")  # fmt: skip


def _topologies(case: Case, part: RunPart) -> Condition:
    run = {launch.cell.topology for launch in case.results.run.launches
           if (launch.cell.stack, launch.cell.batch_size) == (part.stack, part.batch_size)}  # fmt: skip
    absent = ", ".join(topology_title(name) for name in case.claim.topologies if name not in run)
    published = ", ".join(map(topology_title, case.claim.topologies))
    matches = not absent if published else None
    return Condition("topologies", "topologies", published or NOT_STATED, ", ".join(map(topology_title, sorted(run))),
                     matches, f"{absent} was not run", absent or _untold("topologies"))  # fmt: skip


def _stack(case: Case, part: RunPart) -> Condition:
    publication = case.publication
    obstacle = (
        f"this run's software is {', '.join(case.results.stacks)}, but of all that can be installed, "
        f"{publication.nearest_stack} is nearest to {publication.short}'s"
    )
    nearest = publication.nearest_stack
    return Condition("stack", "stack", f"nearest: {nearest}", part.stack, part.stack == nearest, obstacle,
                     f"the stack {nearest}")  # fmt: skip


def _tensorflow(case: Case, part: RunPart) -> Condition:
    here = case.results.run.about.stacks[part.stack].tensorflow
    published = case.claim.configuration.tensorflow
    found = _simple("tensorflow", "TensorFlow version", published, here,
                    f"TensorFlow is {here} and not {published}", "its TensorFlow version")  # fmt: skip
    if published in (None, here, *(stack.tensorflow for stack in load_stacks().values())):
        return found
    return replace(found, lacking="its TensorFlow version (no stack of this kit has it)", never=True)


def _build(case: Case, part: RunPart) -> Condition:
    # The kit builds no variant from source, so that it never has the build of a figure that was measured with one.
    build = case.claim.build
    found = _simple("build", "TensorFlow build", build, "a published wheel",
                    f"the figure is of a build {build}, and this kit installs wheels", f"a build {build}")  # fmt: skip
    return replace(found, never=True)


def _processor(case: Case, part: RunPart) -> Condition:
    published = case.claim.configuration.processor_model
    here = case.results.run.about.machine.processor.model_name or "unknown"
    matches = None if published is None else published in here
    lacking = _untold("processor") if published is None else f"the processor {published}"
    return Condition("processor", "processor", published or NOT_STATED, here, matches,
                     f"the processor is another one ({here})", lacking)  # fmt: skip


def _instance_type(case: Case, part: RunPart) -> Condition:
    here = case.results.run.about.machine.platform.instance_type or "none, or not known"
    published = case.claim.configuration.instance_type
    return _simple("instance_type", "EC2 instance type", published, here,
                   f"this host is no {published}", f"the instance type {published}")  # fmt: skip


# Sockets and cores are those of the pin, because a run on a part of a large host is not a run on a large host.
def _sockets(case: Case, part: RunPart) -> Condition:
    here, published = in_force.sockets(case.results.run), case.claim.configuration.sockets
    return _simple("sockets", "sockets", published, here, f"launches have {plural(here, 'socket')} and not {published}",
                   plural(published or 0, "socket"))  # fmt: skip


def _cores(case: Case, part: RunPart) -> Condition:
    here, published = in_force.cores(case.results.run), case.claim.configuration.cores
    return _simple("cores", "physical cores", published, here, f"launches have {plural(here, 'core')} and not "
                   f"{published}", plural(published or 0, "core"))  # fmt: skip


def _isa(case: Case, part: RunPart) -> Condition:
    published, here = case.claim.configuration.isa, case.results.run.about.machine.processor.isa
    matches = set(published) <= set(here) if published else None
    absent = ", ".join(sorted(set(published) - set(here)))
    lacking = f"a processor with {absent}" if published else _untold("instruction sets")
    return Condition("isa", "instruction sets", ", ".join(published) or NOT_STATED, ", ".join(here) or "unknown",
                     matches, f"this host lacks {absent}", lacking)  # fmt: skip


def _threads(case: Case, part: RunPart) -> Condition:
    return _thread_count("threads", "threads", case.claim.configuration.threads, case, part)


def _baseline(case: Case, part: RunPart) -> Condition:
    published = case.claim.configuration.baseline_threads
    return _thread_count("baseline", "baseline's threads", published, case, part)


def _thread_count(name: str, title: str, published: int | None, case: Case, part: RunPart) -> Condition:
    threads = in_force.intra_op_threads(case.results.run, part.stack, part.batch_size)
    matches = None if published is None else threads == {published}
    shown = NOT_STATED if published is None else str(published)
    obstacle = f"this run's launches compute on {in_force.in_words(threads)} and not {shown}"
    count = "" if published is None else plural(published, "thread")
    lacking = _untold(title) if published is None else f"a baseline on {count}" if name == "baseline" else count
    return Condition(name, title, shown, in_force.numbers(threads), matches, obstacle, lacking)


def _steps(case: Case, part: RunPart) -> Condition:
    # The number of steps affects how steady the timed steps are. It is listed as a difference, and decides no verdict.
    here = in_force.steps(case.results, part.stack, part.batch_size)
    published = case.claim.configuration.steps
    return _simple("steps", "steps of one launch", published, here,
                   f"a launch has {here} and not {published}", str(published))  # fmt: skip


def _bkms(case: Case, part: RunPart) -> Condition:
    published = case.claim.configuration.bkms
    here = in_force.bkms(case.results.run.about.plan, published)
    obstacle = f"this run's settings are the BKMs {here}, and {case.publication.short} prescribes {published}"
    return _simple("bkms", "BKMs", published, here, obstacle, f"the BKMs {published}")


def _layout(case: Case, part: RunPart) -> Condition:
    variants = case.results.run.about.stacks[part.stack].variants
    variant = case.variant(part.stack)
    here = variants[variant].layout if variant in variants else "not run"
    published = case.claim.layout
    return _simple("layout", f"layout ({variant})", published, here, f"the layout is {here}, not {published}",
                   f"the layout {published}")  # fmt: skip


def _cache_counters(case: Case, part: RunPart) -> Condition:
    obstacle = (
        "it happens inside the kernels and the caches, which only the processor's own counters show, and here "
        f"{why_uncounted(case, part)}"
    )
    counted = bool(cache_misses(case, part))
    return Condition("cache_counters", "counters", "", "", counted, obstacle, "the processor's own counters")


def _value(case: Case, part: RunPart) -> Condition:
    obstacle = (
        "its value was never published as text, only as a picture, so that there is nothing to compare a figure with"
    )
    known = case.claim.value is not None
    return Condition("value", "value", str(case.claim.value), "", known, obstacle, "a published value")


def _simple(name: str, title: str, published: Any, here: Any, obstacle: str, lacking: str) -> Condition:
    if published is None:
        return Condition(name, title, NOT_STATED, str(here), None, f"its {title} was not published", _untold(title))
    return Condition(name, title, str(published), str(here), published == here, obstacle, lacking)


def _untold(title: str) -> str:
    return f"its {title} (not published)"


def _out_of_reach() -> list[Condition]:
    return [Condition(name, name, "", "", False, obstacle, lacking)
            for name, (lacking, obstacle) in OUT_OF_REACH.items()]  # fmt: skip


_CONDITIONS: Sequence[Callable[[Case, RunPart], Condition]] = (
    _value, _work, _data, _batch_size, _topologies, _stack, _tensorflow, _build, _processor, _instance_type, _sockets,
    _cores, _isa, _threads, _baseline, _steps, _bkms, _layout, _cache_counters,
)  # fmt: skip
