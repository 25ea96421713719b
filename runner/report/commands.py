"""Makes the commands that a report proposes, from a run's plan and from the command line that it has recorded."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence

from runner.catalogue.topology_file import FOLDER as TOPOLOGY_FOLDER
from runner.storage.runs import Run
from runner.vocabulary import Group

FOLDER = ("--out",)
# How launches are carried out on this host, apart from the engine: another run of it needs the same.
OF_THE_HOST = ("--base-image", "--pip-index", "--ca-bundle", "--debian-mirror", "--images", "--memory")
INTER_OP = "--inter-op"


def without_folder(command: str) -> str:
    """Return a command without the folder that it wrote to, which holds a run now and is not written to again."""
    return shlex.join(_parted(command, FOLDER)[1])


def host_options(command: str) -> list[str]:
    """Return the options of a command that say from what installations are made here, as words."""
    return _parted(command, OF_THE_HOST)[0]


def repeats(run: Run, group: Group) -> str:
    """Return the command that measures one group of a run again, with all its variants and as many blocks.

    It is empty for a run of before launches took turns: no option of today asks for launches like its.
    """
    plan, launches = run.about.plan, [launch for launch in run.launches if launch.cell.group == group]
    one = launches[0]
    if one.turns is None:
        return ""
    variants = dict.fromkeys(launch.cell.variant for launch in launches)
    names = [name for name in run.about.stacks[group.stack].variants if name in variants]
    values = {
        **what_and_where(run, [group]), **({} if run.about.is_aa else {"--variants": names}),
        "--blocks": [str(plan.blocks_of(group))], **turns(run), "--seed": [str(plan.seed)],
        "--time-limit": [f"{one.time_limit_seconds:g}"], **_settings(run),
    }  # fmt: skip
    if one.topology_file is not None:
        values["--topology-file"] = [f"RUN/{TOPOLOGY_FOLDER}/{one.topology_file.name}"]
    flags = (["--aa"] if run.about.is_aa else []) + ([] if one.members > 1 else ["--in-sequence"])
    return command_line(run, "compare", values, flags)


def _settings(run: Run) -> dict[str, list[str]]:
    """Return the options of a run's settings. Only where they came from a file, the recorded command names it."""
    bkms = run.about.plan.bkms
    named = _parted(run.about.command, ("--bkms",))[0]
    found = {"--bkms": [named[-1].removeprefix("--bkms=") if named else bkms.name]}
    requested = [each.value for each in bkms.settings if each.source == INTER_OP]
    return {**found, **({INTER_OP: requested} if requested else {})}


def what_and_where(run: Run, groups: Sequence[Group]) -> dict[str, list[str]]:
    """Return the options that say what is trained, on which CPUs, by which engine, and how many steps at least."""
    plan, launch = run.about.plan, run.launches[0]
    return {
        "--stack": [group.stack for group in groups],
        "--topologies": [group.topology for group in groups],
        "--batch-sizes": [str(group.batch_size) for group in groups],
        "--cpus": [plan.pin.cpu_list],
        "--engine": [run.about.engine.name],
        "--warmup": [str(launch.steps.warmup)],
        "--steps": [str(launch.steps.timed)],
    }


def turns(run: Run) -> dict[str, list[str]]:
    """Return the options that say how launches take turns; none for a run without turns."""
    size = run.launches[0].turns
    if size is None:
        return {}
    return {"--bursts": [str(size.bursts)], "--burst-seconds": [f"{size.burst_seconds:g}"]}


def command_line(run: Run, name: str, values: Mapping[str, Sequence[str]], further: Sequence[str] = ()) -> str:
    """Return a command of the kit with these options, further words, and what installations of a run are made from."""
    options = (word for option, each in values.items() for word in (option, ",".join(dict.fromkeys(each))))
    return shlex.join(["python", "-m", "runner", name, *options, *further, *host_options(run.about.command)])


def _parted(command: str, names: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the words of these options, of which each has one value, and all other words."""
    found: list[str] = []
    rest: list[str] = []
    words = iter(shlex.split(command))
    for word in words:
        if word in names:
            found += [word, next(words, "")]
        elif word.partition("=")[0] in names:
            found.append(word)
        else:
            rest.append(word)
    return found, rest
