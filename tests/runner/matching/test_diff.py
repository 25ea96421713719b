"""What may differ between the two installations of a stack, and what may not."""

from __future__ import annotations

import pytest

from runner.catalogue.stacks import find_stack
from runner.matching.diff import Match, compare
from runner.matching.snapshot import Snapshot

STACK = find_stack("tf-2.14")
SITE = "/opt/environment/lib/python3.11/site-packages"
COMMON = {
    "/opt/workload/cli.py": "file 644 aa",
    f"{SITE}/numpy/core.so": "file 755 bb",
    f"{SITE}/numpy-1.26.4.dist-info/RECORD": "file 644 cc",
    "/usr/bin/python3": "file 755 dd",
}
SETTINGS = {"environment PATH": "/bin", "user": "65532", "label tensorflow-speedup-kit.stack": "tf-2.14"}


def side(wheel: str, content: str, **changed: str) -> Snapshot:
    """One installation: the common files and those of its wheel."""
    folder = wheel.replace("-", "_")
    own = {
        f"{SITE}/tensorflow": "folder 755",
        f"{SITE}/tensorflow/core.so": f"file 755 {content}",
        f"{SITE}/tensorflow/__pycache__/x.cpython-311.pyc": f"file 644 {content}",
        f"{SITE}/{folder}-2.14.0.dist-info/RECORD": f"file 644 {content}",
        f"{SITE}/tensorflow/only_{content}": "folder 755",
        f"{SITE}/tensorflow/only_{content}/x.h": "file 644 ee",
    }
    listed = [f"{SITE}/tensorflow/core.so", f"{SITE}/tensorflow/x.py", f"{SITE}/tensorflow/only_{content}/x.h"]
    owners = dict.fromkeys(listed, folder) | {f"{SITE}/numpy/core.so": "numpy"}
    labels = {"label tensorflow-speedup-kit.lock-sha256": content}
    return Snapshot({**COMMON, **own, **changed}, {**SETTINGS, **labels}, owners)


def match(stock: Snapshot, intel: Snapshot) -> Match:
    """The comparison of the two."""
    return compare(STACK, ("stock", "intel"), (stock, intel))


def test_the_wheel_its_metadata_byte_code_and_folders_may_differ() -> None:
    """What an image says of its own wheel may differ as well."""
    found = match(side("tensorflow-cpu", "1"), side("intel-tensorflow", "2"))
    assert found.strays == ()
    assert len(found.differences) > 5


@pytest.mark.parametrize(
    ("path", "package"),
    [
        ("/opt/workload/cli.py", "no package"),
        (f"{SITE}/numpy/core.so", "numpy"),
        (f"{SITE}/numpy-1.26.4.dist-info/RECORD", "numpy"),
        ("/usr/bin/python3", "no package"),
        ("/etc/extra", "no package"),
    ],
)
def test_anything_else_is_named_with_its_package(path: str, package: str) -> None:
    """The file is one of the workload, of a dependency or of the base, or one that only one side has."""
    found = match(side("tensorflow-cpu", "1"), side("intel-tensorflow", "2", **{path: "file 644 other"}))
    assert [(each.path, each.package) for each in found.strays] == [(path, package)]
    assert found.to_json()["matched"] is False


@pytest.mark.parametrize(
    ("stock", "intel", "words"),
    [
        ("intel-tensorflow", "intel-tensorflow", ("stock has intel-tensorflow==2.14.0 where tensorflow-cpu==2.14.0",)),
        ("intel-tensorflow", "tensorflow-cpu", ("stock has intel-tensorflow", "intel has tensorflow-cpu")),
        ("tensorflow-cpu", "numpy", ("intel has no wheel of this stack where intel-tensorflow==2.14.0",)),
    ],
)
def test_a_side_with_another_wheel_than_its_own_is_named(stock: str, intel: str, words: tuple[str, ...]) -> None:
    """Two sides with one wheel differ in nothing that must not, and are no pair."""
    found = match(side(stock, "1"), side(intel, "1" if stock == intel else "2"))
    assert len(found.wrong_wheels) == len(words)
    assert all(word in text for word, text in zip(words, found.wrong_wheels, strict=True))
    assert found.to_json()["matched"] is False


def test_intels_wheel_counts_where_it_brings_the_metadata_of_stock_too() -> None:
    """Intel's wheel of 1.12 does so. It is right on its own side, and the wrong wheel on the other."""
    stock, intel = side("tensorflow-cpu", "1"), side("intel-tensorflow", "2")
    both = Snapshot({**stock.files, **intel.files}, intel.settings, intel.owners)
    assert match(stock, both).wrong_wheels == ()
    assert len(match(both, intel).wrong_wheels) == 1


@pytest.mark.parametrize("name", ["environment PATH", "environment TF_ENABLE_ONEDNN_OPTS", "user"])
def test_a_setting_of_the_image_that_differs_is_named(name: str) -> None:
    stock, intel = side("tensorflow-cpu", "1"), side("intel-tensorflow", "2")
    found = match(stock, Snapshot(intel.files, {**intel.settings, name: "other"}, intel.owners))
    assert [each.path for each in found.strays] == [name]


PLUG_IN = find_stack("tf-2.14-itex")
ADDED = ("intel_extension_for_tensorflow-2.14.0.2", "intel_extension_for_tensorflow_lib-2.14.0.2.0")


def with_plug_in(*added: str, content: str = "1") -> Snapshot:
    """Stock TensorFlow with these distributions added, which share one folder."""
    plain = side("tensorflow", content)
    metadata = {f"{SITE}/{name}.dist-info/RECORD": "file 644 ff" for name in added}
    names = [name.rpartition("-")[0] for name in added]
    owners = {f"{SITE}/intel_extension_for_tensorflow/{name}.so": name for name in names}
    library = dict.fromkeys(owners, "file 755 ff")
    if added:
        library[f"{SITE}/intel_extension_for_tensorflow"] = "folder 755"
    return Snapshot({**plain.files, **metadata, **library}, plain.settings, {**plain.owners, **owners})


def test_an_installation_may_have_its_declared_additions_and_nothing_else() -> None:
    """The wheel is the same on both sides, so that none of its files may differ."""
    assert compare(PLUG_IN, ("stock", "itex"), (with_plug_in(), with_plug_in(*ADDED))).is_matched
    found = compare(PLUG_IN, ("stock", "itex"), (with_plug_in(), with_plug_in(*ADDED, content="2")))
    assert f"{SITE}/tensorflow/core.so" in [each.path for each in found.strays]


def test_a_library_of_the_additions_may_be_on_their_side_alone() -> None:
    """It is in no wheel, so that no RECORD lists it; what stacks.toml declares is owned by its Debian package."""
    stack = find_stack("tf-2.21-zentf")
    (place,) = stack.installations["zentf"].libraries.values()
    plain = side("tensorflow-cpu", "1")
    files = {path.replace("-2.14.0.", "-2.21.0."): text for path, text in plain.files.items()}
    stock = Snapshot(files, plain.settings, plain.owners)

    def compared(path: str) -> Match:
        added = {f"{SITE}/zentf-2.21.0.0.dist-info/RECORD": "file 644 ff", path: "file 644 ff"}
        zentf = Snapshot({**files, **added}, plain.settings, plain.owners)
        return compare(stack, ("stock", "zentf"), (stock, zentf))

    found = compared(f"{SITE}/{place}")
    assert found.is_matched
    assert ("libgomp1", True) in found.by_package
    assert [each.path for each in compared(f"{SITE}/another.so").strays] == [f"{SITE}/another.so"]


def test_a_folder_that_the_additions_share_with_another_package_is_a_stray() -> None:
    added = with_plug_in(*ADDED)
    folder = f"{SITE}/intel_extension_for_tensorflow"
    other = {f"{folder}/numpy.py": "file 644 aa"}
    itex = Snapshot({**added.files, **other}, added.settings, {**added.owners, **dict.fromkeys(other, "numpy")})
    found = compare(PLUG_IN, ("stock", "itex"), (with_plug_in(), itex))
    assert [each.path for each in found.strays] == [folder, *other]


@pytest.mark.parametrize(
    ("stock", "itex", "words"),
    [
        ((), (), "itex has nothing added to its wheel where it should be intel-extension-for-tensorflow==2.14.0.2"),
        ((), ADDED[:1], "itex has intel-extension-for-tensorflow==2.14.0.2 added"),
        (ADDED, ADDED, "added to its wheel where it should be nothing"),
    ],
    ids=["missing", "half of it", "on both sides"],
)
def test_a_side_without_its_additions_or_with_those_of_another_is_named(
    stock: tuple[str, ...], itex: tuple[str, ...], words: str
) -> None:
    found = compare(PLUG_IN, ("stock", "itex"), (with_plug_in(*stock), with_plug_in(*itex)))
    assert not found.is_matched
    assert any(words in text for text in found.wrong_wheels)
