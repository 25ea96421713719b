"""The report's section on how the launches of a block took turns, and on what living together cost them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from runner.checks.turns import IDLE_SECONDS, IDLE_SHARE
from runner.report.document import Section, Table, table
from runner.report.sequence import is_by_turns, sequence_sentences, sittings_sentences
from runner.report.step_factors import counts_told, factor_told
from runner.report.turns_figure import Timeline, draw_turns, timelines
from runner.report.value_text import plural, significant, topology_title
from runner.stats.first_steps import FirstStep, first_steps
from runner.stats.living_together import LivingTogether, living_together
from runner.stats.memory_layout import APART, FAULTS_APART, MemoryLayout, apart, faults_apart, memory_layouts
from runner.stats.results import Results
from runner.vocabulary import Cell, Group

TITLE = "How the launches took turns"
ONE_STEP = "bursts of one step: cannot be judged"


def turns_sections(measured: Results) -> tuple[Section, ...]:
    """Return the section; nothing for a run of an earlier version, whose launches always followed one another."""
    apart = (*sequence_sentences(measured), *sittings_sentences(measured))
    if not is_by_turns(measured):
        return (Section(TITLE, apart),) if apart else ()
    found, drawn = living_together(measured.usable), timelines(measured.usable)
    if not found:
        return (Section(TITLE, (*apart, "No launch that took turns has ended well.")),)
    judged = first_steps(measured.usable)
    paragraphs = (*_on_the_figure(drawn), *apart, _on_living_together(found), *_on_first_steps(judged))
    layouts = memory_layouts(measured.usable)
    paragraphs = (*paragraphs, *_on_memory(layouts))
    tables = (_living_table(measured, found), *_memory_tables(layouts), *_first_steps_tables(judged))
    figures = (draw_turns(measured, drawn),) if drawn else ()
    told = "who trained when, what the others used meanwhile, and what a switch costs"
    return (Section(TITLE, paragraphs, tables, figures=figures, summary=told),)


def _on_the_figure(drawn: Sequence[Timeline]) -> tuple[str, ...]:
    if not drawn:
        return ()
    return (
        "Each row is one launch, and a bar is what it trained in one turn: light is warm-up, full is timed. At any "
        "time one launch trains at most. A block with two bursts that overlap is not as planned, and none of its "
        "samples are used. The figure has the first complete block of each topology; records.jsonl has the beginning "
        "of every burst and step of all blocks.",
    )


def _on_living_together(found: Mapping[tuple[str, str], LivingTogether]) -> str:
    waited, idle = (sum(getattr(each, name) for each in found.values()) for name in ("waited", "idle_cpu"))
    passed_on = [seconds for each in found.values() for seconds in each.hand_overs]
    text = (
        f"While other launches had their turns, the launches that waited used {idle:.3f} s of CPU in {waited:,.0f} s "
        f"({_share(idle, waited)}). A launch that uses more than {IDLE_SHARE:.0%} of the time in which it waits, and "
        f"more than {significant(IDLE_SECONDS, 1)} s in all, is not as planned. What a launch uses after its last "
        "burst, until the others have ended, is not in this."
    )
    if passed_on:
        text += (
            f" From the end of a burst to the beginning of the next launch's burst it took "
            f"{_milliseconds(min(passed_on))} ms at least, {_milliseconds(statistics.median(passed_on))} ms in the "
            f"median and {_milliseconds(max(passed_on))} ms at most, over {plural(len(passed_on), 'hand-over')}. This "
            "includes the time in which a launch looks whether all its threads sleep, before it passes the turn on."
        )
    return text


def _living_table(measured: Results, found: Mapping[tuple[str, str], LivingTogether]) -> Table:
    order = [(stack, name) for stack in measured.stacks for name in measured.variants(stack) if (stack, name) in found]
    columns = (
        "stack", "variant", "launches", "others trained (s)", "own CPU meanwhile (s)", "share", "limit",
        "to the next burst, median (ms)", "longest (ms)", "slowest to fall asleep (ms)", "bursts never asleep",
    )  # fmt: skip
    rows = [
        (
            stack, variant, str(each.launches), f"{each.waited:,.1f}", f"{each.idle_cpu:.3f}",
            _share(each.idle_cpu, each.waited), f"{IDLE_SHARE:.0%}",
            _milliseconds(statistics.median(each.hand_overs)) if each.hand_overs else "—",
            _milliseconds(max(each.hand_overs)) if each.hand_overs else "—",
            "—" if each.slowest_to_sleep is None else _milliseconds(each.slowest_to_sleep),
            str(each.never_asleep),
        )
        for (stack, variant), each in ((key, found[key]) for key in order)
    ]  # fmt: skip
    return table(columns, rows, columns[2:], caption="Living together")


def _on_memory(layouts: Mapping[Cell, MemoryLayout]) -> tuple[str, ...]:
    """Return whether living together gave one side more huge pages or nearer memory; nothing if it was not recorded."""
    if not layouts:
        return ()
    flagged = apart(layouts)
    faults = _on_faults(faults_apart(layouts))
    if not flagged:
        return (
            f"No variant had more of its memory in huge pages, or on one memory node, than another by more than "
            f"{APART:.0%}.",
            *faults,
        )
    names = ", ".join(f"{topology_title(each.topology)} on {each.stack}" for each in flagged)
    return (
        f"Memory was laid out differently: on {names} the variants differ by more than {APART:.0%} in the share of "
        "memory in huge pages or on one memory node, although the order in which they start is balanced. Such a "
        "difference can come from how a build allocates memory, or from living together; --in-sequence tells them "
        "apart.",
        *faults,
    )


def _on_faults(flagged: Mapping[Group, float]) -> tuple[str, ...]:
    if not flagged:
        return ()
    names = ", ".join(
        f"{topology_title(group.topology)} on {group.stack} ({significant(ratio, 2)} times)"
        for group, ratio in flagged.items()
    )
    return (
        f"Page faults of a step differ by more than {FAULTS_APART:g} times between variants: {names}. The "
        "kernel clears memory again that a build has given back to it. The table has the counts of whole launches; the "
        "ladder `allocators` shows what another allocator changes.",
    )


def _memory_tables(layouts: Mapping[Cell, MemoryLayout]) -> tuple[Table, ...]:
    if not layouts:
        return ()
    columns = (
        "stack", "variant", "topology", "batch size", "launches", "in huge pages", "on the fullest node",
        "page faults", "that waited for a disk",
    )  # fmt: skip
    rows = [
        (
            cell.stack, cell.variant, topology_title(cell.topology), str(cell.batch_size), str(each.launches),
            _percent_or_dash(each.huge_share), _percent_or_dash(max(each.node_shares.values(), default=None)),
            "—" if each.minor_faults is None else f"{each.minor_faults:,.0f}",
            "—" if each.major_faults is None else f"{each.major_faults:,.0f}",
        )
        for cell, each in layouts.items()
    ]  # fmt: skip
    return (table(columns, rows, columns[3:], caption="Memory after the last step, mean over launches"),)


def _percent_or_dash(share: float | None) -> str:
    return "—" if share is None else f"{share:.0%}"


def _on_first_steps(judged: Mapping[Cell, FirstStep]) -> tuple[str, ...]:
    """Return what the first step after a switch does, in one sentence of counts, and how it was judged."""
    with_interval = [each for each in judged.values() if each.verdict]
    if not with_interval:
        why = "one block gives no interval" if any(each.bursts for each in judged.values()) else "bursts have one step"
        return (f"Whether the first step after another launch's turn is slower cannot be judged here: {why}.",)
    return (
        "The first step of a burst that follows another launch's turn, against the other steps of the same burst: "
        f"{counts_told([each.verdict for each in with_interval])}. The replicates are the blocks, of which each "
        "has the geometric mean over its bursts, and the interval is Student's t. It is of each cell alone, so that "
        f"about one in twenty of them excludes 0% where nothing differs. {_use_of(with_interval)}",
    )


def _use_of(judged: Sequence[FirstStep]) -> str:
    """Return what the first steps are used for: runs of earlier versions timed them."""
    if any(each.is_timed for each in judged):
        return "First steps are part of every speedup."
    return "First steps are untimed and part of no speedup: a launch that trains alone has no such steps."


def _first_steps_tables(judged: Mapping[Cell, FirstStep]) -> tuple[Table, ...]:
    if not any(each.bursts for each in judged.values()):
        return ()
    columns = ("stack", "variant", "topology", "batch size", "bursts judged", "the first step [95%]")
    rows = [
        (
            cell.stack,
            cell.variant,
            topology_title(cell.topology),
            str(cell.batch_size),
            str(each.bursts),
            factor_told(each.factor, ONE_STEP),
        )
        for cell, each in judged.items()
    ]
    return (table(columns, rows, columns[3:5], caption="The first step after a switch"),)


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.3%}" if whole > 0 else "—"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.1f}"
