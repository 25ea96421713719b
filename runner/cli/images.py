"""`images diff`: checks that the installations of a stack differ only in the TensorFlow wheel."""

from __future__ import annotations

import json
from dataclasses import dataclass

from runner.catalogue.stacks import every_installation
from runner.cli.engines import Engines, choose_engine
from runner.cli.progress import say
from runner.engines.protocol import Notify
from runner.errors import EXIT_DONE, EXIT_SOME_CELLS_FAILED
from runner.matching.contents import Contents
from runner.matching.diff import Match
from runner.session.matched import match_installations
from runner.session.options import EngineOptions
from runner.session.planned import stacks_from
from runner.session.prepared import require_ready
from runner.support.machine_lock import machine_lock

SHOWN = 20


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `stack` holds the names of stacks."""

    stack: tuple[str, ...]
    json: bool
    engine: EngineOptions


def run(options: Options, engines: Engines) -> int:
    """Compare the installations of each stack; exit code 1 if anything differs that must not."""
    stacks = stacks_from(options.stack)
    engine, why = choose_engine(options.engine, engines, stacks)
    notify: Notify = (lambda _line: None) if options.json else say
    notify(why)
    with machine_lock("images diff"):  # building and hashing would slow down a measurement
        wanted = every_installation(stacks)
        require_ready(engine, wanted)
        artifacts = {
            (stack.name, installation.name): engine.prepare(stack, installation, notify)
            for stack, installation in wanted
        }
        matches = match_installations(engine, stacks, artifacts, notify)
    if options.json:
        print(json.dumps([{"stack": match.stack, **match.to_json()} for match in matches], indent=1))
    else:
        print("\n".join(line for match in matches for line in describe(match)))
    return EXIT_DONE if all(match.is_matched for match in matches) else EXIT_SOME_CELLS_FAILED


def describe(match: Match) -> list[str]:
    """The comparison as lines of text: the packages with counts, then the differences that are not allowed."""
    lines = [f"\n{match.stack}: {' compared with '.join(match.installations)}, "
             f"{match.compared} files and settings compared"]  # fmt: skip
    lines += [f"  {each.installation}: {in_words(each)}" for each in match.contents]
    lines += [f"    {name}: {fault.path} {fault.what}" for name, fault in match.tampered[:SHOWN]]
    for (package, allowed), count in match.by_package.items():
        remark = "what is compared" if allowed else "MUST NOT DIFFER"
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
    """The result of the comparison of an installation with its lock."""
    if not contents.is_held:
        return "not compared with its lock, which this version of the kit does not have"
    compared = f"{contents.files} files of {contents.distributions} locked wheels"
    if contents.faults:
        return f"{compared}, {len(contents.faults)} of them NOT AS LOCKED"
    return f"{compared}, all as locked"
