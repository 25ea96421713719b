"""Judges what the article asks its reader to do: to leave the program as it is, and to set a few variables."""

from __future__ import annotations

from runner.claims.best_known_methods import judge_by_ladder, overridden
from runner.claims.case import Case, nearest_part
from runner.claims.causes import probed
from runner.claims.comparability import clauses, lacking_to_confirm, phrases, refuted
from runner.claims.verdict import NOT_TESTABLE, PARTLY, REPRODUCED, Answer, answer
from runner.evidence.inert_settings import is_of_the_host, is_of_the_software, is_overridden
from runner.evidence.verdicts import INERT
from runner.planning.ladder_file import BUILT_IN, Rung, load_ladder
from runner.storage.records import Record

ALIKE = "a comparison of builds sets it on every variant alike"
LAYOUT_OF_THE_BUILD = "a comparison of builds runs each build in the layout that stacks.toml declares for it"
MEASURE_IT = "; measure it by itself with python -m runner ablate"
ON_NO_LADDER = (
    ", and no ladder of this kit changes it: a ladder of your own can (python -m runner ablate --ladder FILE)"
)


def judge_same_program(case: Case) -> Answer:
    """Judge whether both sides ran the same files in the same layout.

    In a ladder the sides are two of its rungs, one with each build. A comparison runs each build in its own layout.
    """
    part = nearest_part(case)
    stack = part.stack
    if case.results.header.is_ladder:
        return _same_program_on_rungs(case, stack)
    sides = [_records(case, stack, variant) for variant in case.sides(stack)]
    wrong = list(dict.fromkeys(case.results.failure_of(record.cell) for side in sides for record in side))
    if any(wrong):
        return Answer(NOT_TESTABLE, f"on {stack} a side is not what its name says: {'; '.join(filter(None, wrong))}")
    if not all(sides):
        of_both = " and ".join(name or "a vendor's build" for name in case.sides(stack))
        return Answer(NOT_TESTABLE, f"this run has no usable launch of both {of_both} on {stack}")
    files = [{record.conditions["workload_sha256"] for record in side} for side in sides]
    if files[0] != files[1] or len(files[0]) > 1:
        return refuted(case, part, f"on {stack} the two sides ran different files (workload_sha256)")
    layouts = [{str(record.settings["layout"]) for record in side} for side in sides]
    same = f"on {stack} all {sum(map(len, sides))} launches of both sides ran the same files"
    if layouts[0] != layouts[1]:
        names = [" and ".join(sorted(layout)) for layout in layouts]
        on_both = " and ".join(f"{layout} on {side}" for layout, side in zip(names, case.sides(stack), strict=True))
        chosen = f"the layout was {on_both}, which stacks.toml chooses"
        return Answer(PARTLY, f"{same}, but {chosen}: this run did not try the two sides in one layout")
    return Answer(REPRODUCED, f"{same} (workload_sha256) in the same layout")


def _same_program_on_rungs(case: Case, stack: str) -> Answer:
    """Judge by two rungs of a ladder that differ in the build and have one layout.

    Of several rungs of a build it is the last one: on the first one of Intel's build its kernels may be switched off.
    """
    ran: dict[tuple[str, str], tuple[str, str]] = {}  # by build and layout: the files, and the rung's title
    for rung in case.results.header.rungs(stack):
        records = [each for each in _records(case, stack, rung.id) if not case.results.failure_of(each.cell)]
        if records and not rung.is_branch:
            key = (rung.settings.variant, rung.settings.layout)
            ran[key] = (str(records[0].conditions["workload_sha256"]), rung.title)
    base, other = case.sides(stack)
    for (variant, layout), (files, title) in ran.items():
        same = ran.get((other, layout))
        if variant == base and same is not None and same[0] == files:
            return Answer(REPRODUCED, f"on {stack} the steps \"{title}\" ({base}) and \"{same[1]}\" ({other}) of a "
                          f"ladder ran the same files (workload_sha256) in the same layout, {layout}")  # fmt: skip
    return Answer(
        NOT_TESTABLE, f"no two steps of this ladder ran one program with both builds of {stack} in one layout"
    )


def tries_one_layout(case: Case) -> bool:
    """Whether a run was planned with both builds of its nearest stack in one layout, whatever came of it."""
    stack, header = nearest_part(case).stack, case.results.header
    if header.is_ladder:
        planned = [(rung.settings.variant, rung.settings.layout) for rung in header.rungs(stack)
                   if not rung.left_out and not rung.is_branch]  # fmt: skip
    else:
        of_stack = (launch for launch in case.results.run.launches if launch.cell.stack == stack)
        planned = [(launch.cell.variant, launch.layout) for launch in of_stack]
    base, other = ({layout for variant, layout in planned if variant == name} for name in case.sides(stack))
    return bool(base & other)


def judge_setting(case: Case) -> Answer:
    """Judge one best-known method: by its gain in a ladder, or else by evidence that the setting is inert."""
    lacking = lacking_to_confirm(case, nearest_part(case))
    if lacking:
        return answer(NOT_TESTABLE, f"{_in_this_run(case)}{clauses(lacking)}", missing=phrases(lacking))
    by_ladder = judge_by_ladder(case)
    if by_ladder is not None:
        return by_ladder
    setting = case.claim.setting
    stack, probes = probed(case)
    inert = dict.fromkeys(
        verdict.text
        for probe in probes
        for verdict in probe.verdicts
        if verdict.id == f"{INERT}{setting}" and verdict.passed is True
    )
    if not inert:
        return Answer(NOT_TESTABLE, f"{_in_this_run(case)}{_how_to_measure(setting or '')}")
    why = f"on {stack} it had no effect beside the other settings of this run: {'; '.join(inert)}"
    if any(map(is_of_the_host, inert)):
        return Answer(NOT_TESTABLE, why)
    by_software = all(map(is_of_the_software, inert))
    found = refuted(case, nearest_part(case, [stack]), why.rstrip("."), by_software=by_software)
    return overridden(found) if all(map(is_overridden, inert)) else found


def _how_to_measure(setting: str) -> str:
    """Return in words what a reader can do to have a setting judged."""
    ladders = [load_ladder(path.stem) for path in sorted(BUILT_IN.glob("*.toml"))]
    rungs = [rung for ladder in ladders for rung in (*ladder.rungs, *ladder.branches)]
    held = LAYOUT_OF_THE_BUILD if setting == "layout" else ALIKE
    return held + (MEASURE_IT if any(_changes(rung, setting) for rung in rungs) else ON_NO_LADDER)


def _changes(rung: Rung, setting: str) -> bool:
    """Return whether a rung changes this setting, or has its name."""
    named = (*rung.change, *rung.change.get("bkms", ()), *rung.change.get("set", {}), *rung.change.get("unset", ()))
    return setting in (rung.id, *named)


def _in_this_run(case: Case) -> str:
    settings = case.results.run.about.plan.bkms.settings
    value = next((each.value for each in settings if each.name == case.claim.setting), None)
    return "" if value is None else f"it was {value} in this run; "


def _records(case: Case, stack: str, variant: str) -> list[Record]:
    return [record for record in case.results.usable if record.cell.stack == stack and record.cell.variant == variant]
