"""Counting floating-point operations on hand-made operations."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from workload.flops import count_flops, operations_needed


def tensor(*sizes: int | None) -> Any:
    """Return something with a static shape, as far as the count looks."""
    shape = SimpleNamespace(is_fully_defined=lambda: None not in sizes, as_list=lambda: list(sizes))
    return SimpleNamespace(get_shape=lambda: shape, op=None)


def operation(kind: str, inputs: list[Any], output: Any, **attributes: object) -> Any:
    """Return something that looks like an operation of a graph."""
    return SimpleNamespace(
        name=kind, type=kind, inputs=inputs, outputs=[output], control_inputs=[], get_attr=attributes.get
    )


IMAGES, FILTERS, FEATURES = tensor(2, 8, 8, 3), tensor(5, 3, 3, 16), tensor(2, 8, 8, 16)
CONVOLUTION_FLOPS = 2 * (2 * 8 * 8 * 16) * (5 * 3 * 3)


@pytest.mark.parametrize(
    "counted",
    [
        operation("Conv2D", [IMAGES, FILTERS], FEATURES),
        operation("Conv2DBackpropInput", [tensor(4), FILTERS, FEATURES], IMAGES),
        operation("Conv2DBackpropFilter", [IMAGES, tensor(4), FEATURES], FILTERS),
    ],
    ids=lambda counted: counted.type,
)
def test_forward_and_both_gradients_of_a_convolution_cost_the_same(counted: Any) -> None:
    """Each of the three costs one multiply-accumulate for every output value, filter tap and channel."""
    assert count_flops([counted]) == CONVOLUTION_FLOPS


@pytest.mark.parametrize(
    "counted",
    [
        operation("DepthwiseConv2dNative", [IMAGES, tensor(5, 3, 3, 2)], tensor(2, 8, 8, 6)),
        operation("DepthwiseConv2dNativeBackpropInput", [tensor(4), tensor(5, 3, 3, 2), tensor(2, 8, 8, 6)], IMAGES),
        operation("DepthwiseConv2dNativeBackpropFilter", [IMAGES, tensor(4), tensor(2, 8, 8, 6)], tensor(5, 3, 3, 2)),
    ],
    ids=lambda counted: counted.type,
)
def test_a_depthwise_convolution_looks_at_one_channel(counted: Any) -> None:
    """Forward and both gradients cost one multiply-accumulate for every output value and filter tap."""
    assert count_flops([counted]) == 2 * (2 * 8 * 8 * 6) * (5 * 3)


@pytest.mark.parametrize(("left", "transposed"), [((4, 10), False), ((10, 4), True)])
def test_matrix_product(left: tuple[int, int], transposed: bool) -> None:
    """The inner dimension is found whether or not the left operand is transposed."""
    product = operation("MatMul", [tensor(*left), tensor(10, 6)], tensor(4, 6), transpose_a=transposed)
    assert count_flops([product]) == 2 * 4 * 10 * 6


def test_other_operations_count_nothing() -> None:
    assert count_flops([operation("MaxPool", [IMAGES], IMAGES), operation("AddV2", [IMAGES, IMAGES], IMAGES)]) == 0


def test_unknown_shape_is_an_error() -> None:
    """A count that would be a guess is refused."""
    with pytest.raises(ValueError, match="cannot count FLOPs of Conv2D"):
        count_flops([operation("Conv2D", [IMAGES, FILTERS], tensor(None, 8, 8, 16))])


def test_only_what_the_targets_need_is_returned() -> None:
    """Operations are followed through inputs and control inputs; what nobody needs is left out."""
    source, first, unused = (operation(kind, [], IMAGES) for kind in ("source", "first", "unused"))
    first.inputs = [SimpleNamespace(op=source)]
    target = operation("target", [SimpleNamespace(op=source)], IMAGES)
    target.control_inputs = [first]
    needed = {found.name for found in operations_needed([target])}
    assert needed == {"target", "first", "source"}
    assert unused.name not in needed
