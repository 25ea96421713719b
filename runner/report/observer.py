"""What the kit itself took of the CPUs while it measured, as one sentence. A pure function of records."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from runner.storage.records import Record

# Of one core. What the runner takes is taken from one side of a pair, for a launch's threads fill all cores of the pin.
MOST_SHARE = 0.01


def own_share(record: Record) -> float | None:
    """The runner's CPU seconds during a launch over the launch's seconds; None for records that do not tell."""
    own, seconds = record.facts.get("runner_cpu_seconds"), record.facts["seconds"]
    return float(own / seconds) if own is not None and seconds > 0 else None


def observer_sentences(records: Sequence[Record]) -> tuple[str, ...]:
    """What the kit's own process took of one core during the launches; nothing where no record tells."""
    shares = {record.launch_id: share for record in records if (share := own_share(record)) is not None}
    if not shares:
        return ()
    most = max(shares, key=lambda launch_id: shares[launch_id])
    told = (
        "While a launch runs, the kit's own process waits for its end and draws a clock. It took "
        f"{statistics.median(shares.values()):.2%} of one core in the median launch and {shares[most]:.2%} at most "
        f"({most}), over {len(shares)} launches."
    )
    above = sum(share > MOST_SHARE for share in shares.values())
    if not above:
        return (told,)
    return (f"{told} In {above} of them that is MORE THAN the {MOST_SHARE:.0%} that it is meant to stay under.",)
