"""A run's header for tests that ask it about one stack: the earlier run's, with another pin and other installations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from runner.host.pin import Pin
from runner.storage import runs
from runner.storage.header import Header

EARLIER_RUN = Path(__file__).resolve().parents[2] / "data" / "earlier_run"


def header_of(pin: Pin, **changes: Any) -> Header:
    """A header of tf-2.14 on a pin, with changes to what it records of the stack."""
    header = runs.load(EARLIER_RUN).about
    stack = replace(header.stacks["tf-2.14"], **changes)
    return replace(header, plan=replace(header.plan, pin=pin), stacks={"tf-2.14": stack})
