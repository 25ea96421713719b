"""Predicts the memory of launches that live together, so that a plan never drives its host into swap.

Where the launches of a block do not fit together, they follow one another. Pure functions.
"""

from __future__ import annotations

from math import ceil

from runner.topologies import BUILT_IN

# The share of the memory that launches may be planned to fill. The rest is for the system, for what else runs, and for
# the error of the prediction.
USABLE_SHARE = 0.85
GB = 10**9


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


def why_not_together(topology: str, batch_size: int, launches: int, memory_bytes: int | None) -> str | None:
    """Why so many launches of a block cannot live together in a memory of this size, as a sentence; None if they can.

    `memory_bytes` None: the size is not known, and nothing is refused.
    """
    each = predicted_bytes(topology, batch_size)
    if each is None or memory_bytes is None or launches * each <= USABLE_SHARE * memory_bytes:
        return None
    return (
        f"{BUILT_IN[topology].title} at batch size {batch_size}: the {launches} launches of a block follow one another "
        f"and do not take turns, because together they would need about {launches * each / GB:.0f} GB, and at "
        f"most {USABLE_SHARE:.0%} of the {memory_bytes / GB:.0f} GB that are free are used"
    )
