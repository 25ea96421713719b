"""Says in one sentence how much CPU time the kit itself took while it measured. Pure functions of records."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from runner.storage.records import Record

# A share of one core. The launch's threads fill all cores of the pin, so that the runner takes its time from them.
MOST_SHARE = 0.01


def own_share(record: Record) -> float | None:
    """Return the runner's CPU seconds during a launch over the launch's seconds; None if they were not recorded."""
    own, seconds = record.facts.get("runner_cpu_seconds"), record.facts["seconds"]
    return float(own / seconds) if own is not None and seconds > 0 else None


def observer_sentences(records: Sequence[Record]) -> tuple[str, ...]:
    """Return a sentence on the share of one core that the kit's process took; nothing if no record has it."""
    shares = {record.launch_id: share for record in records if (share := own_share(record)) is not None}
    if not shares:
        return ()
    most = max(shares, key=lambda launch_id: shares[launch_id])
    told = (
        "While a launch runs, the kit's own process waits for the launch to end and draws a clock. It took "
        f"{statistics.median(shares.values()):.2%} of one core in the median launch and {shares[most]:.2%} at most "
        f"({most}), over {len(shares)} launches."
    )
    above = sum(share > MOST_SHARE for share in shares.values())
    if not above:
        return (told,)
    return (f"{told} In {above} of them this is MORE THAN {MOST_SHARE:.0%}, which is the most that it should take.",)
