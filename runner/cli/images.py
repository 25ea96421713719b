"""`images diff`: proves that what a stack installs for its variants differs in the TensorFlow wheel alone."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from runner.catalogue.stacks import Stack, every_installation
from runner.cli.engines import Engines, choose_engine, require_ready
from runner.cli.planning import stacks_from
from runner.cli.progress import say
from runner.engines.protocol import Artifact, Engine, Tell
from runner.errors import EXIT_DONE, EXIT_SOME_CELLS_FAILED, HostError
from runner.matching import locked_wheels
from runner.matching.contents import Contents, Fault, hold_against_lock
from runner.matching.diff import Match, alone, compare
from runner.matching.snapshot import Snapshot
from runner.support.machine_lock import machine_lock

SHOWN = 20


def run(arguments: argparse.Namespace, engines: Engines) -> int:
    """Compare the installations of each stack; exit code 1 if anything differs that must not."""
    stacks = stacks_from(arguments)
    engine, why = choose_engine(arguments, engines, stacks)
    tell: Tell = (lambda _line: None) if arguments.json else say
    tell(why)
    with machine_lock("images diff"):  # building and hashing would slow down whoever measures
        wanted = every_installation(stacks)
        require_ready(engine, wanted)
        artifacts = {
            (stack.name, installation.name): engine.prepare(stack, installation, tell) for stack, installation in wanted
        }
        matches = match_installations(engine, stacks, artifacts, tell)
    if arguments.json:
        print(json.dumps([{"stack": match.stack, **match.to_json()} for match in matches], indent=1))
    else:
        print("\n".join(line for match in matches for line in describe(match)))
    return EXIT_DONE if all(match.is_matched for match in matches) else EXIT_SOME_CELLS_FAILED


def match_installations(
    engine: Engine, stacks: Sequence[Stack], artifacts: Mapping[tuple[str, str], Artifact], tell: Tell
) -> list[Match]:
    """Hold each installation against its lock, and compare each stack's first with every other that was made ready."""
    found = []
    for stack in stacks:
        names = [name for name in stack.installations if (stack.name, name) in artifacts]
        tell(f"comparing every file of {stack.name}: {' and '.join(names)}")
        sides = {name: engine.snapshot(artifacts[stack.name, name]) for name in names}
        held = {name: _contents(engine, stack, artifacts[stack.name, name], side) for name, side in sides.items()}
        first = names[0]
        found += [
            compare(stack, (first, name), (sides[first], sides[name]), (held[first], held[name])) for name in names[1:]
        ] or [alone(stack, first, sides[first], held[first])]
    return found


def _contents(engine: Engine, stack: Stack, artifact: Artifact, side: Snapshot) -> Contents:
    """What an installation holds against its lock, its byte-code too."""
    installation = artifact.installation
    # An earlier run's own image may be of a lock that this clone does not have any more.
    if artifact.provenance.get("lock_sha256") != installation.lock_sha256():
        return Contents(installation.name, 0, 0, (), (), is_held=False)
    contents = hold_against_lock(installation.name, stack.python, side, locked_wheels.read(installation))
    wrong = [Fault(path, "is not the byte-code of its source") for path in engine.wrong_bytecode(artifact)]
    return replace(contents, faults=(*contents.faults, *wrong))


def require_matched(matches: Sequence[Match]) -> None:
    """Refuse to measure a pair that differs in more than its wheel, or does not differ in it.

    Raises:
        HostError: so it is; the message names wheels and the first few files.
    """
    for match in matches:
        if not match.is_matched:
            faults = list(match.wrong_wheels)
            if match.tampered:
                few = "; ".join(f"{name}: {fault.path} {fault.what}" for name, fault in match.tampered[:3])
                faults.append(f"{len(match.tampered)} files are not those of the hash-locked wheels, such as {few}")
            if match.strays:
                few = "; ".join(f"{each.path} ({each.what})" for each in match.strays[:3])
                faults.append(f"{len(match.strays)} files or settings outside of the wheel differ, such as {few}")
            raise HostError(
                f"The installations {' and '.join(match.installations)} of {match.stack} are not matched: "
                f"{'. '.join(faults)}. Make both again (remove them, then run `python -m runner build --stack "
                f"{match.stack}`); `python -m runner images diff {match.stack}` lists all."
            )


def describe(match: Match) -> list[str]:
    """The comparison for people: packages with counts, then every difference that must not be."""
    lines = [f"\n{match.stack}: {' against '.join(match.installations)}, "
             f"{match.compared} files and settings compared"]  # fmt: skip
    lines += [f"  {each.installation}: {in_words(each)}" for each in match.contents]
    lines += [f"    {name}: {fault.path} {fault.what}" for name, fault in match.tampered[:SHOWN]]
    for (package, allowed), count in match.by_package.items():
        remark = "the wheel under test" if allowed else "MUST NOT DIFFER"
        lines.append(f"  {count:6d} differ in {package} ({remark})")
    lines += [f"    {each.path}: {each.what}" for each in match.strays[:SHOWN]]
    if len(match.strays) > SHOWN:
        lines.append(f"    and {len(match.strays) - SHOWN} more; --json has the counts")
    lines += [f"  WRONG WHEEL: {text}" for text in match.wrong_wheels]
    if match.is_matched:
        return [*lines, "  matched: nothing else differs"]
    return [*lines, f"  NOT MATCHED: {len(match.strays)} differences, {len(match.wrong_wheels)} wrong wheels, "
                    f"{len(match.tampered)} files not as locked"]  # fmt: skip


def in_words(contents: Contents) -> str:
    """What an installation holds against its lock."""
    if not contents.is_held:
        return "not held against its lock, which this version of the kit does not have"
    held = f"{contents.files} files of {contents.distributions} locked wheels"
    return f"{held}, {len(contents.faults)} of them NOT AS LOCKED" if contents.faults else f"{held}, all as locked"
