"""Compares a stack's installations with their locks and with one another, before a pair of them is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runner.catalogue.stacks import Stack
from runner.engines.protocol import Artifact, Engine, Notify
from runner.errors import HostError
from runner.matching import locked_wheels
from runner.matching.contents import Contents, Fault, compare_with_lock
from runner.matching.diff import Match, alone, compare
from runner.matching.snapshot import Snapshot
from runner.session.state import Artifacts


def match_installations(engine: Engine, stacks: Sequence[Stack], artifacts: Artifacts, notify: Notify) -> list[Match]:
    """Compare each installation with its lock, and each stack's first installation with every other ready one."""
    found = []
    for stack in stacks:
        names = [name for name in stack.installations if (stack.name, name) in artifacts]
        notify(f"comparing every file of {stack.name}: {' and '.join(names)}")
        sides = {name: engine.snapshot(artifacts[stack.name, name]) for name in names}
        held = {name: _contents(engine, stack, artifacts[stack.name, name], side) for name, side in sides.items()}
        first = names[0]
        found += [
            compare(stack, (first, name), (sides[first], sides[name]), (held[first], held[name])) for name in names[1:]
        ] or [alone(stack, first, sides[first], held[first])]
    return found


def _contents(engine: Engine, stack: Stack, artifact: Artifact, side: Snapshot) -> Contents:
    """Compare an installation's files, including its byte-code, with its lock."""
    installation = artifact.installation
    # The image of an earlier run may have been built from a lock that this clone does not have any more.
    if artifact.provenance.get("lock_sha256") != installation.lock_sha256():
        return Contents(installation.name, 0, 0, (), (), is_held=False)
    python, wheels = stack.python_of(installation), locked_wheels.read(installation)
    contents = compare_with_lock(installation.name, python, side, wheels, installation.library_hashes)
    wrong = [Fault(path, "is not the byte-code of its source") for path in engine.wrong_bytecode(artifact)]
    return replace(contents, faults=(*contents.faults, *wrong))


def require_matched(matches: Sequence[Match]) -> None:
    """Refuse to measure installations that differ in more than they declare, or that have the wrong wheels.

    Raises:
        HostError: the installations of a stack are not matched; the message names wheels and the first few files.
    """
    for match in matches:
        if not match.is_matched:
            faults = list(match.wrong_wheels)
            if match.tampered:
                few = "; ".join(f"{name}: {fault.path} {fault.what}" for name, fault in match.tampered[:3])
                faults.append(f"{len(match.tampered)} files are not those of the hash-locked wheels, such as {few}")
            if match.strays:
                few = "; ".join(f"{each.path} ({each.what})" for each in match.strays[:3])
                faults.append(f"{len(match.strays)} files or settings differ that must not, such as {few}")
            raise HostError(
                f"The installations {' and '.join(match.installations)} of {match.stack} are not matched: "
                f"{'. '.join(faults)}. Make both again (remove them, then run `python -m runner build --stack "
                f"{match.stack}`); `python -m runner images diff {match.stack}` lists all."
            )
