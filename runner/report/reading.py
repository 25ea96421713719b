"""The report's section on how to read it: what a launch and a block are, and what each interval means."""

from __future__ import annotations

from runner.report.document import Section
from runner.report.value_text import plural
from runner.stats.results import Results

# Only a stack with this variant needs the paragraph on the switch: before 2.5 stock TensorFlow has no oneDNN to switch.
SWITCHED = "stock-onednn"


def reading_section(measured: Results) -> Section:
    """Return the section on how to read the report of a comparison."""
    paragraphs = (
        "A launch is one process or container that trains one topology with one variant: warm-up steps, then timed "
        "steps. A block is one launch of each variant, close in time. Blocks come in pairs: the second block of a pair "
        "runs the launches in the reverse order of the first. The unit of replication is the launch. More blocks make "
        f"an interval narrower, and more steps in a launch hardly do. This run has {size_of(measured)}.",
        "If the host is slower for a whole block, both launches are slower, and this cancels in their ratio. A "
        "disturbance that is shorter than a block affects one launch, and does not cancel. A speedup's interval can "
        "therefore be narrower or wider than the intervals of the two speeds that it divides. The section Block by "
        "block shows all of them.",
        "Every speedup has two intervals. The first is for this pair alone. At 95%, one in twenty such intervals "
        f"misses the true value. A run that reads {plural(measured.family, 'verdict')} off them would give a false "
        "verdict far more often than in one run of twenty, even if nothing differs. The second interval holds at once "
        "with those of all pairs that were planned: the error probability is divided by their number, so that no "
        "verdict is false in at least 95% of runs. This assumes that the ratios of the blocks are independent and "
        f"about normally distributed, which {plural(measured.header.plan.blocks, 'block')} cannot show. Verdicts, "
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
    return Section("How to read this", paragraphs)


def size_of(measured: Results) -> str:
    """Return the size of a run in words: "4 blocks; 1 warm-up step and 2 timed steps in each launch"."""
    launches = measured.run.launches
    blocks = plural(measured.header.plan.blocks, "block")
    steps = {(launch.steps.warmup, launch.steps.timed) for launch in launches}
    texts = [f"{plural(warmup, 'warm-up step')} and {plural(timed, 'timed step')}" for warmup, timed in sorted(steps)]
    return f"{blocks}; {' or '.join(texts)} in each launch"


def _on_the_switch(measured: Results) -> tuple[str, ...]:
    stacks = [stack for stack, entry in measured.header.stacks.items() if SWITCHED in entry.variants]
    if not stacks:
        return ()
    return (
        f"On {' and '.join(stacks)}, stock has oneDNN switched off, and stock-onednn is the same wheel with oneDNN "
        "switched on. Which of the two a plain `pip install` runs depends on the CPU: on Linux, TensorFlow 2.9 and "
        "later has it on by itself only if it finds AVX512_VNNI, AVX512_BF16, AVX_VNNI or AMX. What Intel's wheel adds "
        "to oneDNN switched on is intel / stock-onednn. The switch concerns whole operations. With it off, "
        "TensorFlow's own (Eigen) convolutions and matrix products still call oneDNN to multiply their tiles, on any "
        "instruction set that oneDNN finds (gemm_api in the section Evidence). They do so in TensorFlow 1.14 and "
        "later, and not in 1.12. This baseline therefore contains a part of Intel's work, and is not the same as the "
        "baseline of 2018.",
    )
