"""`compose`: writes the plan as Docker Compose files, for people who have Docker and no Python."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from runner.catalogue.stacks import IMAGES, Stack, every_installation
from runner.cli.engines import Engines
from runner.compose.document import main_file, overlay
from runner.compose.request import compose_request
from runner.compose.services import Services, relative_to, services_of
from runner.compose.variables import defaults, image_tokens
from runner.errors import EXIT_DONE, DiskError, UsageError
from runner.host.pin import Pin
from runner.machine import Machine
from runner.planning.bkm import load_bkms, resolve
from runner.planning.plan import FEWEST_BLOCKS, Request, make_plan
from runner.session.options import PinOptions, RequestOptions
from runner.session.planned import apart, memory_of, pin_from, preset_from, request_from, served, turn_size
from runner.session.this_host import machine_below
from runner.support.atomic import write_whole
from runner.vocabulary import Steps

FOLDER = IMAGES.parent / "compose"
RUNS = IMAGES.parent / "results" / "runs"
MAIN, SMOKE = "compare.yaml", "smoke.yaml"

# A pin that every host has: the settings of the host that runs the files replace it.
ANY_HOST = Pin(cores=((0,),), mems=(0,), nodes=1, sockets=1)
# One step in each burst, however short.
SMOKE_STEPS = Steps(warmup=1, timed=2)
SMOKE_SECONDS = 0.001


@dataclass(frozen=True)
class Options:
    """What the command line asks for. `memory` is in bytes, not rounded to this host's pages."""

    request: RequestOptions
    pin: PinOptions
    memory: int | None
    sysroot: Path
    out: Path | None


def run(options: Options, _engines: Engines) -> int:
    """Write compare.yaml and its overlay smoke.yaml."""
    folder = options.out or FOLDER
    files = compose_files(options, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_whole(folder / name, content)
            print(f"wrote {folder / name}")
    except OSError as error:
        raise DiskError(
            f"The Compose files could not be written to {folder}: {error}. Name another folder with --out."
        ) from error
    return EXIT_DONE


def compose_files(options: Options, folder: Path) -> dict[str, str]:
    """The content of each file, by name; paths in them are relative to `folder`.

    Raises:
        UsageError: an option asks for something that does not exist or is not possible on this host.
    """
    (pin, machine), memory = _host(options), options.memory
    preset = preset_from(options.request)
    request, left_out = served(request_from(options.request, preset), machine.processor if machine else None)
    request = replace(request, memory_bytes=memory_of(machine) if machine else None)
    _require_wheels_alone(request.stacks)
    smoke = replace(
        request,
        topologies=("alexnet",),
        batch_sizes=(1,),
        blocks=FEWEST_BLOCKS,
        steps=SMOKE_STEPS,
        turns=replace(turn_size(options.request, preset), bursts=SMOKE_STEPS.timed, burst_seconds=SMOKE_SECONDS),
    )
    bkms = load_bkms(options.request.bkms)
    plan = make_plan(request, pin, resolve(bkms, pin))
    notes = (*left_out, *apart(request, plan))
    images = relative_to(folder, IMAGES)

    def written(name: str, wanted: Request) -> tuple[Services, dict[str, str]]:
        composed = compose_request(name, wanted, bkms, notes, image_tokens(wanted.stacks))
        return services_of(composed, pin, images), defaults(composed, pin, memory, relative_to(folder, RUNS))

    main, values = written(f"compose-{preset.name}", request)
    other, smoke_values = written("compose-smoke", smoke)
    command = f"docker-compose -f {shown(folder / MAIN)}"
    with_overlay = f"{command} -f {shown(folder / SMOKE)}"
    return {
        MAIN: main_file(main, values, f"The preset {preset.name}: {preset.title}.", f"{command} up\n{command} down"),
        SMOKE: overlay(
            main,
            other,
            smoke_values,
            f"An overlay on {MAIN}: alexnet, batch 1, a few steps, to see that everything works on a host.",
            f"{with_overlay} up\n{with_overlay} down",
        ),
    }


def _require_wheels_alone(stacks: tuple[Stack, ...]) -> None:
    """Refuse a stack with libraries that no wheel has: Compose builds images from the files in images/ alone."""
    for stack, installation in every_installation(stacks):
        if installation.libraries:
            raise UsageError(
                f"The image of {stack.name}/{installation.name} needs {', '.join(installation.libraries)}, which is in "
                "no wheel, and Compose builds images from wheels alone. Choose other stacks with --stack, or use "
                "`compare`."
            )


def shown(path: Path) -> str:
    """A path quoted for a shell; inside the kit's folder it is relative to that folder."""
    root = IMAGES.parent
    return shlex.quote(str(path.resolve().relative_to(root) if path.resolve().is_relative_to(root) else path))


def _host(options: Options) -> tuple[Pin, Machine | None]:
    """The pin that the options ask for on this host, and the host; ANY_HOST and None if they ask for none.

    The memory of a host that is not known is taken as enough for launches that take turns.
    """
    if not options.pin.is_given:
        return ANY_HOST, None
    machine = machine_below(options.sysroot)
    return pin_from(options.pin, machine), machine
