"""Sums of a traced step, from labels as the executors of 1.12, 1.15 and 2.14 write them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from workload.tracing import operation_of, sum_operations


@pytest.mark.parametrize(
    ("label", "operation"),
    [
        ("conv1/conv = Conv2D(images/read, conv1/weights/read)", "Conv2D"),
        ("conv1/conv = _MklConv2DWithBias(images/read, conv1/weights/read)", "_MklConv2DWithBias"),
        ("[mklcpu 1.5MB 1.5MB] conv1/relu = _MklNativeFusedConv2D(images/read)", "_MklNativeFusedConv2D"),
        ("[cpu 1.5MB 1.5MB] pool1 = MaxPool(conv1/relu)", "MaxPool"),
        ("_SOURCE = NoOp()", "NoOp"),
        ("edge_12_a = b (c)", "other"),
        ("", "other"),
    ],
)
def test_an_operation_is_known_by_its_label(label: str, operation: str) -> None:
    """The type stands between the equals sign and the inputs, whatever the allocator adds in front."""
    assert operation_of(label) == operation


def test_each_node_counts_once_with_its_kernels_own_time() -> None:
    """Kernel times in microseconds, of two devices, are summed by type and put in order; scheduling is left out."""

    def node(label: str, start: int, end: int) -> SimpleNamespace:
        return SimpleNamespace(
            timeline_label=label, op_start_rel_micros=start, op_end_rel_micros=end, all_end_rel_micros=end + 1000
        )

    stats = SimpleNamespace(
        dev_stats=[
            SimpleNamespace(node_stats=[node("a = Relu(x)", 5, 1005), node("b = Conv2D(a, w)", 0, 2500)]),
            SimpleNamespace(node_stats=[node("c = Relu(b)", 100, 600)]),
        ]
    )
    assert sum_operations(stats) == [
        {"operation": "Conv2D", "count": 1, "milliseconds": 2.5},
        {"operation": "Relu", "count": 2, "milliseconds": 1.5},
    ]
