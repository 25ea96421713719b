"""What the kit reads of an engine's own descriptions of itself and of its images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.engines.docker import image_settings
from runner.engines.docker_sdk import EngineInfo, Image
from runner.engines.docker_sdk.engine_info import engine_info_of
from runner.engines.docker_sdk.images import image_of

# As Docker 20.10 describes an image, shortened.
ATTRIBUTES: dict[str, Any] = {
    "Id": "sha256:image", "RepoDigests": ["b@sha256:22", "a@sha256:22"], "Size": 5,
    "RootFS": {"Type": "layers", "Layers": ["sha256:1", "sha256:2"]},
    "Config": {"User": "65532:65532", "Env": ["PATH=/bin", "EMPTY="], "Cmd": None, "WorkingDir": "",
               "Entrypoint": ["python", "-m", "workload"], "Labels": {"b": "2", "a": "1"}},
}  # fmt: skip
IMAGE = Image(
    "sha256:image", digests=("a@sha256:22", "b@sha256:22"), size_bytes=5, layers=("sha256:1", "sha256:2"),
    labels={"a": "1", "b": "2"}, environment=("PATH=/bin", "EMPTY="), user="65532:65532", working_folder="",
    entrypoint=("python", "-m", "workload"), command=None,
)  # fmt: skip


def test_an_image_is_read_with_its_digests_and_labels_in_order() -> None:
    """Whoever takes the first digest, or writes the labels down, gets the same from every engine."""
    image = image_of(ATTRIBUTES)
    assert image == IMAGE
    assert list(image.labels) == ["a", "b"]


@pytest.mark.parametrize(
    "attributes",
    [
        {"Id": "sha256:image"},
        {"Id": "sha256:image", "RepoDigests": None, "RootFS": None, "Config": None},
        {"Id": "sha256:image", "RootFS": {"Layers": None}, "Config": {"Env": None, "Labels": None}},
    ],
)
def test_what_an_engine_leaves_out_or_says_null_of_is_empty(attributes: dict[str, Any]) -> None:
    """Engines of different ages do one or the other: there is one way to ask for it here."""
    assert image_of(attributes) == Image("sha256:image")


def test_an_images_settings_are_texts_that_two_installations_are_compared_by() -> None:
    """These very texts are in the snapshots that people keep."""
    assert image_settings(IMAGE) == {
        "environment PATH": "/bin", "environment EMPTY": "", "label a": "1", "label b": "2", "user": "65532:65532",
        "entry point": "['python', '-m', 'workload']", "command": "None", "working folder": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, EngineInfo()),
        ({"CPUSet": True, "SecurityOptions": None, "KernelVersion": "", "DockerRootDir": ""}, EngineInfo()),
        ({"CPUSet": False, "SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"]},
         EngineInfo(can_pin=False, is_rootless=True)),
        ({"SecurityOptions": ["name=userns"]}, EngineInfo(maps_users=True)),
        ({"KernelVersion": "6.6.12-linuxkit", "OperatingSystem": "Docker Desktop", "DockerRootDir": "/data/docker"},
         EngineInfo(kernel="6.6.12-linuxkit", operating_system="Docker Desktop", root_folder=Path("/data/docker"))),
    ],
)  # fmt: skip
def test_an_engine_is_read_with_what_it_does_not_say_as_usual(told: dict[str, Any], expected: EngineInfo) -> None:
    """An old engine that says nothing of a key is not refused for it."""
    assert engine_info_of(told) == expected
