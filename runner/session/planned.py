"""Makes the plan of a comparison from options: reads the machine, chooses the pin, fills in the preset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from runner.catalogue.presets import Preset, find_preset
from runner.catalogue.stacks import Stack, against_itself, find_stack, served_by
from runner.catalogue.topology_file import UserTopology, chosen_topologies
from runner.engines.protocol import Notify
from runner.errors import UsageError
from runner.host.notes import notes_on
from runner.host.pin import Pin, choose_pin
from runner.machine import Machine, Processor
from runner.planning.bkm import ResolvedBkms, load_bkms, resolve, with_inter_op_threads
from runner.planning.plan import FEWEST_VARIANTS, Plan, Request, make_plan, reasons_apart
from runner.session.options import PinOptions, RequestOptions
from runner.session.this_host import LIVE_ROOT, machine_below, problems
from runner.session.topology_description import Description
from runner.session.user_topology import sentence, user_topology_of
from runner.vocabulary import Group, Launch, Steps, TurnSize

DEFAULT_STACKS = ("tf-2.14",)
DEFAULT_PRESET = "quick"

P = TypeVar("P", bound="PlannedComparison")


@dataclass(frozen=True)
class PlannedComparison:
    """A plan with what it was made from. `description` is that of the user's own topology, after it has been built.

    `label` is what a new run's folder is named after. `remarks` has a sentence for each variant that is left out on
    this processor, and for each topology whose launches do not take turns. `problems` are the reasons to refuse a run
    on this host; a plan can be made in spite of them, for another host. `notes` say what the pin leaves out on this
    host, and what makes its figures doubtful.
    """

    label: str
    machine: Machine
    request: Request
    plan: Plan
    user_topology: UserTopology | None = None
    description: Description | None = None
    remarks: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """The stacks of the request."""
        return self.request.stacks

    @property
    def launches(self) -> Sequence[Launch]:
        """The launches that are carried out."""
        return self.plan.launches

    @property
    def kind_json(self) -> Mapping[str, Any]:
        """The keys that run.json has only for this kind of run: none for a comparison."""
        return {}

    def with_description(self: P, description: Description, notify: Notify) -> P:
        """The plan again, after the user's own topology was built: its inter-op threads follow from its branches."""
        request = replace(self.request, branches=description.disjoint_branches)
        plan = make_plan(request, self.plan.pin, self.plan.bkms)
        if self.user_topology is not None:
            notify(sentence(self.user_topology, plan, description))
        return replace(self, plan=plan, description=description)


def plan_from(
    wanted: RequestOptions, where: PinOptions, *, contained: bool, sysroot: Path = LIVE_ROOT, aa: bool = False
) -> PlannedComparison:
    """Make the plan that the options ask for, for the host below `sysroot`.

    `contained` says whether containers were requested; the `problems` depend on it. With `aa` each stack's baseline is
    compared with itself.

    Raises:
        UsageError: an option asks for something that does not exist or is not possible on this host.
    """
    machine = machine_below(sysroot)
    pin = pin_from(where, machine)
    preset = preset_from(wanted)
    user_topology = user_topology_of(wanted.topology_file)
    request = replace(request_from(wanted, preset, user_topology), memory_bytes=memory_of(machine))
    if aa:
        request = replace(request, variants=(), stacks=tuple(against_itself(stack) for stack in request.stacks))
    request, left_out = served(request, machine.processor)
    plan = make_plan(request, pin, bkms_from(wanted.bkms, wanted.inter_op, pin))
    return PlannedComparison(
        "aa" if aa else preset.name,
        machine,
        request,
        plan,
        user_topology,
        remarks=(*left_out, *apart(request, plan)),
        problems=problems(machine, pin, where.pin_request, contained=contained),
        notes=notes_on(machine, pin),
    )


def plan_request(
    label: str, request: Request, where: PinOptions, bkms: str, inter_op: int | None, user_topology: UserTopology | None
) -> PlannedComparison:
    """Make the plan of a request without a preset, on this host.

    Raises:
        UsageError: the request asks for something that does not exist or is not possible on this host.
    """
    machine = machine_below(LIVE_ROOT)
    pin = pin_from(where, machine)
    request, left_out = served(replace(request, memory_bytes=memory_of(machine)), machine.processor)
    plan = make_plan(request, pin, bkms_from(bkms, inter_op, pin))
    return PlannedComparison(label, machine, request, plan, user_topology, remarks=(*left_out, *apart(request, plan)))


def served(request: Request, processor: Processor | None) -> tuple[Request, tuple[str, ...]]:
    """The request without the variants that this processor cannot run, and a sentence on each that was wanted.

    The processor is None if the host is not known.

    Raises:
        UsageError: --variants names such variants, and without them fewer than two are left.
    """
    found = [served_by(stack, processor) for stack in request.stacks]
    stacks = tuple(stack for stack, _ in found)
    left = {name for stack in stacks for name in stack.variants}
    gone = {name: why for _, reasons in found for name, why in reasons.items() if name not in left}
    variants = tuple(name for name in request.variants if name not in gone)
    if len(variants) < FEWEST_VARIANTS and variants != request.variants:
        reasons = "; ".join(f"{name}: {gone[name]}" for name in request.variants if name in gone)
        raise UsageError(f"A comparison needs two variants. Of those in --variants this host cannot run {reasons}.")
    remarks = tuple(
        f"{stack.name}: {stack.variants[name].label} ({name}) is left out, because {why}"
        for stack, (_, reasons) in zip(request.stacks, found, strict=True)
        for name, why in reasons.items()
        if not request.variants or name in request.variants
    )
    return replace(request, stacks=stacks, variants=variants), remarks


def apart(request: Request, plan: Plan) -> list[str]:
    """Why the launches of some blocks do not all take turns with one another, each reason once."""
    if request.turns is None or not request.turns.together:
        return []
    blocks: dict[tuple[Group, int], list[Launch]] = {}
    for launch in plan.launches:
        blocks.setdefault((launch.cell.group, launch.block), []).append(launch)
    found = (reason for (group, _), block in blocks.items() for reason in reasons_apart(request, group, block))
    return list(dict.fromkeys(found))


def preset_from(wanted: RequestOptions) -> Preset:
    """The preset that --preset names; quick if the option is left out."""
    return find_preset(wanted.preset or DEFAULT_PRESET)


def pin_from(where: PinOptions, machine: Machine) -> Pin:
    """The pin that --cpus, --cores and --headroom ask for."""
    return choose_pin(machine, cpus=where.cpus, cores=where.cores, headroom=where.headroom)


def bkms_from(name: str, inter_op: int | None, pin: Pin) -> ResolvedBkms:
    """A set of BKMs for the pin, with the inter-op threads that --inter-op asks for."""
    bkms = resolve(load_bkms(name), pin)
    return bkms if inter_op is None else with_inter_op_threads(bkms, inter_op)


def stacks_from(names: Sequence[str] | None) -> tuple[Stack, ...]:
    """The stacks that --stack names, or the default one."""
    return tuple(find_stack(name) for name in names or DEFAULT_STACKS)


def memory_of(machine: Machine) -> int | None:
    """The bytes of memory that are free for launches on this host, within its limit; None if neither is known."""
    sizes = (machine.readings.memory_available_bytes, machine.limits.memory_limit_bytes)
    return min((size for size in sizes if size is not None), default=None)


def turn_size(wanted: RequestOptions, preset: Preset) -> TurnSize:
    """How the launches of a block take turns.

    Raises:
        UsageError: the number of bursts is odd.
    """
    bursts = preset.bursts if wanted.bursts is None else wanted.bursts
    if bursts % 2:
        raise UsageError(
            f"--bursts {bursts} is odd. The order of the launches is mirrored from burst to burst, so that a drift of "
            f"the host favours no variant; that needs an even number. Ask for {bursts + 1}."
        )
    seconds = preset.burst_seconds if wanted.burst_seconds is None else wanted.burst_seconds
    return TurnSize(bursts, seconds, together=not wanted.in_sequence)


def request_from(wanted: RequestOptions, preset: Preset, user_topology: UserTopology | None = None) -> Request:
    """The request of a preset, with the values that the options override."""
    steps = Steps(
        warmup=preset.warmup_steps if wanted.warmup is None else wanted.warmup,
        timed=wanted.steps or preset.timed_steps,
    )
    return Request(
        stacks=stacks_from(wanted.stack),
        variants=wanted.variants or (),
        topologies=chosen_topologies(wanted.topologies, preset.topologies, user_topology),
        batch_sizes=wanted.batch_sizes or preset.batch_sizes,
        blocks=preset.blocks if wanted.blocks is None else wanted.blocks,
        steps=steps,
        turns=turn_size(wanted, preset),
        seed=wanted.seed,
        time_limit_seconds=wanted.time_limit,
        user_topology=user_topology.file if user_topology else None,
    )
