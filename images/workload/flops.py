"""Counts the floating-point operations of a graph from its operations' static shapes.

Only convolutions and matrix products are counted; a multiply-accumulate counts as two. It must not import TensorFlow.
"""

from typing import Any, Dict, Iterable, List


def count_flops(operations: Iterable[Any]) -> int:
    """Return the FLOPs of one execution of each operation, in all. Only convolutions and matrix products have any.

    Raises:
        ValueError: such an operation has a shape that is not known before it runs.
    """
    return sum(_operation_flops(operation) for operation in operations)


def operations_needed(targets: Iterable[Any]) -> List[Any]:
    """Return every operation that running the targets executes, each once.

    A graph has more operations: for instance, the gradient of the first convolution by the images is never run.
    """
    needed: Dict[str, Any] = {}
    waiting = list(targets)
    while waiting:
        operation = waiting.pop()
        if operation.name not in needed:
            needed[operation.name] = operation
            waiting.extend(tensor.op for tensor in operation.inputs)
            waiting.extend(operation.control_inputs)
    return list(needed.values())


def _operation_flops(operation: Any) -> int:
    if operation.type == "Conv2D":
        return _convolution_flops(operation, operation.outputs[0], operation.inputs[1])
    if operation.type == "Conv2DBackpropInput":
        return _convolution_flops(operation, operation.inputs[2], operation.inputs[1])
    if operation.type == "Conv2DBackpropFilter":
        return _convolution_flops(operation, operation.inputs[2], operation.outputs[0])
    if operation.type == "DepthwiseConv2dNative":
        return _depthwise_flops(operation, operation.outputs[0], operation.inputs[1])
    if operation.type == "DepthwiseConv2dNativeBackpropInput":
        return _depthwise_flops(operation, operation.inputs[2], operation.inputs[1])
    if operation.type == "DepthwiseConv2dNativeBackpropFilter":
        return _depthwise_flops(operation, operation.inputs[2], operation.outputs[0])
    if operation.type == "MatMul":
        return _matrix_product_flops(operation)
    return 0


def _convolution_flops(operation: Any, feature_map: Any, filters: Any) -> int:
    """All three kinds do one multiply-accumulate for each output value, filter position and channel."""
    height, width, channels, _ = _sizes(operation, filters)
    return 2 * _product(_sizes(operation, feature_map)) * height * width * channels


def _depthwise_flops(operation: Any, feature_map: Any, filters: Any) -> int:
    """The same, but each output value depends on one channel only."""
    height, width, _, _ = _sizes(operation, filters)
    return 2 * _product(_sizes(operation, feature_map)) * height * width


def _matrix_product_flops(operation: Any) -> int:
    rows, columns = _sizes(operation, operation.outputs[0])
    left = _sizes(operation, operation.inputs[0])
    inner = left[0] if operation.get_attr("transpose_a") else left[1]
    return 2 * rows * columns * inner


def _sizes(operation: Any, tensor: Any) -> List[int]:
    shape = tensor.get_shape()
    if not shape.is_fully_defined():
        raise ValueError("cannot count FLOPs of {}: the shape of {} is {}".format(operation.name, tensor, shape))
    return [int(size) for size in shape.as_list()]


def _product(sizes: Iterable[int]) -> int:
    result = 1
    for size in sizes:
        result *= size
    return result
