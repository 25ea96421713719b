"""`reproduce`: measures the whole article on this host, in several runs under one folder, and judges every claim."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from runner.catalogue.reproductions import Part, find_reproduction_preset
from runner.cli.comparison_run import begin_comparison, untimed_of
from runner.cli.engines import Engines, choose_engine
from runner.cli.ladder_run import begin_ladder, launches_left, measure_ladder, print_ladder_plan
from runner.cli.measuring import UntimedWork, command_line, measure, resuming
from runner.cli.printed_plan import print_plan
from runner.cli.progress import say
from runner.cli.terminal import print_reproduction
from runner.engines.protocol import Engine
from runner.errors import EXIT_DONE, EXIT_INTERRUPTED, KitError
from runner.session.opening import go_on, stacks_of
from runner.session.options import EngineOptions, PinOptions, RequestOptions
from runner.session.planned import PlannedComparison, plan_from
from runner.session.planned_ladder import LadderOptions, PlannedLadder, plan_ladder
from runner.session.prepared import measuring
from runner.session.resuming import in_words, require_kept_files, require_unchanged, resumed_with
from runner.session.state import Session
from runner.stats.enough import Size
from runner.stats.sizing import FIRST_BLOCKS
from runner.storage import reproductions, runs
from runner.storage.reproductions import PartOfIt, Reproduction
from runner.storage.runs import Run
from runner.vocabulary import Launch, runs_containers

SEED = 1234
TIME_LIMIT = 1800.0
BKMS = "article"
# Of a ladder, as `ablate` has them.
LADDER_BLOCKS, LADDER_WARMUP, LADDER_STEPS = 4, 1, 2
Planned = PlannedComparison | PlannedLadder


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `resume` is a reproduction's folder; an empty path means the newest one.

    `topologies`, `batch_sizes` and `blocks` replace those of every part.
    """

    preset: str
    budget: float | None
    topologies: tuple[str, ...] | None
    batch_sizes: tuple[int, ...] | None
    blocks: int | None
    pin: PinOptions
    engine: EngineOptions
    out: Path | None
    resume: Path | None
    dry_run: bool


def run(options: Options, engines: Engines) -> int:
    """Run or resume a reproduction; exit code 1 if a cell of a part failed, 130 if interrupted."""
    if options.resume is not None:
        return _resume(options, options.resume, engines)
    parts = find_reproduction_preset(options.preset).parts
    planned = [_plan(part, options) for part in parts]
    stacks = tuple({stack.name: stack for each in planned for stack in each.stacks}.values())
    engine, why = choose_engine(options.engine, engines, stacks)
    if options.dry_run:
        for part, each in zip(parts, planned, strict=True):
            print(f"\npart {part.name}: {part.title}")
            _print(each, engine)
        return EXIT_DONE
    folder = options.out or runs.RUNS / runs.new_name(f"reproduce-{options.preset}")
    reproductions.require_new(folder, (part.name for part in parts))
    with measuring(f"reproduction {folder}", engine):
        say(why)
        try:
            sessions = [_begin(part, each, engine, folder, options) for part, each in zip(parts, planned, strict=True)]
            of_it = [PartOfIt(part.name, _title(part, options), part.share) for part in parts]
            made = reproductions.create(folder, options.preset, command_line(), of_it)
        except BaseException:  # Ctrl-C too: nothing was measured, and half of the parts is nothing that can be resumed
            for part in parts:
                shutil.rmtree(folder / part.name, ignore_errors=True)
            raise
        return _measure(made, sessions, options.budget)


def _title(part: Part, options: Options) -> str:
    """What a part is for, in words that are also right if the command line names other sizes."""
    sizes = (("networks", options.topologies), ("batch sizes", options.batch_sizes))
    given = [f"{name} {', '.join(map(str, values))}" for name, values in sizes if values]
    return f"{part.title}; in place of these: {', '.join(given)}" if given else part.title


def _plan(part: Part, options: Options) -> Planned:
    topologies = options.topologies or part.topologies
    batch_sizes = options.batch_sizes or part.batch_sizes
    blocks = options.blocks or part.blocks
    if part.ladder is not None:
        return plan_ladder(
            LadderOptions(ladder=part.ladder, stack=part.stacks, topologies=topologies, topology_file=None,
                          batch_sizes=batch_sizes, blocks=blocks or LADDER_BLOCKS, steps=LADDER_STEPS,
                          warmup=LADDER_WARMUP, seed=SEED, time_limit=TIME_LIMIT),
            options.pin,
        )  # fmt: skip
    if options.budget is not None and blocks is None:
        blocks = FIRST_BLOCKS
    wanted = RequestOptions(
        preset=part.preset, stack=part.stacks, variants=None, topologies=topologies, topology_file=None, inter_op=None,
        batch_sizes=batch_sizes, blocks=blocks, steps=None, warmup=None, bursts=None, burst_seconds=None,
        in_sequence=False, bkms=BKMS, seed=SEED, time_limit=TIME_LIMIT,
    )  # fmt: skip
    return plan_from(wanted, options.pin, contained=runs_containers(options.engine.engine))


def _print(planned: Planned, engine: Engine) -> None:
    if isinstance(planned, PlannedLadder):
        print_ladder_plan(planned)
    else:
        print_plan(planned, engine)


def _begin(part: Part, planned: Planned, engine: Engine, folder: Path, options: Options) -> Session:
    """Make the folder of a part's run inside the reproduction's, and open its first session."""
    create, place = partial(_create, f"{folder.name}-{part.name}"), folder / part.name
    if isinstance(planned, PlannedLadder):
        return begin_ladder(planned, engine, place, options.engine, command_line(), create)
    return begin_comparison(planned, engine, place, options.engine, UntimedWork(peak=True, probe=True), create)


def _create(name: str, folder: Path, header: Mapping[str, Any]) -> Run:
    """Make a part's folder. The run has a name of its own, because parts of all reproductions share their folders'."""
    return runs.create(folder, {**header, "run": name})


def _resume(options: Options, folder: Path, engines: Engines) -> int:
    """Go on with every part of which launches are left, each by its own plan."""
    made = reproductions.load(folder) if folder != Path() else reproductions.newest()
    begun = made.runs
    for each in begun:
        require_kept_files(each)
    stacks = tuple({stack.name: stack for each in begun for stack in stacks_of(each)}.values())
    engine, _ = choose_engine(_begun_with(options.engine, begun), engines, stacks)
    with measuring(f"reproduction {made.folder}", engine):
        return _measure(made, [_continued(each, engine) for each in begun], options.budget)


def _begun_with(given: EngineOptions, begun: Sequence[Run]) -> EngineOptions:
    """The options for one engine of all parts, with the images that each part was begun with."""
    of_parts = [resumed_with(given, each) for each in begun]
    return replace(
        of_parts[0],
        base_image={stack: image for each in of_parts for stack, image in each.base_image.items()},
        recorded_images={key: image for each in of_parts for key, image in each.recorded_images.items()},
    )


def _continued(begun: Run, engine: Engine) -> Session | None:
    """Another session of a part's run; None if nothing is left of it."""
    left = _left(begun)
    say(in_words(begun, left))
    return go_on(begun, engine, say) if left else None


def _left(begun: Run) -> list[Launch]:
    return launches_left(begun) if begun.about.is_ladder else begun.remaining()


def _measure(made: Reproduction, sessions: Sequence[Session | None], budget: float | None) -> int:
    """Carry the parts out in order, then judge every claim by all of them; return the exit code."""
    until = None if budget is None else time.monotonic() + budget
    resume = resuming("reproduce", made.folder, Size(budget_seconds=budget).options)
    codes = []
    for session, of_it, size in _in_order(made, sessions, until):
        say(f"\npart {of_it.name}: {of_it.title}")
        try:
            # The parts before it may have taken hours.
            require_unchanged(session.run, session.artifacts)
            codes.append(_carry_out(session, resume, size))
        except KitError:
            with suppress(KitError):  # such as a full disk, which the error that is raised tells of
                print_reproduction(made)
            raise
        if codes[-1] == EXIT_INTERRUPTED:
            break
    print_reproduction(made)
    return max(codes, default=EXIT_DONE)


def _in_order(
    made: Reproduction, sessions: Sequence[Session | None], until: float | None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[Session, PartOfIt, Size]]:  # fmt: skip
    """Yield each part that is not complete, with its share of the time that is left when its turn has come."""
    left = [(session, of_it) for session, of_it in zip(sessions, made.parts, strict=True) if session is not None]
    for index, (session, of_it) in enumerate(left):
        if until is None:
            yield session, of_it, Size()
        else:
            shares = sum(each.share for _, each in left[index:])
            yield session, of_it, Size(budget_seconds=max(0.0, until - clock()) * of_it.share / shares)


def _carry_out(session: Session, resume: str, size: Size) -> int:
    if session.run.about.is_ladder:
        return measure_ladder(session, resume, size)
    return measure(session, session.run.remaining(), untimed_of(session.run), size, resume)
