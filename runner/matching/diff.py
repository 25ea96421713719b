"""Compares two snapshots: only the TensorFlow wheel or declared additions may differ. Pure functions."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name

from runner.catalogue.debian_libraries import find_library
from runner.catalogue.stacks import Installation, Stack, canonical_requirement
from runner.matching.contents import Contents, Fault
from runner.matching.snapshot import Snapshot

# Settings that describe an image and therefore must differ between the two sides.
SETTINGS_OF_THE_WHEEL = frozenset(
    f"label {name}"
    for name in (
        "org.opencontainers.image.title",
        "tensorflow-speedup-kit.installation",
        "tensorflow-speedup-kit.variants",
        "tensorflow-speedup-kit.lock-sha256",
    )
)
OUTSIDE = "no package"


@dataclass(frozen=True)
class Difference:
    """One path or setting that differs between the two sides, in words, with the package that owns it."""

    path: str
    package: str
    what: str
    allowed: bool


@dataclass(frozen=True)
class Match:
    """The comparison of one pair of installations, or the check of a single one.

    `compared` is the number of compared paths and settings. `wrong_wheels` has a sentence for each side whose installed
    wheel is not the one in stacks.toml. `contents` has the comparison of each side with its package lock.
    """

    stack: str
    installations: tuple[str, ...]
    compared: int
    differences: tuple[Difference, ...]
    wrong_wheels: tuple[str, ...] = ()
    contents: tuple[Contents, ...] = ()

    @property
    def is_matched(self) -> bool:
        """Whether each side has its own wheel, unchanged, and everything else is the same on both sides."""
        return not (self.strays or self.wrong_wheels or self.tampered)

    @property
    def tampered(self) -> tuple[tuple[str, Fault], ...]:
        """The paths that differ from the locked wheels, each with the name of its installation."""
        return tuple((each.installation, fault) for each in self.contents for fault in each.faults)

    @property
    def strays(self) -> tuple[Difference, ...]:
        """The differences that a matched pair must not have."""
        return tuple(each for each in self.differences if not each.allowed)

    @property
    def by_package(self) -> Mapping[tuple[str, bool], int]:
        """The number of differences of each package, those that are not allowed first."""
        counts = Counter((each.package, each.allowed) for each in self.differences)
        return dict(sorted(counts.items(), key=lambda entry: (entry[0][1], entry[0][0])))

    def to_json(self, most: int = 20) -> dict[str, Any]:
        """The comparison as run.json keeps it: counts, and the first differences that are not allowed."""
        return {
            "installations": list(self.installations),
            "compared": self.compared,
            "packages": [
                {"package": package, "differences": count, "allowed": allowed}
                for (package, allowed), count in self.by_package.items()
            ],
            "strays": [{"path": each.path, "what": each.what} for each in self.strays[:most]],
            "wrong_wheels": list(self.wrong_wheels),
            "contents": [each.to_json(most) for each in self.contents],
            "matched": self.is_matched,
        }


def alone(stack: Stack, name: str, side: Snapshot, contents: Contents) -> Match:
    """Check a single installation, which is compared with no other: it must have its own wheel, unchanged."""
    wrong = tuple(filter(None, (_wrong_wheel(stack, name, side),)))
    return Match(stack.name, (name,), len(side.files) + len(side.settings), (), wrong, (contents,))


def compare(
    stack: Stack, names: tuple[str, str], sides: tuple[Snapshot, Snapshot], contents: tuple[Contents, ...] = ()
) -> Match:
    """Compare two installations of a stack, path by path and setting by setting."""
    installations = [stack.installations[name] for name in names]
    may_differ = _may_differ(installations[0], installations[1])
    debian = {f"/site-packages/{place}": find_library(name).package
              for each in installations for name, place in each.libraries.items()}  # fmt: skip
    paths = sorted(set(sides[0].files) | set(sides[1].files))
    settings = sorted(set(sides[0].settings) | set(sides[1].settings))
    found = []
    for path in paths:
        texts = tuple(side.files.get(path) for side in sides)
        if texts[0] != texts[1]:
            owners = _owners(path, sides) or tuple(package for place, package in debian.items() if path.endswith(place))
            is_allowed = bool(owners) and all(canonicalize_name(owner) in may_differ for owner in owners)
            found.append(Difference(path, ", ".join(owners) or OUTSIDE, _in_words(names, texts), is_allowed))
    for name in settings:
        texts = tuple(side.settings.get(name) for side in sides)
        if texts[0] != texts[1]:
            found.append(Difference(name, OUTSIDE, _in_words(names, texts), name in SETTINGS_OF_THE_WHEEL))
    wrong = [text for name, side in zip(names, sides, strict=True) if (text := _wrong_wheel(stack, name, side))]
    return Match(stack.name, names, len(paths) + len(settings), tuple(found), tuple(wrong), contents)


def _may_differ(one: Installation, other: Installation) -> frozenset[str]:
    """The normalised names of the packages by which two installations differ: their wheels, or what one adds."""
    differing = {one.wheel, *one.additions, *_debian(one)} ^ {other.wheel, *other.additions, *_debian(other)}
    return frozenset(canonicalize_name(requirement.partition("==")[0]) for requirement in differing)


def _debian(installation: Installation) -> list[str]:
    found = [find_library(name) for name in installation.libraries]
    return [f"{each.package}=={each.version}" for each in found]


def _wrong_wheel(stack: Stack, name: str, side: Snapshot) -> str:
    """A sentence if an installation has another wheel than its own, or other additions; empty if it has its own.

    Intel's wheel of 1.12 also contains the metadata of stock TensorFlow. If both are installed, the vendor's counts.
    """
    metadata = (re.search(r"/([^/]+)-([^/-]+)\.dist-info/", path) for path in side.files)
    present = {canonical_requirement(f"{found[1]}=={found[2]}") for found in metadata if found}
    vendors = stack.installation_of(stack.vendors_build).wheel if stack.vendors_build else ""
    wheels = sorted((each.wheel for each in stack.installations.values()), key=lambda wheel: wheel != vendors)
    installed = [wheel for wheel in wheels if canonical_requirement(wheel) in present]
    expected = stack.installations[name].wheel
    added = {each for other in stack.installations.values() for each in other.additions
             if canonical_requirement(each) in present}  # fmt: skip
    if installed[:1] == [expected] and added == set(stack.installations[name].additions):
        return ""
    if installed[:1] == [expected]:
        declared = ", ".join(stack.installations[name].additions) or "nothing"
        return f"{name} has {', '.join(sorted(added)) or 'nothing'} added to its wheel where it should be {declared}"
    return f"{name} has {installed[0] if installed else 'no wheel of this stack'} where {expected} should be"


def _owners(path: str, sides: tuple[Snapshot, Snapshot]) -> tuple[str, ...]:
    """The distribution that owns a path: the one whose RECORD lists it or its source, or whose metadata folder has it.

    A folder belongs to all distributions that own something in it. Nobody owns a path that is in no distribution.
    """
    metadata = re.search(r"/([^/]+)-[^/-]+\.dist-info(/|$)", path)
    if metadata:
        return (metadata[1],)
    source = re.sub(r"/__pycache__/([^/]+?)\.[^./]+\.pyc$", r"/\1.py", path)
    for side in sides:
        for candidate in (path, source):
            if candidate in side.owners:
                return (side.owners[candidate],)
    if any(side.files.get(path, "").startswith("folder") for side in sides):
        inside = {owner for side in sides for listed, owner in side.owners.items() if listed.startswith(path + "/")}
        if path.endswith("/__pycache__"):
            parent = os.path.dirname(path)
            inside |= {owner for side in sides for listed, owner in side.owners.items()
                       if os.path.dirname(listed) == parent}  # fmt: skip
        return tuple(sorted({canonicalize_name(owner): owner for owner in sorted(inside)}.values()))
    return ()


def _in_words(names: tuple[str, str], texts: tuple[str | None, ...]) -> str:
    if texts[0] is None:
        return f"only in {names[1]}"
    if texts[1] is None:
        return f"only in {names[0]}"
    return f"{names[0]}: {texts[0]}; {names[1]}: {texts[1]}"
