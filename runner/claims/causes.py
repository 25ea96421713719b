"""Judges of the article's causes, from the evidence of probes: kernels, kinds of operation, the graph's changes.

Most of them are about software and hold on any processor; that kernels use AVX512 can be refuted only where there is
AVX512. The claims' own conditions say which is which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from runner.claims.case import BASELINE, CANDIDATE, Case, RunPart, nearest_part
from runner.claims.comparability import lacking_to_confirm, phrases, refuted
from runner.claims.verdict import NOT_TESTABLE, PARTLY, REPRODUCED, Answer
from runner.evidence.probed import Evidence
from runner.evidence.verdicts import KERNELS_RAN
from runner.support.wording import plural, significant

NO_EVIDENCE = "this run holds no evidence on it: probe its variants with python -m runner probe"
NO_TRACES = (
    "no topology has a traced step of both Intel's variant and the baseline, so that what only one of them has is not "
    "known: probe both with python -m runner probe"
)
NO_LINE = "(what is fused into another operation, or left to a matrix library, has no line in this one's log)"
# The times in a library's log are those of a launch that logs (`logged_step_seconds` of its evidence, beside `quiet`).
AS_LOGGED = "by the times in its own log; logging slows a launch"
# Half of the primitives' time or more in vectorised kernels: they are what the time is spent in.
MOST_OF_THE_TIME = 0.5

# One entry of a probe's table of primitives, or of its trace.
Entry = Mapping[str, Any]


def judge_vectorised(case: Case) -> Answer:
    """Did Intel's kernels run, and with the claim's instruction sets?"""
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
    told_isa = f"instruction set: {', '.join(isas)}" if isas else "which instruction set they use is not told"
    named = f"kernels named for {' or '.join(case.claim.names)}"
    spent = "no primitive's time is known" if share is None else (
        f"{share:.0%} of their time ({AS_LOGGED}) and {_calls(primitives, wanted):.0%} of their calls are in {named}"
        f"{at_size(probes)}"
    )  # fmt: skip
    why = f"on {stack} Intel's kernels ran; {told_isa}; {spent}"
    dispatched = any(_mentions(isa, wanted) for isa in isas)
    if share >= MOST_OF_THE_TIME if share is not None else dispatched:
        return Answer(REPRODUCED, why, share)
    if share or dispatched:  # not all kernels are named for what they use
        return Answer(PARTLY, why, share)
    return replace(refuted(case, _part(case, stack), why), measured=share)


def judge_kinds(case: Case) -> Answer:
    """Which of the named kinds of operation ran as primitives of Intel's library?"""
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
    """Does Intel's graph run operations of its own, which the default graph has not?"""
    stack, probes = probed(case)
    baseline = [probe for probe in case.results.probes_of(stack, BASELINE) if probe.trace]
    # An operation is Intel's own only beside a step of the same network that the default build was traced on.
    topologies = {probe.subject.topology for probe in baseline}
    trace = [each for probe in probes if probe.subject.topology in topologies for each in probe.trace]
    if not trace:
        return Answer(NOT_TESTABLE, NO_TRACES if probes else NO_EVIDENCE)
    default = {each["operation"] for probe in baseline for each in probe.trace}
    marks = tuple(word for words in case.claim.names.values() for word in words)
    own = sorted({each["operation"] for each in trace if each["operation"].startswith(marks)} - default)
    # A verbose switch prolongs some kernels more than others: a share of such a step's time would be none of training.
    is_quiet = all(probe.quiet for probe in probes if probe.trace and probe.subject.topology in topologies)
    share = _share(trace, lambda each: each["operation"] in own) if is_quiet else None
    if not own:
        why = f"on {stack} no operation of Intel's own is in the traced step"
        return replace(refuted(case, _part(case, stack), why), measured=0.0)
    spent = "" if is_quiet else " (traced with the verbose switch on, which prolongs kernels: no share of time is told)"
    spent = spent if share is None else f": {share:.0%} of the traced step's time"
    return Answer(REPRODUCED, f"on {stack} only Intel's graph has {', '.join(own)}{spent}", share)


def judge_conversions(case: Case) -> Answer:
    """How many layout conversions were left. How many there would be otherwise is not known, and so none is judged."""
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
    """The evidence on Intel's variant, of the stack nearest to the publication that has any."""
    results, nearest = case.results, case.publication.nearest_stack
    for stack in sorted(results.stacks, key=lambda name: name != nearest):
        found = results.probes_of(stack, CANDIDATE)
        if found:
            return stack, found
    return nearest, []


def at_size(probes: Sequence[Evidence]) -> str:
    """The batch size that the probes had, which is seldom the one that is timed."""
    sizes = ", ".join(str(size) for size in sorted({probe.batch_size for probe in probes}))
    return f", at the probes' batch size {sizes}"


def _part(case: Case, stack: str) -> RunPart:
    return nearest_part(case, [stack])


def _calls(primitives: Sequence[Entry], wanted: Sequence[str]) -> float:
    """The share of calls that went to implementations named for one of the words."""
    named = sum(each["count"] for each in primitives if _mentions(str(each["implementation"]), wanted))
    return float(named / sum(each["count"] for each in primitives))


def _mentions(text: str, words: Iterable[str]) -> bool:
    """Is one of the words in the text, whatever the case, spaces and hyphens (AVX-512, avx512_core)?"""
    plain = "".join(letter for letter in text.lower() if letter.isalnum())
    return any(word in plain for word in words)


def _share(entries: Sequence[Entry], wanted: Callable[[Entry], bool]) -> float | None:
    """The share of time of the entries that are wanted; None where no time is known."""
    total = sum(each["milliseconds"] or 0.0 for each in entries)
    if not total:
        return None
    return float(sum(each["milliseconds"] or 0.0 for each in entries if wanted(each)) / total)
