"""The report's section on how to read it: what a launch and a block are, and what each interval means."""

from __future__ import annotations

from runner.report.document import Section
from runner.report.value_text import plural
from runner.stats.results import Results

# Before 2.5 stock TensorFlow has no oneDNN to switch, so that only a stack with this variant needs the paragraph on it.
SWITCHED = "stock-onednn"


def reading_section(measured: Results) -> Section:
    """How to read the report of a comparison."""
    paragraphs = (
        "A launch is one process or container that trains one topology with one variant: warm-up steps, then timed "
        "steps. A block is one launch of each variant, close in time; blocks go in twos, of which one has the "
        "other's order backwards. The unit of replication is the launch: more blocks make an interval narrower, more "
        f"steps in a launch hardly. Here: {size_of(measured)}.",
        "What slows the host through a whole block slows both launches, and cancels in their ratio. What is shorter "
        "than a block hits one launch and does not. So a speedup's interval can be narrower or wider than those of the "
        "two speeds that it divides; Block by block shows them all.",
        "Every speedup has two intervals. One is of this pair alone: at 95%, one in twenty of them misses the truth, "
        f"and a run that read {plural(measured.family, 'verdict')} off them would say something false far more often "
        "than that where nothing differs. The other holds at once with those of all pairs that were planned: each "
        "allows for the error probability divided by their number, so that in at least 95% of runs no verdict is a "
        "false one, if the blocks' ratios scatter about normally and independently of one another, which "
        f"{plural(measured.header.plan.blocks, 'block')} cannot show. Verdicts, counts of them, the largest "
        "and the claims on speedups are read off the second; other claims have an interval of their own alone. The "
        "figure draws the first thick and the second thin. results/README.md has the shares of runs with a false "
        "verdict, by simulation.",
        "The largest speedup stands with its own interval, of those that hold at once. It was picked after looking: "
        "the largest true one may be another's, and lies between the highest lower end and the highest upper end of "
        "these intervals. The geometric mean's interval is Student's t over the blocks, each with its mean over the "
        "topologies: it is about these networks, not about networks in general.",
        *_on_the_switch(measured),
        "A hatched bar has a remark beside it. Partial is one that lacks a launch, or whose launches are of two "
        "sessions, which are not divided by one another: it shows its estimate and gets no verdict. A gap is a failed "
        "cell, with its reason. Nothing is dropped.",
    )
    return Section("How to read this", paragraphs)


def size_of(measured: Results) -> str:
    """The blocks of a run, and the steps of its launches: 4 blocks; 1 warm-up step and 2 timed steps in each launch."""
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
        f"stock on {' and '.join(stacks)} has oneDNN switched off, stock-onednn is the same wheel with it switched on. "
        "Which of the two a plain `pip install` runs depends on the CPU: TensorFlow of 2.9 or later on Linux has it on "
        "by itself only where it finds AVX512_VNNI, AVX512_BF16, AVX_VNNI or AMX. What Intel's wheel adds to oneDNN "
        "switched on is intel / stock-onednn. The switch is about whole operations. TensorFlow's own (Eigen) "
        "convolutions and matrix products still have their tiles multiplied by oneDNN, on any instruction set that it "
        "finds (gemm_api under Evidence), as those of TensorFlow 1.14 and later do and those of 1.12 do not: part of "
        "Intel's work is in this baseline, and of 2018's it is not a copy.",
    )
