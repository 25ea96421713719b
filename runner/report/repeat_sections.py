"""The report's section on a repetition: each speedup in both runs, whether they agree, and which conditions differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from runner.checks.conditions import flatten
from runner.report.document import Document, Section, table
from runner.report.measured import condition, measured
from runner.report.value_text import interval, plural, present, times, topology_title, with_interval
from runner.stats.agreement import Agreement, compare_pairs
from runner.stats.intervals import Estimate
from runner.stats.results import Results
from runner.storage.repetition import differing_artifacts, original_of

# A difference of less than this factor is not mentioned as one that could have gone unnoticed.
WORTH_TELLING = 1.01


def repeat_sections(repeated: Results) -> tuple[Section, ...]:
    """Return the section that compares a run with the run that it repeats; nothing for a run that repeats none."""
    found = original_of(repeated.run)
    if found is None:
        return ()
    original = measured(found)
    agreements = compare_pairs(original.pairs, repeated.pairs)
    rows = [_row(each) for each in agreements]
    columns = ("stack", "topology", "batch size", "pair", "original [95%]", "repetition [95%]",
               "repetition / original", "simultaneous 95% interval", "agrees")  # fmt: skip
    differing = differences(original, repeated)
    paragraphs = (
        f"This run repeats {found.name}. {verdict(agreements, differing)}",
        "Two speedups agree if the interval of their ratio contains 1. The interval is Welch's, for the difference of "
        "the mean log-ratios over the blocks of two independent runs. The intervals of all pairs hold at once. Their "
        "ends show how large a difference could have gone unnoticed.",
        "The original's run.json and records.jsonl are in original/, beside this report.",
    )
    tables = [table(columns, rows, columns[4:8], caption="Each speedup, then and now")]
    if differing:
        shown = [(name, present(then), present(now)) for name, then, now in differing]
        tables.append(table(("condition", "original", "repetition"), shown, caption="Conditions that differ"))
    return (Section("The original and this repetition", paragraphs, tuple(tables)),)


def repeat_document(repeated: Results) -> Document | None:
    """Return the comparison alone, as repeat.md shows it; None for a run that repeats none."""
    sections = repeat_sections(repeated)
    if not sections:
        return None
    title = f"{repeated.run.name}, a repetition"
    told, *rest = sections[0].paragraphs
    sections = (replace(sections[0], paragraphs=tuple(rest)),)
    return Document(title, told, findings=(), warnings=(), sections=sections)


def verdict(agreements: Sequence[Agreement], differing: Sequence[tuple[str, object, object]]) -> str:
    """Return the comparison in two sentences: whether the runs agree, if this can be decided, and what differs."""
    judged = [each for each in agreements if each.agrees is not None]
    apart = [each for each in judged if each.agrees is False]
    absent = [f"{_name(each)} ({each.reason})" for each in agreements if each.agrees is None]
    if not judged:
        told = "Whether it agrees cannot be decided, because no speedup was measured in both runs"
    elif apart:
        parts = [f"{_name(each)} was {_speedup(each.original)} and is {_speedup(each.repeated)}" for each in apart]
        told = f"It does not agree: {'; '.join(parts)}"
        told += f"; the other {len(judged) - len(apart)} agree" if len(judged) > len(apart) else ""
    else:
        told = f"It agrees: {plural(len(judged), 'speedup')} within the intervals{_unnoticed(judged)}"
    told += f"; not compared: {'; '.join(absent)}" if absent else ""
    names = ", ".join(name for name, _, _ in differing)
    return f"{told}. {f'Conditions that differ: {names}.' if differing else 'All conditions are the same.'}"


def _unnoticed(judged: Sequence[Agreement]) -> str:
    """Return in words how large a difference these intervals could not have shown; empty if it is negligible."""
    factor = max(math.sqrt(each.ratio.high / each.ratio.low) for each in judged if each.ratio)
    told = f", which could not have shown a difference of less than {times(factor)}"
    return told if factor >= WORTH_TELLING else ""


def differences(original: Results, repeated: Results) -> list[tuple[str, object, object]]:
    """Return every condition, environment variable and installation that differs: name, original, repetition."""
    then, now = _conditions(original), _conditions(repeated)
    found: list[tuple[str, object, object]] = [
        (name, " / ".join(then.get(name, ["absent"])), " / ".join(now.get(name, ["absent"])))
        for name in dict.fromkeys([*then, *now])
        if then.get(name) != now.get(name) and then and now
    ]
    installed = differing_artifacts(original.run, repeated.run)
    return found + [(name, before, after) for name, (before, after) in installed.items()]


def _conditions(run: Results) -> dict[str, list[str]]:
    """Return every value of every condition and environment variable, sorted, so that the order of launches is lost."""
    values: dict[str, set[str]] = {}
    for record in run.usable:
        named = [*flatten(record.conditions), *flatten(record.settings["environment"], "environment.")]
        for name, value in [*named, ("layout", record.settings["layout"])]:
            values.setdefault(name, set()).add(condition(run, name, value))
    return {name: sorted(seen) for name, seen in values.items()}


def _row(each: Agreement) -> tuple[str, ...]:
    ratio = each.ratio
    return (
        each.group.stack, topology_title(each.group.topology), str(each.group.batch_size),
        f"{each.candidate} / {each.baseline}", _speedup(each.original), _speedup(each.repeated),
        times(ratio.value if ratio else math.nan), interval(ratio.low, ratio.high) if ratio else "none",
        {True: "agrees", False: "does not agree", None: f"not compared: {each.reason}"}[each.agrees],
    )  # fmt: skip


def _speedup(estimate: Estimate | None) -> str:
    return "—" if estimate is None else with_interval(estimate.value, estimate.low, estimate.high)


def _name(each: Agreement) -> str:
    group = each.group
    size = f"{group.stack}, batch size {group.batch_size}"
    return f"{topology_title(group.topology)} {each.candidate} / {each.baseline} ({size})"
