"""Images of an earlier run: by id, by digest, else built; over an engine that only knows names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from runner.catalogue.stacks import find_stack
from runner.engines.docker_recorded import RecordedImages, references
from runner.engines.docker_sdk import Docker, Image
from runner.errors import HostError
from runner.support.network import PackageIndex

STACK = find_stack("tf-2.14")
INTEL = STACK.installations["intel"]
DIGEST = f"registry.example:5000/kit@sha256:{'ab' * 32}"
PROVENANCE = {"wheel": INTEL.wheel, "lock_sha256": "11", "image_id": "sha256:old", "image_digests": [DIGEST]}


@dataclass
class Names:
    """What an engine has, and what its registries have."""

    here: dict[str, Image] = field(default_factory=dict)
    registry: dict[str, Image] = field(default_factory=dict)
    pulled: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def find_image(self, reference: str) -> Image | None:
        """An image that is here."""
        return self.here.get(reference)

    def pull(self, reference: str) -> Image:
        """An image that a registry has."""
        self.pulled.append(reference)
        if reference not in self.registry:
            raise HostError(f"{reference} cannot be pulled")
        return self.registry[reference]

    def require_in_registry(self, reference: str) -> None:
        """Remember which base was asked for; no registry has any."""
        self.asked.append(reference)
        raise HostError(f"{reference} is not to be had")


def images(names: Names, provenance: dict[str, Any] | None = None) -> RecordedImages:
    """The images of a run whose provenance this is."""
    recorded = {("tf-2.14", "intel"): PROVENANCE if provenance is None else provenance}
    return RecordedImages(cast(Docker, names), PackageIndex(), {}, recorded)


def test_the_very_image_is_taken_where_the_engine_still_has_it() -> None:
    """Nothing is pulled or built, and the provenance says that it was taken."""
    names = Names(here={"sha256:old": Image("sha256:old", (DIGEST,), 5)})
    artifact = images(names).prepare(STACK, INTEL, lambda line: None)
    assert (artifact.location, names.pulled) == ("sha256:old", [])
    assert artifact.provenance["from_record"] is True
    assert artifact.provenance["lock_sha256"] == "11"


def test_another_host_pulls_by_digest() -> None:
    """The image runs under the id that this engine gives it."""
    names = Names(registry={DIGEST: Image("sha256:here", (DIGEST,), 5)})
    artifact = images(names).prepare(STACK, INTEL, lambda line: None)
    assert (artifact.location, names.pulled) == ("sha256:here", [DIGEST])


def test_what_cannot_be_had_by_digest_is_built_and_that_is_said() -> None:
    """The refusal and the build are both told; the build then needs its base, which this engine has not."""
    told: list[str] = []
    with pytest.raises(HostError, match="--base-image"):
        images(Names()).prepare(STACK, INTEL, told.append)
    assert any("cannot be pulled" in line for line in told)
    assert any("building it from its lock" in line for line in told)


def test_a_name_without_a_registry_is_never_pulled() -> None:
    """Docker would look for it among strangers' images."""
    local = {"image_digests": [f"tensorflow-speedup-kit@sha256:{'ab' * 32}", f"someone/kit@sha256:{'ab' * 32}"]}
    assert references(local) == []
    assert references(PROVENANCE) == [DIGEST]
    assert references({"image_digests": ["registry.example/kit:latest"]}) == []


def test_no_base_is_asked_for_where_no_image_has_to_be_built() -> None:
    """An image by digest brings its base with it; one that has to be built needs it."""
    names = Names()
    images(names).require(STACK)
    assert names.asked == []
    with pytest.raises(HostError, match="--base-image"):
        images(names, {"image_id": "sha256:gone", "image_digests": []}).require(STACK)
    assert names.asked == [STACK.base_image]
