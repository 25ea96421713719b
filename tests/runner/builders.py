"""Small plans, machines and records for tests, each field of them chosen by the test or plainly a default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runner.catalogue.stacks import find_stack
from runner.host.pin import Pin
from runner.planning.bkm import load_bkms, resolve
from runner.planning.plan import Plan, Request, make_plan
from runner.storage.records import Record
from runner.vocabulary import Cell, Steps

PIN = Pin(cores=((0,), (1,)), mems=(0,), nodes=1, sockets=1)


def request(**changes: Any) -> Request:
    """The preset quick's request on one topology, with changes."""
    defaults: dict[str, Any] = {
        "stacks": (find_stack("tf-2.14"),), "variants": ("stock", "intel"), "topologies": ("resnet50",),
        "batch_sizes": (4,), "blocks": 2, "steps": Steps(1, 2),
    }  # fmt: skip
    return Request(**{**defaults, **changes})


def plan(pin: Pin = PIN, bkms: str = "article", **changes: Any) -> Plan:
    """The plan of `request`."""
    return make_plan(request(**changes), pin, resolve(load_bkms(bkms), pin))


def record(
    variant: str = "stock", block: int = 1, seconds: Sequence[float] = (9.0, 1.0, 1.0), *, topology: str = "resnet50",
    batch_size: int = 4, losses: Sequence[float] | None = None, error: dict[str, str] | None = None,
    conditions: dict[str, Any] | None = None, session: int = 1, turns: Sequence[int] | None = None,
    sitting: int | None = None,
) -> Record:  # fmt: skip
    """One record: the first step is warm-up, the rest timed. `turns` has the turn of each step."""
    cell = Cell("tf-2.14", variant, topology, batch_size)
    steps = [
        {
            "index": n,
            "phase": "timed" if n else "warmup",
            "seconds": value,
            "loss": losses[n] if losses else 8.0 - n / 8,
            **({"turn": turns[n]} if turns else {}),
        }
        for n, value in enumerate(seconds)
    ]
    return Record(
        launch_id=f"block{block}-{cell.stack}-{variant}-{topology}-b{batch_size}{sitting or ''}",
        session=session,
        case={"stack": cell.stack, "variant": variant, "topology": topology, "batch_size": batch_size,
              "installation": "intel" if variant == "intel" else "stock", "block": block, "position": 1,
              **({} if sitting is None else {"sitting": sitting})},
        conditions={"engine": "venv", "machine": {"microcode": "0x1"}} if conditions is None else conditions,
        settings={"layout": "NHWC", "environment": {}, "artifact": {}},
        facts={"started": "2026-01-01T00:00:00+00:00", "ended": "2026-01-01T00:00:10+00:00", "before": {}, "after": {},
               "seconds": 10.0, "exit_code": 0},
        result=None if error else {"steps": steps, "peak_memory_bytes": 1_000_000_000},
        error=error,
    )  # fmt: skip
