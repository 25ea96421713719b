"""Sentences on whether a plain `pip install` has oneDNN on here, as it was observed, and on what to do about it."""

from __future__ import annotations

from runner.evidence.cell_plan import ONEDNN_SWITCH, cell_plan_of
from runner.report.value_text import estimated, plural, topology_title
from runner.stats.results import Results, Role
from runner.stats.tables import Summary
from runner.stats.verdict_words import FASTER, VERDICTS

_SWITCHING = f"Switching it on ({ONEDNN_SWITCH}=1)"
_ALONE = "95% for this mean alone"


def default_findings(measured: Results) -> tuple[str, ...]:
    """Return, for each stack where it was observed, whether oneDNN is on by itself and what switching it on gained."""
    return tuple(_finding(measured, stack) for stack in measured.stacks if stack in measured.defaults)


def not_observed(measured: Results) -> tuple[str, ...]:
    """Return a sentence on the stacks that may have oneDNN on by themselves, and where this was not observed."""
    stacks = [stack for stack in measured.stacks if _wheel(measured, stack) and stack not in measured.defaults]
    if not stacks:
        return ()
    return (
        f"Whether a plain `pip install` has oneDNN on here was not observed on {' and '.join(stacks)}. This report "
        "does not say which of its bars a plain installation gives. `python -m runner probe RUN` observes it.",
    )


def _finding(measured: Results, stack: str) -> str:
    seen, title = measured.defaults[stack], measured.header.stacks[stack].title
    word = "on" if seen.is_on else "off"
    text = (f"{title}: here a plain `pip install {_wheel(measured, stack) or 'tensorflow'}` has oneDNN {word} "
            f"(observed by {seen.said_by} with {ONEDNN_SWITCH} not set).")  # fmt: skip
    return f"{text} {_gain(measured, stack)}" if not seen.is_on else text


def _gain(measured: Results, stack: str) -> str:
    """Return what switching oneDNN on gained, or that it was not faster, or that this was not measured."""
    pairs = [row for row in measured.summaries if row.stack == stack and _is_the_switch(measured, row)]
    if not pairs:
        return f"What {ONEDNN_SWITCH}=1 would gain was not measured in this run."
    return " ".join(_of_pair(row) for row in pairs)


def _is_the_switch(measured: Results, row: Summary) -> bool:
    """Return whether this pair compares a stock wheel with oneDNN on with the same wheel with oneDNN off."""
    roles = [measured.role(row.stack, name) for name in (row.baseline, row.candidate)]
    return roles == [Role.BASELINE, Role.SWITCHED_ON]


def _of_pair(row: Summary) -> str:
    bars = [bar for bar in row.speedups if bar.verdict in VERDICTS]
    where = f"at batch size {row.batch_size}"
    if not bars:
        return f"What {ONEDNN_SWITCH}=1 gains {where} has no verdict in this run."
    faster = sum(bar.verdict == FASTER for bar in bars)
    count = f"faster on {faster} of {plural(len(bars), 'topology')}"
    if len(bars) == 1 and faster:
        gain, topology = estimated(bars[0].together), bars[0].pair.group.topology
        return f"{_SWITCHING} gained {gain} here {where} ({topology_title(topology)})."
    shown, is_known = estimated(row.mean), row.mean is not None and row.mean.has_interval
    # The mean's interval is not one of those that hold at once. The mean is called a gain only if a bar is faster, too.
    if faster and row.mean is not None and row.mean.low > 1:
        return f"{_SWITCHING} gained {shown} here {where} (geometric mean, {_ALONE}; {count})."
    beside = f"; geometric mean {shown} ({_ALONE})" if len(bars) > 1 and is_known else ""
    return f"{_SWITCHING} was {count} {where}{beside}."


def _wheel(measured: Results, stack: str) -> str | None:
    """Return the name by which pip installs the stack's stock wheel with oneDNN in it; None if there is none."""
    for name in measured.header.stacks[stack].variants:
        cell_plan = cell_plan_of(measured.header, stack, name, {})
        if cell_plan.has_a_default:
            return cell_plan.wheel
    return None
