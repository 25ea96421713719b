"""Every command and option of the command line, in one place. Imports nothing heavy: `--help` must answer at once."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from pathlib import Path

from runner import __version__
from runner.cli.engines import Engines
from runner.cli.values import byte_size, cpu_list, names, positive, positive_list, seconds, whole

Handler = Callable[[argparse.Namespace, Engines], int]

_DESCRIPTION = """\
Reproduces, on this host, Intel and AWS's 2018 claim that Intel-optimized TensorFlow trains CNNs "up to 7.4X" faster
than stock TensorFlow: matched pairs, pinned and interleaved, an interval on every bar. Start with: compare"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of `python -m runner`, all subcommands included."""
    parser = argparse.ArgumentParser(prog="python -m runner", description=_DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--version", action="version", version=f"tensorflow-speedup-kit {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _doctor(_command(commands, "doctor", "is this host fit to measure on, and what to do about it"))
    _build(_command(commands, "build", "make the environments of a stack from its locks"))
    _plan(_command(commands, "plan", "print every launch, pin, environment and command; nothing is run"))
    _compare(_command(commands, "compare", "THE main job: build if needed, run, record, report"))
    _report(_command(commands, "report", "redraw a run's report, or show several runs side by side"))
    _bench(_command(commands, "bench", "images/s of every topology, as ratios and as a share of the host's GEMM peak"))
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    parser.set_defaults(handler=_lazy(name))
    return parser


def _lazy(command: str) -> Handler:
    def handler(arguments: argparse.Namespace, engines: Engines) -> int:
        module = importlib.import_module(f"runner.cli.{command}")
        return int(module.run(arguments, engines))

    return handler


def _doctor(parser: argparse.ArgumentParser) -> None:
    _sysroot_option(parser)
    _pin_options(parser)
    _environment_options(parser)


def _build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stack", type=names, default=None, metavar="NAME,...", help="stacks to build (default: tf-2.14)"
    )
    _environment_options(parser)


def _plan(parser: argparse.ArgumentParser) -> None:
    _request_options(parser)
    _pin_options(parser)
    _environment_options(parser)
    _sysroot_option(parser)
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")


def _compare(parser: argparse.ArgumentParser) -> None:
    _request_options(parser)
    _pin_options(parser)
    _environment_options(parser)
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="the run's folder (default: a new one in results/runs)"
    )
    parser.add_argument("--resume", nargs="?", type=Path, const=Path(), metavar="RUN",
                        help="go on with an interrupted run, by default the youngest; its own plan counts")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")


def _report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run's folder")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="with several runs: write their comparison here too")


def _bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack", type=names, default=None, metavar="NAME", help="the stack (default: tf-2.14)")
    parser.add_argument("--topologies", type=names, default=None, metavar="NAME,...", help="default: all six")
    parser.add_argument("--batch-size", type=positive, default=32, metavar="N", help="default: %(default)s")
    parser.add_argument("--blocks", type=positive, default=2, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--steps", type=positive, default=3, metavar="N", help="timed steps of each launch (default: %(default)s)"
    )
    _pin_options(parser)
    _environment_options(parser)


def _request_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is compared")
    group.add_argument(
        "--preset",
        default="quick",
        metavar="NAME",
        help="quick, figure1 or full: defaults for the rest (default: %(default)s)",
    )
    group.add_argument(
        "--stack", type=names, default=None, metavar="NAME,...", help="TensorFlow stacks (default: tf-2.14)"
    )
    group.add_argument("--variants", type=names, default=None, metavar="NAME,...", help="e.g. stock,stock-onednn,intel")
    group.add_argument("--topologies", type=names, default=None, metavar="NAME,...", help="e.g. resnet50,vgg16")
    group.add_argument("--batch-sizes", type=positive_list, default=None, metavar="N,...", help="images a step")
    group.add_argument(
        "--blocks", type=whole, default=None, metavar="N", help="launches of each variant, an even number"
    )
    group.add_argument("--steps", type=positive, default=None, metavar="N", help="timed steps of each launch")
    group.add_argument(
        "--warmup", type=whole, default=None, metavar="N", help="untimed steps of each launch before them"
    )
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


def _pin_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where it runs")
    group.add_argument(
        "--cpus", type=cpu_list, default=None, metavar="LIST", help="exactly these logical CPUs, e.g. 0-3,8"
    )
    group.add_argument(
        "--cores", type=positive, default=None, metavar="N", help="so many physical cores, on as few NUMA nodes as fit"
    )
    group.add_argument(
        "--headroom",
        type=whole,
        default=0,
        metavar="N",
        help="leave so many cores to the operating system (default: %(default)s)",
    )
    group.add_argument(
        "--memory",
        type=byte_size,
        default=None,
        metavar="SIZE",
        help="memory limit of each launch, e.g. 8g; not with venv",
    )


def _environment_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how it is carried out")
    group.add_argument("--engine", choices=("auto", "docker", "venv"), default="auto", help="default: %(default)s")
    group.add_argument(
        "--base-image", metavar="IMAGE", help="base of the Docker images (default: the stack's, by digest)"
    )
    group.add_argument(
        "--pip-index", metavar="URL", help="package index to install from (default: as pip is configured)"
    )
    group.add_argument(
        "--ca-bundle", type=Path, metavar="FILE", help="CA certificates for the index, behind an intercepting proxy"
    )


def _sysroot_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sysroot", type=Path, default=Path("/"), metavar="FOLDER",
                        help="read a captured /proc and /sys tree instead of this host's")  # fmt: skip
