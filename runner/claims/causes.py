"""Judges what the article names as causes, by the evidence of probes: kernels, kinds of operation, graph changes.

Most of these claims are about software and hold on any processor. The claim that kernels use AVX512 can be refuted only
on a processor with AVX512. The conditions of each claim say on what it depends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from runner.claims.case import Case, RunPart, nearest_part
from runner.claims.comparability import lacking_to_confirm, phrases, refuted
from runner.claims.verdict import NOT_TESTABLE, PARTLY, REPRODUCED, Answer
from runner.evidence.probed import Evidence
from runner.evidence.verdicts import KERNELS_RAN
from runner.support.wording import plural, significant

NO_EVIDENCE = "this run has no evidence on it: probe its variants with python -m runner probe"
NO_TRACES = (
    "no topology has a traced step of both Intel's variant and the baseline, so that it is not known which operations "
    "only one of them has: probe both with python -m runner probe"
)
NO_LINE = (
    "(an operation that is fused into another one, or that a matrix library carries out, has no line in oneDNN's log)"
)
# The times in a library's log are those of a launch that writes the log, which slows it. The evidence has the seconds
# of its steps in `logged_step_seconds`, and those of the launch without a log in `quiet`.
AS_LOGGED = "by the times in its own log; logging slows a launch"
# If vectorised kernels take at least this share of the primitives' time, the claim is reproduced.
MOST_OF_THE_TIME = 0.5

# One entry of a probe's table of primitives, or of its trace.
Entry = Mapping[str, Any]


def judge_vectorised(case: Case) -> Answer:
    """Judge whether Intel's kernels ran, and whether they used the claim's instruction sets."""
    stack, probes = probed(case)
    ran = [verdict for probe in probes for verdict in probe.verdicts if verdict.id == KERNELS_RAN]
    told = [verdict.passed for verdict in ran if verdict.passed is not None]
    if not told:
        return Answer(NOT_TESTABLE, NO_EVIDENCE)
    if not all(told):
        reasons = "; ".join(dict.fromkeys(verdict.text for verdict in ran if verdict.passed is False))
        return refuted(case, _part(case, stack), f"on {stack} Intel's kernels did not run: {reasons}")
    wanted = [word for words in case.claim.names.values() for word in words]
    primitives = [each for probe in probes for each in probe.primitives]
    share = _share(primitives, lambda each: _mentions(str(each["implementation"]), wanted))
    isas = sorted({probe.library["isa"] for probe in probes if probe.library and probe.library["isa"]})
    told_isa = f"instruction set: {', '.join(isas)}" if isas else "their log does not name their instruction set"
    named = f"kernels named for {' or '.join(case.claim.names)}"
    spent = "no primitive's time is known" if share is None else (
        f"{share:.0%} of their time ({AS_LOGGED}; our criterion: {MOST_OF_THE_TIME:.0%}) and "
        f"{_calls(primitives, wanted):.0%} of their calls are in {named}"
        f"{at_size(probes)}"
    )  # fmt: skip
    why = f"on {stack} Intel's kernels ran; {told_isa}; {spent}"
    dispatched = any(_mentions(isa, wanted) for isa in isas)
    if share >= MOST_OF_THE_TIME if share is not None else dispatched:
        return Answer(REPRODUCED, why, share)
    if share or dispatched:  # Not every kernel's name says which instruction set it uses.
        return Answer(PARTLY, why, share)
    return replace(refuted(case, _part(case, stack), why), measured=share)


def judge_kinds(case: Case) -> Answer:
    """Judge which of the kinds of operation that the claim names ran as primitives of Intel's library."""
    stack, probes = probed(case)
    if not probes:
        return Answer(NOT_TESTABLE, NO_EVIDENCE)
    kinds = {str(each["kind"]) for probe in probes for each in probe.primitives}
    names = case.claim.names
    seen = [name for name, words in names.items() if any(kind.startswith(word) for kind in kinds for word in words)]
    unseen = [name for name in names if name not in seen]
    why = f"on {stack} seen: {', '.join(seen) or 'none'}" + (
        f"; not seen: {', '.join(unseen)} {NO_LINE}" if unseen else ""
    )
    if not seen:
        return replace(refuted(case, _part(case, stack), why), measured=0.0)
    return Answer(PARTLY if unseen else REPRODUCED, why, float(len(seen)))


def judge_replaced(case: Case) -> Answer:
    """Judge whether Intel's graph runs operations of its own that the default graph does not have."""
    stack, probes = probed(case)
    baseline = [probe for probe in case.results.probes_of(stack, case.sides(stack)[0]) if probe.trace]
    # Whether an operation is Intel's own is known only if the default build's step of the same network was traced.
    topologies = {probe.subject.topology for probe in baseline}
    trace = [each for probe in probes if probe.subject.topology in topologies for each in probe.trace]
    if not trace:
        return Answer(NOT_TESTABLE, NO_TRACES if probes else NO_EVIDENCE)
    default = {each["operation"] for probe in baseline for each in probe.trace}
    marks = tuple(word for words in case.claim.names.values() for word in words)
    own = sorted({each["operation"] for each in trace if each["operation"].startswith(marks)} - default)
    # A verbose switch slows some kernels more than others. A share of such a step's time is not the share in training.
    is_quiet = all(probe.quiet for probe in probes if probe.trace and probe.subject.topology in topologies)
    share = _share(trace, lambda each: each["operation"] in own) if is_quiet else None
    if not own:
        why = f"on {stack} no operation of Intel's own is in the traced step"
        return replace(refuted(case, _part(case, stack), why), measured=0.0)
    spent = "" if is_quiet else " (traced with the verbose switch on, which slows kernels: no share of time is given)"
    spent = spent if share is None else f": {share:.0%} of the traced step's time"
    return Answer(REPRODUCED, f"on {stack} only Intel's graph has {', '.join(own)}{spent}", share)


def judge_conversions(case: Case) -> Answer:
    """Count the layout conversions that remained.

    The verdict is always "not testable here", because it is not known how many there would be without the change.
    """
    stack, probes = probed(case)
    known = [probe for probe in probes if probe.reorders and probe.primitives]
    conversions = sum(probe.reorders["count"] for probe in known)
    counts = [(each["kind"], each["count"]) for probe in known for each in probe.primitives]
    others = sum(count for kind, count in counts if kind != "reorder")
    convolutions = sum(count for kind, count in counts if kind.startswith("convolution"))
    if not others:
        return Answer(NOT_TESTABLE, NO_EVIDENCE)
    each_one = conversions / others
    of_any_kind = f"{significant(each_one)} for each other primitive of any kind"
    shares = f"{significant(conversions / convolutions)} for each ({of_any_kind})" if convolutions else of_any_kind
    before = f"on {stack} {conversions} conversions remained for {plural(convolutions, 'convolution')}, {shares}"
    lacking = lacking_to_confirm(case, _part(case, stack))
    why = f"{before}; how many there were before the graph was rewritten is not known"
    return Answer(NOT_TESTABLE, why, each_one, missing=tuple(phrases(lacking)))


def probed(case: Case) -> tuple[str, Sequence[Evidence]]:
    """Return a stack and its evidence on Intel's variant: the publication's nearest stack if that has any evidence.

    If no stack has evidence, the result is the nearest stack and an empty list.
    """
    results, nearest = case.results, case.publication.nearest_stack
    for stack in sorted(results.stacks, key=lambda name: name != nearest):
        found = results.probes_of(stack, case.vendors_build(stack))
        if found:
            return stack, found
    return nearest, []


def at_size(probes: Sequence[Evidence]) -> str:
    """Return the probes' batch sizes in words. They are seldom those of the timed launches."""
    sizes = ", ".join(str(size) for size in sorted({probe.batch_size for probe in probes}))
    return f", at the probes' batch size {sizes}"


def _part(case: Case, stack: str) -> RunPart:
    return nearest_part(case, [stack])


def _calls(primitives: Sequence[Entry], wanted: Sequence[str]) -> float:
    """Return the share of calls of implementations whose name contains one of the words."""
    named = sum(each["count"] for each in primitives if _mentions(str(each["implementation"]), wanted))
    return float(named / sum(each["count"] for each in primitives))


def _mentions(text: str, words: Iterable[str]) -> bool:
    """Return whether the text contains one of the words, without regard to case and punctuation (AVX-512 is avx512)."""
    plain = "".join(letter for letter in text.lower() if letter.isalnum())
    return any(word in plain for word in words)


def _share(entries: Sequence[Entry], wanted: Callable[[Entry], bool]) -> float | None:
    """Return the share of time of the entries that are wanted; None if no time is known."""
    total = sum(each["milliseconds"] or 0.0 for each in entries)
    if not total:
        return None
    return float(sum(each["milliseconds"] or 0.0 for each in entries if wanted(each)) / total)
