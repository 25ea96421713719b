"""Resolves a ladder for one stack, host and pin: the settings of each rung's launches, and which rungs are left out.

A pure function of data. A rung is left out here if that is known before any launch. Whether a rung is inert becomes
known only by its launches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from runner.catalogue.debian_libraries import find_allocator
from runner.catalogue.stacks import Installation, Stack, load_stacks
from runner.errors import UsageError
from runner.host.pin import Pin, choose_pin
from runner.machine import Machine, Processor
from runner.planning.bkm import Bkms, resolve
from runner.planning.ladder_file import FEWEST_RUNGS, LAST, Ladder, Rung
from runner.planning.plan import BASE_ENVIRONMENT
from runner.planning.rungs import PlannedRung, RungSettings
from runner.vocabulary import Layout, one_of


@dataclass(frozen=True)
class _State:
    """The settings after all changes up to a rung."""

    variant: str = ""
    declared: bool = True
    bkms: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    intra_op_threads: int | None = None
    inter_op_threads: int | None = None
    layout: str = "NHWC"
    pin: str = "pinned"
    graph_optimisation: bool = True
    vendor_check: bool = True
    allocator: str | None = None


def ladder_pins(machine: Machine, pin: Pin) -> dict[str, Pin | None]:
    """The pins that rungs may name; None if this host has too few cores for a pin.

    `all` is every logical CPU that this process may use, including those outside of the run's pin. Isolated CPUs belong
    to it only if the run's pin has isolated CPUs.
    """
    left = frozenset(cpu for core in pin.cores[1:] for cpu in core)
    isolated = frozenset(machine.isolated_cpus)
    every = frozenset(machine.allowed_cpus)
    return {
        "all": choose_pin(machine, cpus=every if isolated & set(pin.cpus) else every - isolated),
        "pinned": pin,
        "headroom": choose_pin(machine, cpus=left) if left else None,
    }


def plan_rungs(
    ladder: Ladder, stack: Stack, pins: Mapping[str, Pin | None], processor: Processor
) -> tuple[PlannedRung, ...]:
    """Resolve a ladder: its rungs in order, then its branches.

    Raises:
        UsageError: a rung names a variant that no stack has, the first rung needs a core that the host does not
            have, or fewer than two rungs are left.
    """
    planned: list[PlannedRung] = []
    states: dict[str, _State] = {}
    before, state = "", _State()
    for rung in ladder.rungs:
        found, after = _plan(rung, before, state, planned, stack, pins, processor, ladder.bkms)
        planned.append(found)
        states[rung.id] = state if found.left_out else after
        if not found.left_out:
            before = rung.id
        if not found.left_out or not before:  # the next rung's change applies to a first rung even if that is left out
            state = after
    _require_two(ladder, stack, planned)
    last = before
    for branch in ladder.branches:
        of = _standing(last if branch.of == LAST else branch.of, planned)
        found, _ = _plan(branch, of, states[of], planned, stack, pins, processor, ladder.bkms)
        planned.append(replace(found, is_branch=True, could_be_baseline=branch.could_be_baseline))
    return tuple(planned)


def _plan(
    rung: Rung, of: str, state: _State, planned: list[PlannedRung], stack: Stack, pins: Mapping[str, Pin | None],
    processor: Processor, bkms: Bkms,
) -> tuple[PlannedRung, _State]:  # fmt: skip
    after = _changed(state, rung.change)
    pin = pins[after.pin]
    before = next((each.settings for each in planned if each.id == of), None)
    has_variant = _has(stack, after.variant)
    settings = before if pin is None or not has_variant else _settings(after, pin, stack, bkms, processor.vendor)
    reason = _left_out(rung, stack, processor, pin, before, settings)
    if has_variant:
        reason = _why_no_step(stack, after.variant, processor) or reason
    else:
        reason = f"{stack.name} has no variant {after.variant}"
    if settings is None:
        raise UsageError(f"The first rung, {rung.id}, cannot be run here: {reason}.")
    changes = () if reason or before is None else _changes(before, settings)
    found = PlannedRung(
        id=rung.id, title=rung.title, sentence=rung.sentence, source=rung.source, note=rung.note, is_branch=False,
        could_be_baseline=False, of=of, left_out=reason, acts_through=rung.acts_through,
        changes=changes, settings=settings,
    )  # fmt: skip
    return found, after


def _left_out(
    rung: Rung, stack: Stack, processor: Processor, pin: Pin | None, before: RungSettings | None,
    settings: RungSettings | None,
) -> str:  # fmt: skip
    if rung.stacks and stack.name not in rung.stacks:
        return f"not on {stack.name}: {rung.stacks_reason}"
    if absent := processor.lacks(rung.needs_isa):
        return absent
    if pin is None:
        return "this host has no core to spare"
    if settings is None or settings != before:
        return ""
    if rung.vendor_check is False:
        return _no_vendor_check(stack.installations[settings.installation], processor.vendor)
    return "nothing to change on this stack and host: its launches would be those of the rung before it"


def _why_no_step(stack: Stack, name: str, processor: Processor) -> str:
    """Why a variant cannot be a step of a ladder on this processor; empty if it can."""
    variant, baseline = stack.variants[name], stack.variants[stack.baseline]
    if variant.arithmetic != baseline.arithmetic:
        return f"{name} computes in {variant.arithmetic}, so that it is not the same training"
    return variant.why_not_on(processor)


def _no_vendor_check(installation: Installation, vendor: str) -> str:
    if installation.vendor_check is None:
        return f"no library of {installation.wheel} is known to choose its code by the processor's vendor"
    return f"the library's check of the vendor does not hold back a processor of {vendor or 'an unknown vendor'}"


def _changed(state: _State, change: Mapping[str, Any]) -> _State:
    unset = set(change.get("unset", ()))
    values = {key: value for key, value in change.items() if key not in ("bkms", "set", "unset")}
    kept = {name: value for name, value in state.variables.items() if name not in unset}
    bkms = tuple(dict.fromkeys(name for name in (*state.bkms, *change.get("bkms", ())) if name not in unset))
    return replace(state, **values, bkms=bkms, variables={**kept, **change.get("set", {})})


def _has(stack: Stack, variant: str) -> bool:
    """Whether a stack has a variant.

    Raises:
        UsageError: no stack has one of that name.
    """
    if variant in stack.variants:
        return True
    one_of("variant", variant, dict.fromkeys(name for each in load_stacks().values() for name in each.variants))
    return False


def _settings(state: _State, pin: Pin, stack: Stack, bkms: Bkms, vendor: str) -> RungSettings:
    variant = stack.variants[state.variant]
    installation = stack.installation_of(variant.name)
    check = installation.vendor_check
    resolved = resolve(bkms, pin)
    chosen = {name: value for name, value in resolved.environment.items() if name in state.bkms}
    declared = {entry.name: entry.value for entry in variant.environment} if state.declared else {}
    lifted = check.lifted_on(vendor) if check and not state.vendor_check else {}
    environment = {**BASE_ENVIRONMENT, **declared, **chosen, **lifted, **state.variables}
    layouts: dict[str, Layout] = {"NHWC": "NHWC", "NCHW": "NCHW", "declared": variant.layout}
    intra = resolved.intra_op_threads if "intra_op_threads" in state.bkms else 0
    inter = resolved.inter_op_threads if "inter_op_threads" in state.bkms else 0
    return RungSettings(
        variant=variant.name,
        installation=installation.name,
        wheel=installation.wheel,
        layout=layouts[state.layout],
        pin=pin,
        intra_op_threads=intra if state.intra_op_threads is None else state.intra_op_threads,
        inter_op_threads=inter if state.inter_op_threads is None else state.inter_op_threads,
        graph_optimisation=state.graph_optimisation,
        environment=dict(sorted(environment.items())),
        allocator=find_allocator(state.allocator).as_allocator if state.allocator else None,
    )


def _changes(before: RungSettings, now: RungSettings) -> tuple[tuple[str, str, str], ...]:
    pairs = [
        ("wheel", before.wheel, now.wheel),
        ("pin", before.pin.cpu_list, now.pin.cpu_list),
        ("intra_op_threads", _threads(before.intra_op_threads), _threads(now.intra_op_threads)),
        ("inter_op_threads", _threads(before.inter_op_threads), _threads(now.inter_op_threads)),
        ("layout", before.layout, now.layout),
        ("allocator", _allocator(before), _allocator(now)),
        ("graph_optimisation", str(before.graph_optimisation).lower(), str(now.graph_optimisation).lower()),
    ]
    names = sorted({*before.environment, *now.environment})
    pairs += [(name, before.environment.get(name, "not set"), now.environment.get(name, "not set")) for name in names]
    return tuple((name, one, other) for name, one, other in pairs if one != other)


def _allocator(settings: RungSettings) -> str:
    return settings.allocator.name if settings.allocator else "the C library's"


def _threads(count: int) -> str:
    return str(count) if count else "the framework's own"


def _standing(name: str, planned: list[PlannedRung]) -> str:
    """The name of a rung if it is not left out, else that of the nearest rung before it that is not."""
    rung = next(each for each in planned if each.id == name)
    if not rung.left_out:
        return name
    return _standing(rung.of, planned) if rung.of else next(each.id for each in planned if not each.left_out)


def _require_two(ladder: Ladder, stack: Stack, planned: list[PlannedRung]) -> None:
    if sum(not rung.left_out for rung in planned) < FEWEST_RUNGS:
        reasons = "; ".join(f"{rung.id}: {rung.left_out}" for rung in planned if rung.left_out)
        raise UsageError(
            f"The ladder {ladder.name} has fewer than two rungs that can be run with {stack.name} on this host. "
            f"{reasons}."
        )
