"""The command line: parses, calls, and turns every failure into one paragraph and an exit code.

Each command's module is imported only when the command runs, so that `--help` answers at once.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from types import FrameType

from runner.cli.engines import ENGINES, Engines
from runner.cli.parser import build_parser
from runner.errors import EXIT_INTERRUPTED, KitError


def main(arguments: Sequence[str], engines: Engines = ENGINES) -> int:
    """Run one command and return its exit code. `engines` is replaced by tests."""
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup ignores it: the run survives its terminal
        signal.signal(signal.SIGHUP, _interrupt)
    try:
        parsed = build_parser().parse_args(arguments)
        return int(parsed.handler(parsed, engines))
    except KitError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: nothing was being measured, and nothing is lost.", file=sys.stderr)
        return EXIT_INTERRUPTED


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
