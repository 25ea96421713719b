"""A parser whose errors are one paragraph, and groups of options that several commands share.

Imports nothing heavy: `--help` must answer at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from runner.cli.values import base_images, byte_size, cpu_list, names, positive, positive_list, seconds, whole
from runner.errors import UsageError

Options = argparse.ArgumentParser | argparse._ArgumentGroup


class Parser(argparse.ArgumentParser):
    """A parser that raises its errors as one paragraph, where argparse prints every option first and exits.

    A command's parser refuses unknown options itself. argparse leaves them to the program's parser, whose --help does
    not list the options of the command.
    """

    def parse_known_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse as argparse does, but refuse unknown arguments."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Raises:
            UsageError: always; the message names the command whose --help lists the options.
        """
        found = " ".join(message.split())
        raise UsageError(f"The command line cannot be read: {found}. `{self.prog} --help` lists what may be given.")


def request_options(parser: argparse.ArgumentParser) -> None:
    """What is compared: stacks, variants, topologies, batch sizes, steps."""
    group = parser.add_argument_group("what is compared")
    group.add_argument(
        "--preset",
        default=None,
        metavar="NAME",
        help="quick, figure1 or full: defaults for the rest (default: quick)",
    )
    group.add_argument(
        "--stack", type=names, default=None, metavar="NAME,...", help="TensorFlow stacks (default: tf-2.14)"
    )
    group.add_argument("--variants", type=names, default=None, metavar="NAME,...", help="e.g. stock,stock-onednn,intel")
    group.add_argument("--topologies", type=names, default=None, metavar="NAME,...", help="e.g. resnet50,vgg16")
    topology_options(group)
    group.add_argument("--batch-sizes", type=positive_list, default=None, metavar="N,...", help="images a step")
    group.add_argument(
        "--blocks", type=whole, default=None, metavar="N", help="launches of each variant, an even number"
    )
    group.add_argument(
        "--steps",
        type=positive,
        default=None,
        metavar="N",
        help="the fewest timed steps of each launch",
    )
    group.add_argument(
        "--warmup", type=whole, default=None, metavar="N", help="the fewest untimed steps of each launch before them"
    )
    turn_options(group)
    group.add_argument(
        "--bkms",
        default="article",
        metavar="SET",
        help="best-known methods: article, none, or a TOML file (default: %(default)s)",
    )
    group.add_argument(
        "--seed",
        type=whole,
        default=1234,
        metavar="N",
        help="for weights, images and the order of launches (default: %(default)s)",
    )
    group.add_argument(
        "--time-limit",
        type=seconds,
        default=1800.0,
        metavar="SECONDS",
        help="for the training of one launch (default: %(default)s)",
    )


def turn_options(group: Options) -> None:
    """How the launches of a block take turns."""
    group.add_argument("--bursts", type=positive, default=None, metavar="N",
                       help="timed turns of each launch in its block, an even number")  # fmt: skip
    group.add_argument("--burst-seconds", type=seconds, default=None, metavar="SECONDS",
                       help="how long a turn is to take; it has at least one step")  # fmt: skip
    group.add_argument("--in-sequence", action="store_true",
                       help="the launches of a block follow one another, and do not take turns")  # fmt: skip


def topology_options(group: Options) -> None:
    """The user's own network, and inter-op threads, which follow from a network's branches."""
    topology_file_option(group, "instead of the default topologies, or besides those that are named")
    group.add_argument("--inter-op", type=whole, default=None, metavar="N",
                       help="inter-op threads of every launch; 0: TensorFlow's own (default: the BKMs', and of your "
                       "own network the number of its disjoint branches)")  # fmt: skip


def topology_file_option(group: Options, place: str) -> None:
    """The user's own network; `place` says whether it replaces the other topologies."""
    group.add_argument("--topology-file", type=Path, default=None, metavar="FILE",
                       help=f"your own network, one Python file: {place}")  # fmt: skip


def pin_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """The options of the pin; returns the group, for options that only some commands have."""
    group = parser.add_argument_group("where it runs")
    group.add_argument(
        "--cpus", type=cpu_list, default=None, metavar="LIST", help="exactly these logical CPUs, e.g. 0-3,8"
    )
    group.add_argument(
        "--cores", type=positive, default=None, metavar="N", help="N physical cores, on as few NUMA nodes as possible"
    )
    group.add_argument(
        "--headroom",
        type=whole,
        default=0,
        metavar="N",
        help="leave N cores to the operating system (default: %(default)s)",
    )
    return group


def memory_option(group: argparse._ArgumentGroup) -> None:
    """The memory limit of a launch."""
    group.add_argument(
        "--memory",
        type=byte_size,
        default=None,
        metavar="SIZE",
        help="memory limit of each launch, e.g. 8g; not with venv",
    )


def environment_options(parser: argparse.ArgumentParser) -> None:
    """How it is carried out: the engine, and what its installations are made from."""
    group = parser.add_argument_group("how it is carried out")
    group.add_argument("--engine", choices=("auto", "docker", "venv"), default="auto", help="default: %(default)s")
    group.add_argument(
        "--base-image",
        type=base_images,
        default={},
        metavar="IMAGE",
        help="base of the Docker images, or STACK=IMAGE,... for several stacks (default: each stack's, by digest)",
    )
    group.add_argument(
        "--pip-index", metavar="URL", help="package index to install from (default: as pip is configured)"
    )
    group.add_argument(
        "--ca-bundle", type=Path, metavar="FILE", help="CA certificates for the index, behind an intercepting proxy"
    )
    group.add_argument(
        "--debian-mirror", metavar="URL", help="where libraries come from that no wheel has (default: Debian's own)"
    )


def run_options(parser: argparse.ArgumentParser) -> None:
    """Where launches run, and how they are carried out: every option of a command that measures."""
    memory_option(pin_options(parser))
    environment_options(parser)
    images_options(parser)


def images_options(parser: argparse.ArgumentParser) -> None:
    """Images by digest instead of building, with the options of their registry."""
    group = registry_options(parser)
    group.add_argument("--images", type=Path, default=None, metavar="FILE",
                       help="run the images of this images.lock.json, by digest; nothing is built")  # fmt: skip


def registry_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """How to log in to a registry; returns the group."""
    group = parser.add_argument_group("images in registries")
    group.add_argument("--profile", default=None, metavar="NAME", help="AWS profile (default: as boto3 finds it)")
    group.add_argument("--region", default=None, metavar="NAME", help="AWS region (default: that of the host name)")
    group.add_argument("--username", default=None, metavar="NAME",
                       help="for a registry outside of AWS; the password comes from KIT_REGISTRY_PASSWORD "
                            "(default: the login of docker login)")  # fmt: skip
    group.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    return group


def sysroot_option(parser: argparse.ArgumentParser) -> None:
    """Another /proc and /sys than this host's."""
    parser.add_argument("--sysroot", type=Path, default=Path("/"), metavar="FOLDER",
                        help="read a captured /proc and /sys tree instead of this host's")  # fmt: skip
