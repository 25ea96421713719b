"""Traces one training step with TensorFlow's own tracing and sums its time by kind of operation.

A traced step is never a timed step, because tracing costs time. The module must not know jobs or results.
"""

import re
import time
from typing import Any, Dict, List, NamedTuple

# The executor of every version labels a node "name = Type(inputs)". Figures of an allocator may precede it:
# "[mklcpu 3.4MB 3.4MB] name = Type(inputs)".
_LABEL = re.compile(r"(?:^|\] )\S+ = (\w+)\(")
_NO_OPERATION = "other"

TracedStep = NamedTuple(
    "TracedStep",
    [
        ("seconds", float),  # of the whole step, with the time that tracing adds
        ("operations", List[Dict[str, Any]]),
    ],
)


def trace_step(tf: Any, session: Any, fetches: List[Any]) -> TracedStep:
    """Run the fetches once under full tracing; return the step's seconds and its time by kind of operation."""
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    metadata = tf.RunMetadata()
    started = time.perf_counter()
    session.run(fetches, options=options, run_metadata=metadata)
    ended = time.perf_counter()
    return TracedStep(ended - started, sum_operations(metadata.step_stats))


def sum_operations(step_stats: Any) -> List[Dict[str, Any]]:
    """Return "operation" (its type), "count" and "milliseconds" of each kind, the most expensive first.

    A node's time is that of its kernel, from the start to the end of its Compute call, without the executor's own
    scheduling and bookkeeping. Each node counts once, on the device that ran it. With several inter-op threads, nodes
    that run at the same time all count in full, so that the sum may exceed the time of the step.
    """
    sums: Dict[str, List[float]] = {}
    for device in step_stats.dev_stats:
        for node in device.node_stats:
            entry = sums.setdefault(operation_of(node.timeline_label), [0, 0.0])
            entry[0] += 1
            entry[1] += (node.op_end_rel_micros - node.op_start_rel_micros) / 1000.0
    found = [{"operation": name, "count": int(count), "milliseconds": sum_} for name, (count, sum_) in sums.items()]
    return sorted(found, key=lambda entry: (-float(entry["milliseconds"]), str(entry["operation"])))


def operation_of(label: str) -> str:
    """Return the operation's type from a node's label; "other" if the label has none."""
    match = _LABEL.search(label)
    return match.group(1) if match else _NO_OPERATION
