"""Options as values: what follows from them, and what they take over from a run's record."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.session.options import EngineOptions, PinOptions, in_whole_pages
from runner.session.resuming import RECORDED, repeated_with, resumed_with
from runner.storage.runs import Run


def test_a_memory_limit_is_planned_as_the_kernel_will_keep_it() -> None:
    """The kernel rounds down to pages; a plan that says otherwise would make every launch an error."""
    assert EngineOptions(memory=1_000_000_001).memory_bytes == 999_997_440
    assert EngineOptions().memory_bytes is None
    assert in_whole_pages(8 << 30) == 8 << 30
    assert in_whole_pages(1) > 0, "0 would be no limit at all"


@pytest.mark.parametrize("given", [PinOptions(cpus=frozenset({0})), PinOptions(cores=1), PinOptions(headroom=1)])
def test_any_option_of_the_pin_is_a_pin_that_was_given(given: PinOptions) -> None:
    """Without one, the pin is left to the kit, or to the record of the run that is repeated."""
    assert given.is_given
    assert not PinOptions().is_given


def begun(engine: str, memory: int | None) -> Run:
    """A run whose images were built on a base."""
    made = {"base_image": "base", "image_id": "sha256:then"}
    header = {
        "engine": {"name": engine, "enforced": {"memory_limit_bytes": memory}},
        "stacks": {"tf-2.14": {"installations": {"stock": made}}},
    }
    return Run(Path("run"), header)


def test_a_run_goes_on_with_the_engine_memory_and_base_that_it_began_with() -> None:
    """Whatever is asked for; a base that is named counts, for the run's own may be gone."""
    found = resumed_with(EngineOptions(engine="venv", memory=1 << 20), begun("docker", 8 << 30))
    assert (found.engine, found.memory, found.base_image) == ("docker", 8 << 30, {"tf-2.14": "base"})
    assert resumed_with(EngineOptions(base_image={"": "mine"}), begun("docker", None)).base_image == {"": "mine"}


@pytest.mark.parametrize(
    ("given", "engine", "memory"),
    [
        (EngineOptions(engine=RECORDED), "docker", 8 << 30),
        (EngineOptions(engine=RECORDED, memory=1 << 20), "docker", 1 << 20),
        (EngineOptions(engine="venv"), "venv", None),
    ],
)
def test_a_repetition_takes_over_what_was_not_given(given: EngineOptions, engine: str, memory: int | None) -> None:
    """Another engine than the record's is not held to its memory limit: it may be unable to hold one."""
    found = repeated_with(given, begun("docker", 8 << 30))
    assert (found.engine, found.memory) == (engine, memory)
