"""Runs with chosen speeds and chosen evidence, as a judge reads them: everything real but the seconds."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from runner.catalogue.publications import ARTICLE, Claim, load_publication
from runner.claims.case import Case
from runner.claims.judge import JUDGES
from runner.claims.verdict import Answer
from runner.evidence.probed import Evidence, Subject
from runner.host.pin import Pin
from runner.planning.bkm import load_bkms, resolve
from runner.planning.rungs import PlannedRung, RungSettings
from runner.stats.results import Results, results_of
from runner.storage.records import Record
from runner.storage.runs import Run, load
from runner.vocabulary import ARTICLE_TOPOLOGIES, Launch, Layout

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "results" / "sample"
# A real run of tf-2.14 from before there were probes, which runs with chosen speeds are made from.
EARLIER_RUN = ROOT / "tests" / "data" / "earlier_run"
Speed = Callable[[str, str, int], float]


def article_claim(claim_id: str) -> Claim:
    """One claim of the article."""
    return load_publication(ARTICLE).claim(claim_id)


def case(claim: Claim, results: Results) -> Case:
    """A claim of the article held against a run."""
    return Case(load_publication(ARTICLE), claim, results)


def results(
    speed: Speed, *, stack: str = "tf-1.12", topologies: Sequence[str] = ARTICLE_TOPOLOGIES, batch_size: int = 32,
    blocks: int = 4, probes: Sequence[Mapping[str, Any]] = (), layouts: Mapping[str, Layout] | None = None,
    variants: Sequence[str] = ("stock", "intel"), header: Callable[[dict[str, Any]], None] = lambda header: None,
) -> Results:  # fmt: skip
    """A run made from the earlier run's header and records; `speed` gives images/s of variant, topology, block."""
    sample = results_of(load(EARLIER_RUN))
    changed = copy.deepcopy(dict(sample.run.header))
    changed["stacks"] = {stack: changed["stacks"]["tf-2.14"]}
    model_launch = sample.run.launches[0]
    models = {record.cell.variant: record for record in sample.records}
    cells = [
        (variant, topology, block) for block in range(1, blocks + 1) for topology in topologies for variant in variants
    ]
    launches = [
        replace(_launch(model_launch, stack, *cell, batch_size), layout=(layouts or {}).get(cell[0], "NHWC"))
        for cell in cells
    ]
    changed["plan"] |= {"blocks": blocks, "launches": [launch.to_json() for launch in launches]}
    header(changed)
    records = tuple(
        _record(models.get(cell[0], models["intel"]), launch, speed(*cell), launch.layout)
        for launch, cell in zip(launches, cells, strict=True)
    )
    return Results(
        Run(EARLIER_RUN, changed), records, evidence={Subject.of(each): Evidence.from_json(each) for each in probes}
    )


def articles_host(header: dict[str, Any]) -> None:
    """Make a run's header that of the article's own machine, on all cores and with its settings."""
    pin = Pin(cores=tuple((n,) for n in range(36)), mems=(0, 1), nodes=2, sockets=2)
    header["machine"] |= {"cores": 36, "sockets": 2}
    header["machine"]["processor"] |= {"model_name": "Intel(R) Xeon(R) Platinum 8124M CPU", "isa": ["avx2", "avx512f"]}
    header["machine"]["platform"] = {**header["machine"]["platform"], "instance_type": "c5.18xlarge"}
    header["plan"] |= {"pin": pin.to_json(), "bkms": resolve(load_bkms("article"), pin).to_json()}
    header["plan"]["launches"] = [{**launch, "intra_op_threads": 36} for launch in header["plan"]["launches"]]


def articles_platform(header: dict[str, Any]) -> None:
    """The article's own machine with its own software, which is on no package index."""
    articles_host(header)
    for stack in header["stacks"].values():
        stack["tensorflow"] = article_claim("largest-speedup").configuration.tensorflow


def rung(name: str, of: str, *changes: tuple[str, str, str], acts_through: tuple[str, ...] = ()) -> PlannedRung:
    """One rung of a ladder, with settings like any other's."""
    pin = Pin(cores=((0,), (1,)), mems=(0,), nodes=1, sockets=1)
    settings = RungSettings("intel", "intel", "w", "NHWC", pin, 2, 1, graph_optimisation=True, environment={})
    return PlannedRung(
        id=name, title=name, sentence="s", source="s", note="", is_branch=False, could_be_baseline=False, of=of,
        left_out="", acts_through=acts_through, changes=changes, settings=settings,
    )  # fmt: skip


def ladder(
    speed: Speed, *rungs: PlannedRung, stack: str = "tf-1.12", topologies: Sequence[str] = ("resnet50",),
    host: Callable[[dict[str, Any]], None] = lambda header: None, **changes: Any,
) -> Results:  # fmt: skip
    """A ladder's run; `speed` gives images/s of rung, topology, block."""

    def header(found: dict[str, Any]) -> None:
        host(found)
        found |= {"kind": "ladder", "ladder": {
            "name": "l", "title": "t", "source": "s", "stacks": {stack: [each.to_json() for each in rungs]},
        }}  # fmt: skip

    names = [each.id for each in rungs]
    return results(speed, stack=stack, topologies=topologies, variants=names, header=header, **changes)


def constant(speedup: float, spread: float = 0.01) -> Speed:
    """The same speedup on every topology, with a spread over blocks that makes an interval."""
    return lambda variant, _topology, block: (
        1.0 if variant == "stock" else speedup * (1 + spread * (-1 if block % 2 else 1))
    )


def probe(variant: str = "intel", topology: str = "resnet50", stack: str = "tf-1.12", **changes: Any) -> dict[str, Any]:
    """One line of evidence.jsonl, in the shape that probes write."""
    found: dict[str, Any] = {
        "schema_version": 1, "stack": stack, "variant": variant, "topology": topology, "batch_size": 2, "key": "k",
        "library": {"name": "oneDNN", "version": "3.2", "isa": "Intel AVX-512", "runtime": "OpenMP", "threads": 2},
        "primitives": [{"kind": "convolution", "implementation": "jit:avx512_core", "count": 10, "milliseconds": 9.0}],
        "reorders": {"count": 5, "milliseconds": 1.0, "share": 0.1}, "threads": {}, "settings": {}, "trace": [],
        "verdicts": [{"id": "intel_kernels_ran", "passed": True, "text": "they ran"}],
    }  # fmt: skip
    return {**found, **changes}


def _launch(model: Launch, stack: str, variant: str, topology: str, block: int, batch_size: int) -> Launch:
    cell = replace(model.cell, stack=stack, variant=variant, topology=topology, batch_size=batch_size)
    name = f"block{block}-{stack}-{variant}-{topology}-b{batch_size}"
    return replace(model, launch_id=name, block=block, cell=cell, installation=variant)


def _record(model: Record, launch: Launch, images_per_second: float, layout: str) -> Record:
    assert model.result is not None
    cell = launch.cell
    steps = [
        {"index": n, "phase": "timed" if n else "warmup", "loss": 8.0, "seconds": cell.batch_size / images_per_second}
        for n in range(3)
    ]
    case = {
        "stack": cell.stack, "variant": cell.variant, "topology": cell.topology, "batch_size": cell.batch_size,
        "installation": launch.installation, "block": launch.block, "position": launch.position,
    }  # fmt: skip
    return replace(
        model, launch_id=launch.launch_id, case=case, settings={**model.settings, "layout": layout},
        result={**model.result, "steps": steps},
    )  # fmt: skip


def judged(claim_id: str, run: Results) -> Answer:
    """The answer to one claim of the article."""
    claim = article_claim(claim_id)
    return JUDGES[claim.kind](case(claim, run))
