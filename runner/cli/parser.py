"""Every command and option of the command line, in one place. Imports nothing heavy: `--help` must answer at once."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from pathlib import Path

from runner import __version__
from runner.cli.engines import Engines
from runner.cli.options import (
    Parser,
    environment_options,
    images_options,
    memory_option,
    pin_options,
    registry_options,
    request_options,
    run_options,
    sysroot_option,
    topology_file_option,
    topology_options,
)
from runner.cli.parsed import parsed
from runner.cli.values import duration, names, percent, positive, positive_list, seconds, whole

Handler = Callable[[argparse.Namespace, Engines], int]

_DESCRIPTION = """\
Reproduces, on this host, Intel and AWS's 2018 claim that Intel-optimized TensorFlow trains CNNs "up to 7.4X" faster
than stock TensorFlow: matched pairs, pinned and interleaved, an interval on every bar. Start with: compare"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of `python -m runner`, all subcommands included."""
    parser = Parser(prog="python -m runner", description=_DESCRIPTION,
                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--version", action="version", version=f"tensorflow-speedup-kit {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _doctor(_command(commands, "doctor", "check whether this host is fit to measure, and say what to do"))
    _build(_command(commands, "build", "make the environments of a stack from its locks"))
    _plan(_command(commands, "plan", "print every launch, pin, environment and command; nothing is run"))
    _compare(_command(commands, "compare", "the main command: build if needed, run, record, report"))
    _reproduce(
        _command(
            commands, "reproduce", "the whole article: Figure 1, its causes and its settings; a verdict for each claim"
        )
    )
    _probe(
        _command(commands, "probe", "obtain evidence for each variant: kernels, threads, settings; nothing is timed")
    )
    _ablate(
        _command(commands, "ablate", "measure what each cause contributes: a ladder of rungs, one change at a time")
    )
    _report(_command(commands, "report", "redraw a run's report, or show several runs side by side"))
    _images(_command(commands, "images", "prove that a stack's two installations differ in what is compared alone"))
    _push(_command(commands, "push", "send a stack's images to Amazon ECR or any registry, and write images.lock.json"))
    _pull(_command(commands, "pull", "fetch the images of an images.lock.json by digest, and check them"))
    _claims(_command(commands, "claims", "compare a run with a publication: a verdict for each claim"))
    _repeat(_command(commands, "repeat", "run again from a run's record, and compare the two"))
    _compose(_command(commands, "compose", "write the plan as Docker Compose files, for hosts without Python"))
    _bench(_command(commands, "bench", "images/s of every topology, as ratios and as a share of the host's GEMM peak"))
    return parser


def _command(commands: argparse._SubParsersAction[Parser], name: str, summary: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    parser.set_defaults(handler=_lazy(name))
    return parser


def _lazy(command: str) -> Handler:
    def handler(arguments: argparse.Namespace, engines: Engines) -> int:
        module = importlib.import_module(f"runner.cli.{command}")
        return int(module.run(parsed(module.Options, arguments), engines))

    return handler


def _doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stack", type=names, default=None, metavar="NAME,...", help="stacks to be ready for (default: tf-2.14)"
    )
    sysroot_option(parser)
    pin_options(parser)
    environment_options(parser)


def _build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stack", type=names, default=None, metavar="NAME,...", help="stacks to build (default: tf-2.14)"
    )
    environment_options(parser)
    images_options(parser)


def _plan(parser: argparse.ArgumentParser) -> None:
    request_options(parser)
    run_options(parser)
    sysroot_option(parser)
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")


def _compare(parser: argparse.ArgumentParser) -> None:
    request_options(parser)
    run_options(parser)
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="the run's folder (default: a new one in results/runs)"
    )
    parser.add_argument("--resume", nargs="?", type=Path, const=Path(), metavar="RUN",
                        help="go on with an interrupted run, by default the newest, by its own plan")  # fmt: skip
    parser.add_argument("--precision", type=percent, default=None, metavar="PERCENT",
                        help="add blocks until every speedup is known to so much, e.g. 5%%; the spread of the first "
                        "blocks fixes how many")  # fmt: skip
    parser.add_argument("--budget", type=duration, default=None, metavar="TIME",
                        help="use about so much time, e.g. 20m, and spread it over the widest intervals")  # fmt: skip
    parser.add_argument("--aa", action="store_true",
                        help="compare stock with itself: this host's noise floor, which later runs show")  # fmt: skip
    parser.add_argument("--more-blocks", type=positive, default=None, metavar="N",
                        help="with --resume: so many more blocks, an even number")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    parser.add_argument("--no-peak", action="store_true",
                        help="leave out the matrix products that training is compared with (30 s)")  # fmt: skip
    parser.add_argument("--no-probe", action="store_true",
                        help="leave out the untimed launches that show which kernels run")  # fmt: skip


def _reproduce(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", default="night", metavar="NAME",
                        help="night, or coffee: smaller batches, fewer networks (default: night)")  # fmt: skip
    parser.add_argument("--budget", type=duration, default=None, metavar="TIME",
                        help="use about this much time, e.g. 3h; two blocks of every part run in any case, and the "
                        "report names what is still undecided")  # fmt: skip
    group = parser.add_argument_group("in place of the preset's own, for every part")
    group.add_argument("--topologies", type=names, default=None, metavar="NAME,...", help="e.g. resnet50,vgg16")
    group.add_argument("--batch-sizes", type=positive_list, default=None, metavar="N,...", help="images a step")
    group.add_argument("--blocks", type=positive, default=None, metavar="N", help="an even number")
    run_options(parser)
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="the reproduction's folder (default: a new one in results/runs)"
    )
    parser.add_argument("--resume", nargs="?", type=Path, const=Path(), metavar="FOLDER",
                        help="go on with an interrupted reproduction, by default the newest")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="print the plan of each part and stop")


def _probe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", nargs="?", type=Path, metavar="RUN", help="a run's folder: obtain what it lacks, redraw its report"
    )
    group = parser.add_argument_group("without RUN: what is probed")
    group.add_argument(
        "--stack", type=names, default=None, metavar="NAME,...", help="TensorFlow stacks (default: tf-2.14)"
    )
    group.add_argument("--variants", type=names, default=None, metavar="NAME,...", help="default: all of each stack")
    group.add_argument("--topologies", type=names, default=None, metavar="NAME,...", help="default: the article's four")
    topology_file_option(group, "instead of those, or besides those that are named")
    group.add_argument(
        "--bkms",
        default="article",
        metavar="SET",
        help="best-known methods: article, none, or a TOML file (default: %(default)s)",
    )
    group.add_argument("--out", type=Path, metavar="FOLDER", help="default: a new folder in results/runs")
    parser.add_argument(
        "--batch-size", type=positive, default=2, metavar="N", help="images a step (default: %(default)s)"
    )
    run_options(parser)


def _ablate(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is measured")
    group.add_argument(
        "--ladder",
        default="main",
        metavar="NAME",
        help="main, isa, blocktime, allocators, or a TOML file (default: %(default)s)",
    )
    group.add_argument(
        "--stack", type=names, default=None, metavar="NAME,...", help="TensorFlow stacks (default: tf-2.14)"
    )
    group.add_argument("--topologies", type=names, default=None, metavar="NAME,...", help="default: resnet50")
    topology_file_option(group, "instead of those")
    group.add_argument("--batch-sizes", type=positive_list, default=None, metavar="N,...", help="default: 4")
    group.add_argument("--blocks", type=whole, default=4, metavar="N",
                       help="launches of each rung, an even number (default: %(default)s)")  # fmt: skip
    group.add_argument("--steps", type=positive, default=2, metavar="N", help="timed steps (default: %(default)s)")
    group.add_argument("--warmup", type=whole, default=1, metavar="N", help="untimed steps (default: %(default)s)")
    group.add_argument("--seed", type=whole, default=1234, metavar="N", help="default: %(default)s")
    group.add_argument("--time-limit", type=seconds, default=1800.0, metavar="SECONDS",
                       help="for the training of one launch (default: %(default)s)")  # fmt: skip
    run_options(parser)
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="the run's folder (default: a new one in results/runs)"
    )
    parser.add_argument("--resume", nargs="?", type=Path, const=Path(), metavar="RUN",
                        help="go on with an interrupted ladder, by default the newest")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="print the rungs and stop")


def _report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="a run's folder; alone, also a reproduction's"
    )
    parser.add_argument("--publication", type=names, default=None, metavar="NAME,...",
                        help="also judge these files of results/publications, or all")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="with several runs: write their comparison here too")


def _images(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    diff = actions.add_parser("diff", help="hash every file of both sides and list what differs, by package")
    diff.add_argument("stack", type=names, metavar="STACK,...", help="e.g. tf-2.14")
    diff.add_argument("--json", action="store_true", help="print the comparison as JSON")
    environment_options(diff)


def _push(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", required=True, metavar="REPOSITORY",
                        help="HOST/PATH, e.g. ACCOUNT.dkr.ecr.REGION.amazonaws.com/tf-kit; or ecr:tf-kit for the "
                             "account and region of your AWS configuration")  # fmt: skip
    parser.add_argument("--stack", type=names, default=None, metavar="NAME,...",
                        help="stacks whose images are pushed (default: tf-2.14)")  # fmt: skip
    parser.add_argument("--images", type=Path, default=Path("images.lock.json"), metavar="FILE",
                        help="the images lock to write, of exactly what is pushed (default: %(default)s)")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="print every call to AWS and the registry; make none")
    registry_options(parser)
    group = parser.add_argument_group("Amazon ECR")
    group.add_argument("--encryption", choices=("AES256", "KMS", "KMS_DSSE"), default=None,
                       help="of a repository that is made (default: AES256)")  # fmt: skip
    group.add_argument("--kms-key", metavar="ARN", help="key for --encryption KMS (default: AWS's own)")
    lifecycle = group.add_mutually_exclusive_group()
    lifecycle.add_argument("--keep-last", type=positive, default=None, metavar="N",
                           help="lifecycle policy: keep the last N images of each installation")  # fmt: skip
    lifecycle.add_argument("--lifecycle-policy", type=Path, default=None, metavar="FILE",
                           help="a lifecycle policy as ECR takes it, in JSON or TOML")  # fmt: skip


def _pull(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--images", type=Path, default=Path("images.lock.json"), metavar="FILE",
                        help="the images lock that `push` wrote (default: %(default)s)")  # fmt: skip
    registry_options(parser)


def _claims(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN",
                        help="folders of runs of one host, or of reproductions")  # fmt: skip
    parser.add_argument(
        "--publication", metavar="NAME", help="a file of results/publications, or all (default: intel-aws-2018)"
    )
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    parser.add_argument(
        "--original-script", action="store_true", help="what the article's own script really does, point by point"
    )


def _repeat(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of the run to repeat; run.json is enough")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="the new run's folder (default: a new one in results/runs)"
    )
    parser.add_argument(
        "--bkms", metavar="SET", help="the run's best-known methods, if they came from a file and the pin differs"
    )
    run_options(parser)
    parser.set_defaults(engine="recorded")


def _compose(parser: argparse.ArgumentParser) -> None:
    request_options(parser)
    memory_option(pin_options(parser))
    sysroot_option(parser)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where to write (default: compose, in the kit)")


def _bench(parser: argparse.ArgumentParser) -> None:
    parser.description = f"{parser.description} The defaults take about a quarter of an hour on two cores."
    parser.add_argument("--stack", type=names, default=None, metavar="NAME", help="the stack (default: tf-2.14)")
    parser.add_argument("--topologies", type=names, default=None, metavar="NAME,...", help="default: all built-in ones")
    topology_options(parser)
    parser.add_argument("--batch-size", type=positive, default=4, metavar="N", help="default: %(default)s")
    parser.add_argument("--blocks", type=positive, default=2, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--steps", type=positive, default=2, metavar="N", help="timed steps of each launch (default: %(default)s)"
    )
    parser.add_argument(
        "--by-hand", action="store_true", help="also compare the kit's launches with the same ones started by hand"
    )
    memory_option(pin_options(parser))
    environment_options(parser)
