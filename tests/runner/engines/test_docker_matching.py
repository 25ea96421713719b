"""That nothing but the wheel differs between the images of a pair, file by file. Needs an engine and base images."""

from __future__ import annotations

import dataclasses

import pytest

from runner.catalogue.stacks import Stack, find_stack
from runner.engines.protocol import Artifact, Engine
from runner.matching import diff, locked_wheels
from runner.matching.contents import compare_with_lock
from runner.matching.snapshot import Snapshot
from tests.runner.engines.containers import built_from, docker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

STACK = find_stack("tf-2.14")

DOCKERFILES = {
    "a file of the workload": "USER root\nRUN echo >> /opt/workload/cli.py",
    "a dependency": "USER root\nRUN echo >> $(ls -d /opt/environment/lib/python3.*/site-packages/numpy/__init__.py)",
    "an environment setting": "ENV TF_ENABLE_ONEDNN_OPTS=0",
}


def test_nothing_but_the_wheel_differs_between_the_images_of_a_stack(
    pair: tuple[Stack, dict[str, Artifact], dict[str, Snapshot]],
) -> None:
    """What `images diff` compares: every path, mode and content, and every setting of both images."""
    stack, _, sides = pair
    match = diff.compare(stack, ("stock", "intel"), (sides["stock"], sides["intel"]))
    assert match.strays == ()
    assert match.compared > 5000


def test_every_file_of_the_images_of_a_stack_is_that_of_its_locked_wheel(
    pair: tuple[Stack, dict[str, Artifact], dict[str, Snapshot]],
) -> None:
    """Of every stack, whatever its installer writes into RECORD; one byte inside of the TensorFlow package is named."""
    stack, artifacts, sides = pair
    for name, side in sides.items():
        wheels = locked_wheels.read(artifacts[name].installation)
        contents = compare_with_lock(name, stack.python, side, wheels)
        assert contents.faults == ()
        assert contents.files > 5000
        library = min(path for path in side.files if "/tensorflow" in path and path.endswith(".so"))
        other = dataclasses.replace(side, files={**side.files, library: f"file 755 {'00' * 32}"})
        assert [fault.path for fault in compare_with_lock(name, stack.python, other, wheels).faults] == [library]


@pytest.mark.parametrize("changed", list(DOCKERFILES))
def test_a_change_on_one_side_is_found(engine: Engine, images: dict[str, Artifact], changed: str) -> None:
    """An image made from the Intel one with one thing changed is not matched any more, and the thing is named."""
    dockerfile = f"FROM {images['intel'].location}\n{DOCKERFILES[changed]}\n"
    built = built_from(dockerfile.encode())
    try:
        other = dataclasses.replace(images["intel"], location=built)
        sides = (engine.snapshot(images["intel"]), engine.snapshot(other))
        strays = diff.compare(STACK, ("intel", "intel"), sides).strays
    finally:
        docker("rmi", "--force", built)
    found = {each.path for each in strays} - {"user"}
    expected = {"a file of the workload": "/opt/workload/cli.py",
                "a dependency": "/opt/environment/lib/python3.11/site-packages/numpy/__init__.py",
                "an environment setting": "environment TF_ENABLE_ONEDNN_OPTS"}[changed]  # fmt: skip
    assert found == {expected}
