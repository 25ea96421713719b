"""A condition of a claim as data: what was published, what this run has, and whether the two match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Conditions that no run of this kit can meet, on any host: name -> what is missing, and a clause that explains it.
OUT_OF_REACH: Mapping[str, tuple[str, str]] = {
    "allocator": ("an observation of the allocator", "the allocator itself was not observed"),
    "claimed_gain": (
        "a gain that the source claims",
        "the source does not say that it makes anything faster, so that there is no gain to compare a figure with",
    ),
    "conversions_before": (
        "the number of conversions before any was removed",
        "how many conversions there would be if none were removed is not known",
    ),
    "network": (
        "one name for the network (the source gives two)",
        "the source gives two names for the network",
    ),
    "refused_program": (
        "a program that Intel's build does not run as it is",
        "this kit did not look for a program that Intel's build does not run as it is",
    ),
    "two_processors": (
        "a second processor to divide by",
        "the figure divides the speed on one processor by that on another, and a run is of one host",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """One condition: what was published, what is here, and whether they match.

    `matches` is None if the publication does not say. `obstacle` is a clause that says what does not match, and
    `lacking` is a noun phrase for what is missing. `never` means that it matches in no run of this kit, for instance
    because no stack has the software.
    """

    name: str
    title: str
    published: str
    here: str
    matches: bool | None
    obstacle: str
    lacking: str
    never: bool = False

    @property
    def is_out_of_reach(self) -> bool:
        """Whether the condition cannot match in any run, on any host."""
        return self.never or self.matches is None or self.name in OUT_OF_REACH or self.name == "value"

    @property
    def is_of_the_software(self) -> bool:
        """Whether the condition is about what was installed and set, and not about the host or the amount of data."""
        return self.name in ("stack", "tensorflow", "build", "bkms")

    @property
    def is_a_difference(self) -> bool:
        """Whether it is listed as a difference between two platforms. The stack is listed by its TensorFlow version."""
        return self.name not in (*OUT_OF_REACH, "value", "stack", "topologies", "cache_counters")

    @property
    def is_worth_a_line_untold(self) -> bool:
        """Whether it is listed as a difference if the publication does not say what it had."""
        return self.name not in ("work", "data", "build", "batch_size", "bkms", "instance_type", "steps")
