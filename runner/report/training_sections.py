"""The report's section on identical training: the first step's fingerprints, layer by layer, then the losses."""

from __future__ import annotations

from collections.abc import Collection

from runner.checks.fingerprints import CLOSE, JUMP, NORM_SENSITIVITIES, NOTHING, SENSITIVITIES, FingerprintCheck
from runner.checks.losses import JUDGED_STEPS, MOVED, LossesCheck, tolerances_of
from runner.report.document import Section, Table, table
from runner.report.value_text import plural, significant, topology_title
from runner.stats.evidence_marks import fingerprints_of
from runner.stats.pairs import LOSSES_DIFFER, Pair
from runner.stats.results import Results

SAME, DIFFERENT, NOT_JUDGED, NONE = "same training", "DIFFERENT", "not judged", "no fingerprint"
# What both tables say of a pair whose sides compute in different arithmetic: a difference is expected.
OTHER = "other arithmetic, not judged"
ON_OTHERS = (
    "A pair of which one side computes in another arithmetic is not the same training. Its row shows by how much the "
    "first step differs in units of float32's rounding, and is not judged."
)


def training_section(measured: Results) -> Section:
    """Return the section on whether both sides trained the same, by the probes' fingerprints and by the losses."""
    checks = _fingerprints(measured)
    others = {(pair.group.stack, _named(pair)) for pair in measured.pairs if pair.arithmetic}
    fingerprints = (_fingerprints_table(checks, others),) if any(checks.values()) else ()
    tables = (*fingerprints, _losses_table(measured))
    paragraphs = (*_on_fingerprints(checks), *_on_losses(measured), *((ON_OTHERS,) if others else ()))
    judged = [pair for pair in measured.pairs if pair.is_measured and not pair.arithmetic]
    different = sum(pair.status == LOSSES_DIFFER for pair in judged)
    told = f"{different} of {plural(len(judged), 'pair')} flagged as different; fingerprints and losses"
    return Section("The same training on both sides", paragraphs, tables, summary=told)


def training_warnings(measured: Results) -> tuple[str, ...]:
    """Return a sentence on how little the losses alone can show; nothing if any fingerprint was taken."""
    judged = [pair for pair in measured.pairs if pair.is_measured]
    if not judged or any(_fingerprints(measured).values()):
        return ()
    blind = dict.fromkeys(topology_title(pair.group.topology) for pair in judged if not _shows_an_update(pair.losses))
    losses = f", and not even that on {', '.join(blind)}" if blind else ""
    return (
        "No fingerprints were taken, so that it was not shown layer by layer that both sides trained the same. The "
        f"losses show at most that an update was made{losses}. `python -m runner probe RUN` takes fingerprints.",
    )


def _shows_an_update(check: LossesCheck | None) -> bool:
    """Return whether a pair's losses would have shown that one side made no update."""
    return check is not None and check.update_judged


_Checks = dict[tuple[str, str, str], FingerprintCheck | None]


def _fingerprints(measured: Results) -> _Checks:
    """Return the fingerprint checks by stack, topology and pair.

    A probe has a batch size of its own. Its check stands for all batch sizes that were timed.
    """
    found: _Checks = {}
    for pair in measured.pairs:
        key = (pair.group.stack, pair.group.topology, _named(pair))
        found[key] = found.get(key) or fingerprints_of(pair, measured.cells)
    return found


def _named(pair: Pair) -> str:
    return f"{pair.candidate} / {pair.baseline}"


def _on_fingerprints(checks: _Checks) -> tuple[str, ...]:
    if not any(checks.values()):
        return (
            "No fingerprints were taken, so that the two sides are compared by their losses alone. "
            "`python -m runner probe RUN` takes fingerprints.",
        )
    return (
        "Seeds, images and initial weights are the same on both sides, so that every tensor of the first training step "
        "must be the same. A fingerprint has the output of every layer, and the gradient and the first update of every "
        "variable. Of each it has the norm and the dot product with fixed random signs, summed in float64. A norm "
        "alone does not change if a tensor is transposed or has the other sign. The fingerprint is taken in float32 "
        "with the kernels that are timed, at the probes' batch size. Outputs are fetched, which keeps operations from "
        "being fused. Gradients and updates are read afterwards from what the optimiser keeps, so that the step is the "
        "same as a timed one. They are of the launch whose log shows which kernels ran. The gradient is that of the "
        "cross-entropy, without the weight decay.",
        f"A tolerance is {SENSITIVITIES:g} times the tensor's own sensitivity, which is measured in each build. The "
        "sensitivity is by how much the tensor changes when every weight and every image value is changed by 2^-20 of "
        "itself (float32 rounds to 2^-24). The smaller sensitivity of the two sides counts. The norm of an output may "
        f"differ by {NORM_SENSITIVITIES:g} sensitivities, because rounding changes the values at random and hardly "
        f"changes their norm. Gradients and updates may differ by {JUMP:.1%} more in their dot products, and by the "
        "square of that in their norms, because a single ReLU whose input is zero within rounding can change their "
        "direction by about as much. results/fingerprints.md has how far apart correct and faulty builds are, in units "
        "of this tolerance. Deep batch normalisation over few images makes early gradients sensitive. For a tensor "
        f"whose tolerance is above {CLOSE:.0%} only a large error is found, and a tensor with a tolerance of "
        f"{NOTHING:.0%} or more is not judged.",
    )


def _fingerprints_table(checks: _Checks, others: Collection[tuple[str, str]]) -> Table:
    rows = [
        (stack, topology_title(topology), pair, *_row(check, is_other=(stack, pair) in others))
        for (stack, topology, pair), check in checks.items()
    ]
    columns = ("stack", "topology", "pair", "tensors judged", f"of these within {CLOSE:.0%}", "not judged",
               "worst tensor", "difference", "tolerance", "difference / tolerance", "first step")  # fmt: skip
    numeric = (*columns[3:6], *columns[7:10])
    return table(columns, rows, numeric, caption="Fingerprints of the first step, and the tensor that is furthest off")


def _row(check: FingerprintCheck | None, *, is_other: bool) -> tuple[str, ...]:
    if check is None:
        return (*["—"] * 7, NONE)
    counts = (str(check.judged), str(check.close), str(check.not_judged))
    finding = OTHER if is_other else {True: SAME, False: DIFFERENT, None: NOT_JUDGED}[check.passed]
    if check.worst is None:
        return (*counts, *["—"] * 4, finding)
    worst = check.worst
    if not worst.difference:
        return (*counts, "none differs", "0", "—", "0", finding)
    return (
        *counts,
        worst.title,
        f"{worst.difference:.1e}",
        f"{worst.tolerance:.1e}",
        significant(worst.excess),
        finding,
    )


def _on_losses(measured: Results) -> tuple[str, ...]:
    longer = any(launch.steps.warmup + launch.steps.timed > JUDGED_STEPS for launch in measured.run.launches)
    later = " Later losses are in the records; they drift apart as rounding grows." if longer else ""
    return (
        "The losses of the timed launches are a second, cheap check. The first loss comes after the forward pass, and "
        "the second after one update. The largest relative difference of each over all blocks must be within its "
        f"tolerance. If the update changes the loss on one side, it must change it on the other side too.{later}",
        "The losses do not judge what they cannot show. They do not always judge the layers: in the kit's networks "
        "without batch normalisation the first loss is nearly ln 1001 plus weight decay, whatever the convolutions "
        "return. Of the update they show at most that one was made. An update of another size is not found if the "
        "losses of step 2 are within their tolerance. The column difference / movement has the difference of the "
        "second losses as a share of the smaller change that the update made. If the update changed a loss by "
        f"{MOVED:.0e} or less, a missing update would not have been found either.",
    )


def _losses_table(measured: Results) -> Table:
    rows = []
    for pair in measured.pairs:
        check, group = pair.losses, pair.group
        differences = [f"{value:.1e}" for value in check.differences] if check else []
        rows.append((
            group.stack, topology_title(group.topology), str(group.batch_size), _named(pair),
            *(differences + ["—"] * JUDGED_STEPS)[:JUDGED_STEPS],
            "—" if check is None or check.moved is None else f"{check.moved:.1e}",
            "—" if check is None or check.share_of_movement is None else f"{check.share_of_movement:.0%}",
            " and ".join(f"{value:.0e}" for value in tolerances_of(group.topology, group.batch_size)),
            "—" if check is None else OTHER if pair.arithmetic else check.finding,
        ))  # fmt: skip
    columns = ("stack", "topology", "batch size", "pair", "step 1", "step 2", "the update moved it by",
               "difference / movement", "tolerances", "losses")  # fmt: skip
    return table(columns, rows, columns[4:9], caption="Losses of the timed launches")
