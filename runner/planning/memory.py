"""Predicts the memory of launches that live together, so that a plan never drives its host into swap.

Where the launches of a block do not fit together, the baseline and one candidate live together at a time; where not
even two fit, the launches follow one another. Pure functions.
"""

from __future__ import annotations

from math import ceil

from runner.topologies import BUILT_IN

# The share of the memory that launches may be planned to fill. The rest is for the system, for what else runs, and for
# the error of the prediction.
USABLE_SHARE = 0.85
GB = 10**9
# The fewest launches that can take turns.
PAIR = 2


def predicted_bytes(topology: str, batch_size: int) -> int | None:
    """The peak memory of one launch that trains a topology; None for a user's own topology, of which nothing is known.

    It is linear in the batch size. Each topology's module declares the two coefficients, from the largest peak that was
    measured over stacks and variants.
    """
    known = BUILT_IN.get(topology)
    return None if known is None else round(GB * (known.fixed_memory_gb + known.memory_gb_per_image * batch_size))


def free_bytes_needed(topology: str, batch_size: int, launches: int) -> int:
    """The free memory that so many launches need to live together; 0 if nothing is known of the topology."""
    return ceil(launches * (predicted_bytes(topology, batch_size) or 0) / USABLE_SHARE)


def most_together(topology: str, batch_size: int, launches: int, memory_bytes: int | None) -> int:
    """How many of a block's launches may live together in a memory of this size, 1 at least.

    All of them if the memory's size or the topology's need is not known.
    """
    each = predicted_bytes(topology, batch_size)
    if each is None or memory_bytes is None:
        return launches
    return max(1, min(launches, int(USABLE_SHARE * memory_bytes / each)))


def why_not_together(topology: str, batch_size: int, launches: int, memory_bytes: int | None) -> str | None:
    """Why not all launches of a block live together in a memory of this size, and what they do instead, as a sentence.

    None if they fit.
    """
    each = predicted_bytes(topology, batch_size)
    fitting = most_together(topology, batch_size, launches, memory_bytes)
    if each is None or memory_bytes is None or fitting == launches:
        return None
    instead = (
        f"the {launches} launches of a block follow one another and do not take turns"
        if fitting < PAIR
        else f"in a block the baseline takes turns with one candidate at a time, anew for each of the {launches - 1}"
    )
    return (
        f"{BUILT_IN[topology].title} at batch size {batch_size}: {instead}, because {launches} launches together would "
        f"need about {launches * each / GB:.0f} GB, and at most {USABLE_SHARE:.0%} of the {memory_bytes / GB:.0f} GB "
        "that are free are used"
    )
