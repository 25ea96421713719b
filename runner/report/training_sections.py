"""The report's section on identical training: the first step's fingerprints, layer by layer, then the losses."""

from __future__ import annotations

from runner.checks.fingerprints import CLOSE, JUMP, NORM_SENSITIVITIES, NOTHING, SENSITIVITIES, FingerprintCheck
from runner.checks.losses import JUDGED_STEPS, MOVED, LossesCheck, tolerances_of
from runner.report.document import Section, Table, table
from runner.report.value_text import significant, topology_title
from runner.stats.evidence_marks import fingerprints_of
from runner.stats.results import Results

SAME, DIFFERENT, NOT_JUDGED, NONE = "same training", "DIFFERENT", "not judged", "no fingerprint"


def training_section(measured: Results) -> Section:
    """Did both sides train the same thing? Layer by layer in the probes; by their losses in the timed launches."""
    checks = _fingerprints(measured)
    tables = (
        (_fingerprints_table(checks), _losses_table(measured)) if any(checks.values()) else (_losses_table(measured),)
    )
    return Section("The same training on both sides", (*_on_fingerprints(checks), *_on_losses(measured)), tables)


def training_warnings(measured: Results) -> tuple[str, ...]:
    """For the top of the report: where no fingerprint was taken, how little the losses alone can show."""
    judged = [pair for pair in measured.pairs if pair.is_measured]
    if not judged or any(_fingerprints(measured).values()):
        return ()
    blind = dict.fromkeys(topology_title(pair.group.topology) for pair in judged if not _shows_an_update(pair.losses))
    losses = f", and not even that on {', '.join(blind)}" if blind else ""
    return (
        "That both sides trained the same was not shown layer by layer (no fingerprints were taken): of the update "
        f"the losses show at most that one was made{losses}. `python -m runner probe RUN` takes them.",
    )


def _shows_an_update(check: LossesCheck | None) -> bool:
    """Would a pair's losses have shown that one side made no update?"""
    return check is not None and check.update_judged


_Checks = dict[tuple[str, str, str], FingerprintCheck | None]


def _fingerprints(measured: Results) -> _Checks:
    """By stack, topology and pair: a probe has a batch size of its own, and stands for all that were timed."""
    found: _Checks = {}
    for pair in measured.pairs:
        key = (pair.group.stack, pair.group.topology, f"{pair.candidate} / {pair.baseline}")
        found[key] = found.get(key) or fingerprints_of(pair, measured.cells)
    return found


def _on_fingerprints(checks: _Checks) -> tuple[str, ...]:
    if not any(checks.values()):
        return (
            "No fingerprints were taken, so that the two sides are held against each other by their losses alone. "
            "`python -m runner probe RUN` takes them.",
        )
    return (
        "Seeds, images and initial weights are the same on both sides, so every tensor of the first training step must "
        "be. A fingerprint has the output of every layer, and the gradient and the first update of every variable, "
        "each as its norm and its dot product with fixed random signs (a norm alone cannot tell a transposed tensor or "
        "another sign), summed in float64. It is taken with float32 and the kernels that are timed, at the probes' "
        "batch size. Outputs are fetched, which keeps operations from being fused; gradients and updates are read "
        "afterwards from what the optimiser keeps, so that the step itself is the one that is timed, and they are of "
        "the very launch whose log shows which kernels ran. The gradient is that of the cross-entropy, without the "
        "weight decay.",
        f"A tolerance is {SENSITIVITIES:g} times the tensor's own sensitivity, measured in each build: by how much it "
        "changes when every weight and every image value is changed by 2^-20 of itself (float32 rounds to 2^-24); the "
        "smaller one of the two sides counts. The norm of an output may differ by "
        f"{NORM_SENSITIVITIES:g} sensitivities, since rounding changes the values at random and hardly their norm. "
        f"Gradients and updates may differ by {JUMP:.1%} more in their dot products, and by the square of that in "
        "their norms, since a single ReLU whose input is zero within rounding can turn them by "
        "about as much. How far apart honest and faulty builds are, in units of this tolerance, is in "
        "results/fingerprints.md. Deep batch normalisation over few images makes early gradients sensitive: a tensor "
        f"whose tolerance is above {CLOSE:.0%} is held to its rough size only, one of {NOTHING:.0%} or more is not "
        "judged.",
    )


def _fingerprints_table(checks: _Checks) -> Table:
    rows = [(stack, topology_title(topology), pair, *_row(check)) for (stack, topology, pair), check in checks.items()]
    columns = ("stack", "topology", "pair", "tensors judged", f"of these within {CLOSE:.0%}", "not judged",
               "worst tensor", "difference", "tolerance", "difference / tolerance", "first step")  # fmt: skip
    numeric = (*columns[3:6], *columns[7:10])
    return table(columns, rows, numeric, caption="Fingerprints of the first step, and the tensor that is furthest off")


def _row(check: FingerprintCheck | None) -> tuple[str, ...]:
    if check is None:
        return (*["—"] * 7, NONE)
    counts = (str(check.judged), str(check.close), str(check.not_judged))
    finding = {True: SAME, False: DIFFERENT, None: NOT_JUDGED}[check.passed]
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
        "The timed launches' own losses are a second, cheap check. The largest relative difference of the first two "
        "over all blocks, after the forward pass and after one update, may be as large as the tolerances say, and "
        f"neither side's loss may stand still where the other's moves.{later}",
        "The losses do not judge what they cannot show. Layers: in the kit's networks without batch normalisation the "
        "first loss is nearly ln 1001 plus weight decay, whatever the convolutions return. The update: they show at "
        "most that some update was made. One of another size is not found as long as the losses of step 2 are within "
        "their tolerance; difference / movement says by how much of the smaller movement they were apart. Where the "
        f"update moved a loss by {MOVED:.0e} or less, a missing update would not have been found either.",
    )


def _losses_table(measured: Results) -> Table:
    rows = []
    for pair in measured.pairs:
        check, group = pair.losses, pair.group
        differences = [f"{value:.1e}" for value in check.differences] if check else []
        rows.append((
            group.stack, topology_title(group.topology), str(group.batch_size), f"{pair.candidate} / {pair.baseline}",
            *(differences + ["—"] * JUDGED_STEPS)[:JUDGED_STEPS],
            "—" if check is None or check.moved is None else f"{check.moved:.1e}",
            "—" if check is None or check.share_of_movement is None else f"{check.share_of_movement:.0%}",
            " and ".join(f"{value:.0e}" for value in tolerances_of(group.topology, group.batch_size)),
            "—" if check is None else check.finding,
        ))  # fmt: skip
    columns = ("stack", "topology", "batch size", "pair", "step 1", "step 2", "the update moved it by",
               "difference / movement", "tolerances", "losses")  # fmt: skip
    return table(columns, rows, columns[4:9], caption="Losses of the timed launches")
