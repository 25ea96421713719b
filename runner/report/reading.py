"""The report's section on how to read it: what a launch and a block are, and what each interval means."""

from __future__ import annotations

from runner.report.document import Section
from runner.report.measured import blocks_in_words
from runner.report.sequence import is_by_turns, sequence_sentences
from runner.report.value_text import plural
from runner.stats.first_steps import first_steps
from runner.stats.results import Results, Role
from runner.vocabulary import Launch

# What turns are, in four sentences.
TURNS = (
    "The launches of a block live together on the same CPUs and take turns: one of them trains for a burst of some "
    "steps{lead}, while the others wait in a read and use next to no CPU. The order in which they train is mirrored "
    "from burst to burst, and the order in which they start from block to block, so that a drift of the host favours "
    "no variant. Every block starts new launches, because launches of one variant differ from one another, which more "
    "bursts of the same launch cannot show. The section How the launches took turns draws the bursts, and shows how "
    "idle the waiting launches were."
)
# In runs of versions before 2026-11-29 every step of a burst was timed.
LEAD = " after an untimed one"


def reading_section(measured: Results) -> Section:
    """Return the section on how to read the report of a comparison."""
    paragraphs = (
        *_launches_and_blocks(measured),
        "Every speedup has two intervals. The first is for this pair alone. At 95%, one in twenty such intervals "
        f"misses the true value. A run that reads {plural(measured.family, 'verdict')} off them would give a false "
        "verdict far more often than in one run of twenty, even if nothing differs. The second interval holds at once "
        "with those of all pairs that were planned: the error probability is divided by their number, so that no "
        "verdict is false in at least 95% of runs. This assumes that the ratios of the blocks are independent and "
        f"about normally distributed, which {blocks_in_words(measured)} cannot show. Verdicts, "
        "counts of verdicts, the largest speedup and the claims on speedups are read off the second interval. Other "
        "claims have only an interval of their own. The figure draws the first interval thick and the second thin. "
        "results/README.md has the shares of runs with a false verdict, by simulation.",
        "The largest speedup is shown with its own interval, which is one of those that hold at once. It was picked "
        "after measuring, and another topology may have the largest true speedup. That speedup lies between the "
        "highest lower end and the highest upper end of these intervals. The interval of the geometric mean is "
        "Student's t over the blocks, of which each contributes its mean over the topologies. It is about these "
        "networks, and not about networks in general.",
        *_on_the_switch(measured),
        "A hatched bar has a remark beside it. A partial bar lacks a launch, or its launches are of two sessions, "
        "which are not divided by one another. It shows its estimate and gets no verdict. A gap is a failed cell, with "
        "its reason. Nothing is dropped.",
    )
    return Section("How to read this", paragraphs, summary="launches, blocks and bursts; the two intervals; verdicts")


def _turns(measured: Results) -> str:
    has_lead = any(each.bursts and not each.is_timed for each in first_steps(measured.usable).values())
    return TURNS.format(lead=LEAD if has_lead else "")


def _launches_and_blocks(measured: Results) -> tuple[str, ...]:
    """Return what launches and blocks are, and what the blocks cancel: by turns, or one launch after the other."""
    launch = (
        "A launch is one process or container that trains one topology with one variant: warm-up steps, then timed "
        "steps."
    )
    size = f"This run has {size_of(measured)}."
    narrower = (
        "A speedup's interval can therefore be narrower or wider than the intervals of the two speeds that it divides. "
        "The section Block by block shows all of them."
    )
    if is_by_turns(measured):
        return (
            f"{launch} A block is one launch of each variant. {_turns(measured)} The unit of replication is the block. "
            f"More blocks make an interval narrower; more bursts in a launch do so only up to a point. {size}",
            *sequence_sentences(measured),
            "If the host is slower for several turns, every launch of the block is slower, and this cancels in their "
            f"ratio. A disturbance that is shorter than a turn affects one launch, and does not cancel. {narrower}",
        )
    return (
        f"{launch} A block is one launch of each variant, close in time. Blocks come in pairs: the second block of a "
        "pair runs the launches in the reverse order of the first. The unit of replication is the launch. More blocks "
        f"make an interval narrower, and more steps in a launch hardly do. {size}",
        *sequence_sentences(measured),
        "If the host is slower for a whole block, both launches are slower, and this cancels in their ratio. A "
        f"disturbance that is shorter than a block affects one launch, and does not cancel. {narrower}",
    )


def size_of(measured: Results) -> str:
    """Return the size of a run in words.

    "4 blocks; 1 warm-up step and 2 timed steps in each launch", or for launches with bursts "4 blocks; 6 bursts of
    about 2 s in each launch, at least 1 step in a burst".
    """
    blocks = blocks_in_words(measured)
    texts = {_size_of_launch(launch): None for launch in sorted(measured.run.launches, key=_by_size)}
    return f"{blocks}; {' or '.join(texts)}"


def _by_size(launch: Launch) -> tuple[int, int]:
    return launch.steps.warmup, launch.steps.timed


def _size_of_launch(launch: Launch) -> str:
    steps, turns = launch.steps, launch.turns
    if turns is None:
        return f"{plural(steps.warmup, 'warm-up step')} and {plural(steps.timed, 'timed step')} in each launch"
    return (
        f"{plural(turns.bursts, 'burst')} of about {turns.burst_seconds:g} s in each launch, at least "
        f"{plural(steps.timed // turns.bursts, 'step')} in a burst"
    )


def _on_the_switch(measured: Results) -> tuple[str, ...]:
    """Return the paragraph on oneDNN's switch; nothing before TensorFlow 2.5, whose stock has nothing to switch."""
    stacks = measured.header.stacks
    found = {stack: name for stack in stacks for name in stacks[stack].variants
             if measured.role(stack, name) == Role.SWITCHED_ON}  # fmt: skip
    if not found:
        return ()
    builds = {f"{build} / {found[stack]}" for stack in found if (build := stacks[stack].vendors_build)}
    adds = f"What Intel's wheel adds to oneDNN switched on is {' or '.join(sorted(builds))}. " if builds else ""
    switched_on = " or ".join(sorted(set(found.values())))
    return (
        f"On {' and '.join(found)}, stock has oneDNN switched off, and {switched_on} is the same wheel with oneDNN "
        "switched on. Which of the two a plain `pip install` runs depends on the CPU: on Linux, "
        "TensorFlow 2.9 and later has it on by itself only if it finds AVX512_VNNI, AVX512_BF16, AVX_VNNI or AMX. "
        f"{adds}The switch concerns whole operations. With it off, "
        "TensorFlow's own (Eigen) convolutions and matrix products still call oneDNN to multiply their tiles, on any "
        "instruction set that oneDNN finds (gemm_api in the section Evidence). They do so in TensorFlow 1.14 and "
        "later, and not in 1.12. This baseline therefore contains a part of Intel's work, and is not the same as the "
        "baseline of 2018.",
    )
