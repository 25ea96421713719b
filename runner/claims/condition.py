"""A condition of a claim as data: what was published, what is here, whether they match, and what no run can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# What no run of this kit has, whatever its host: name -> what is missing, and what that means for a verdict.
OUT_OF_REACH: Mapping[str, tuple[str, str]] = {
    "allocator": ("sight of the allocator", "the allocator itself was not seen"),
    "cache_counters": (
        "the processor's own counters",
        "it happens inside the kernels and the caches: only the processor's own counters could show it, and this kit "
        "reads none",
    ),
    "claimed_gain": (
        "a gain that the source claims",
        "the source does not say that it makes anything faster, so that there is no gain to hold a figure against",
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
        "no program was looked for that Intel's build does not run as it is",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """One condition: what was published, what is here, whether they match (None: the publication does not tell).

    `obstacle` is a clause that says what does not match, `lacking` a noun phrase for what is missing. `never`: can it
    match in no run of this kit, such as software that none of its stacks has?
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
        """Does it match in no run, whatever the host?"""
        return self.never or self.matches is None or self.name in OUT_OF_REACH or self.name == "value"

    @property
    def is_of_the_software(self) -> bool:
        """Is it about what was installed and set, and not about the host or how much was measured?"""
        return self.name in ("stack", "tensorflow", "build", "bkms")

    @property
    def is_a_difference(self) -> bool:
        """Does it belong among the differences of two platforms? The TensorFlow version tells the stack."""
        return self.name not in (*OUT_OF_REACH, "value", "stack", "topologies")

    @property
    def is_worth_a_line_untold(self) -> bool:
        """Is it worth a line that the publication does not tell it?"""
        return self.name not in ("work", "data", "build", "batch_size", "bkms", "instance_type", "steps")
