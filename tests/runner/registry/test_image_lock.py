"""images.lock.json: written whole, read back equal, and refused with the field that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.errors import DiskError, UsageError
from runner.registry import image_lock
from runner.registry.labels import require_of_this_clone
from tests.runner.registry.locks import TF, labels, lock

Change = Callable[[dict[str, Any]], object]


def test_a_lock_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """Every variant has its entry; those that share an installation share an image."""
    image_lock.write(tmp_path / "lock.json", lock())
    read = image_lock.read(tmp_path / "lock.json")
    assert read == lock()
    assert list(read.images) == ["tf-2.14/stock", "tf-2.14/stock-onednn", "tf-2.14/intel"]
    assert [image.installation for image in read.distinct] == ["stock", "intel"]
    assert read.find("tf-2.14", "intel").reference == "127.0.0.1:9/tf-kit@sha256:" + "1" * 64


def test_an_installation_that_is_not_in_the_lock_is_told_with_how_to_push_it() -> None:
    """What the lock has is listed."""
    with pytest.raises(UsageError, match=r"no image of tf-1.12/intel; it has tf-2.14/stock.*push --stack tf-1.12"):
        lock().find("tf-1.12", "intel")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data.pop("schema_version"), "it has no schema_version"),
        (lambda data: data.update(schema_version=2), "schema_version 2; this version of the kit reads 1"),
        (lambda data: data.update(extra=1), "unknown key extra"),
        (lambda data: data.update(images=[]), "images is ..; a table was expected"),
        (lambda data: data["images"].update(stock=data["images"]["tf-2.14/stock"]), "is not named STACK/VARIANT"),
        (lambda data: data["images"]["tf-2.14/intel"].pop("reference"), "lacks reference"),
        (lambda data: data["images"]["tf-2.14/intel"].update(reference="a:b"), "not a reference by digest"),
        (lambda data: data["images"]["tf-2.14/intel"].update(image_id=None), "intel.image_id is None; a text"),
        (lambda data: data["images"]["tf-2.14/intel"]["labels"].update(a=1), "labels.a is 1; a text"),
        (
            lambda data: data["images"]["tf-2.14/stock-onednn"].update(reference="a.b/c@sha256:" + "7" * 64),
            "two images for the installation tf-2.14/stock",
        ),
    ],
)
def test_a_lock_that_is_wrong_names_the_field(tmp_path: Path, change: Change, words: str) -> None:
    data = json.loads(json.dumps(lock().to_json()))
    change(data)
    (tmp_path / "lock.json").write_text(json.dumps(data))
    with pytest.raises(UsageError, match=words):
        image_lock.read(tmp_path / "lock.json")


@pytest.mark.parametrize("content", [None, b"{", b"\xff", b"[]"])
def test_a_file_that_is_no_lock_is_told(tmp_path: Path, content: bytes | None) -> None:
    """The file is absent, torn, not text, or holds something else."""
    if content is not None:
        (tmp_path / "lock.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"lock\.json"):
        image_lock.read(tmp_path / "lock.json")


def test_a_lock_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="--images"):
        image_lock.write(tmp_path / "absent" / "lock.json", lock())


@pytest.mark.parametrize("name", ["workload-sha256", "lock-sha256", "stack", "installation"])
def test_an_image_of_other_files_is_refused_by_field(name: str) -> None:
    """Records compare workload hashes, so an image of another workload cannot even be begun with."""
    stock = TF.installations["stock"]
    require_of_this_clone("an image", labels(stock), stock)
    other = labels(stock, **{f"tensorflow-speedup-kit.{name}": "another"})
    with pytest.raises(UsageError, match=f"{name} is another in the image and .* here.*Check out the revision"):
        require_of_this_clone("an image", other, stock)


def test_the_revision_to_check_out_is_the_one_that_the_image_names() -> None:
    """An OCI label, if the image has it, is in the advice."""
    stock = TF.installations["stock"]
    other = labels(stock, **{"org.opencontainers.image.revision": "c0ffee", "tensorflow-speedup-kit.stack": "tf-1.12"})
    with pytest.raises(UsageError, match="Check out git revision c0ffee"):
        require_of_this_clone("an image", other, stock)


def test_a_push_keeps_what_the_same_kit_pushed_of_other_stacks_and_nothing_else(tmp_path: Path) -> None:
    """Stacks can be pushed one by one; an entry of another revision, or of the stack itself, makes way."""
    path = tmp_path / "lock.json"
    assert image_lock.kept(path, lock().kit, ["tf-1.12"]) == {}
    image_lock.write(path, lock())
    assert image_lock.kept(path, lock().kit, ["tf-1.12"]) == lock().images
    assert image_lock.kept(path, lock().kit, ["tf-2.14"]) == {}
    assert image_lock.kept(path, {**lock().kit, "revision": "another"}, ["tf-1.12"]) == {}
    path.write_text("{")
    with pytest.raises(UsageError, match="is not JSON"):
        image_lock.kept(path, lock().kit, ["tf-1.12"])
