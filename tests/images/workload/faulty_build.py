"""A build of TensorFlow made wrong on purpose: `python faulty_build.py IMAGES FAULT LAYER [the workload's arguments]`.

Runs in a stack's own environment, so it is Python 3.6 and imports nothing of the tests. One operation of the network
is built otherwise than it was asked for, as a faulty kernel would compute it; everything else is the workload itself.
"""

import os
import sys
from typing import Any, Callable, Dict, List, NamedTuple, Optional

Build = Callable[..., Any]

Parts = NamedTuple(
    "Parts",
    [
        (
            "convolution",
            str,
        ),  # somewhere in the middle: the one layer that is made wrong
        ("normalised", bool),  # is that layer batch-normalised?
        ("shortcut", Optional[str]),  # the addition that a shortcut is left out of; None where there is none
    ],
)


def zero_convolution(tf: Any, layer: str) -> None:
    """The convolution returns zero."""
    _replace(tf.nn, "conv2d", layer + "/conv", lambda build, *args, **named: 0.0 * build(*args, **named))


def zero_filter_gradient(tf: Any, layer: str) -> None:
    """The convolution's gradient by its filter is zero."""

    def wrong(build: Build, inputs: Any, weights: Any, **named: Any) -> Any:
        return build(inputs, tf.stop_gradient(weights), **named)

    _replace(tf.nn, "conv2d", layer + "/conv", wrong)


def exchanged_kernel(tf: Any, layer: str) -> None:
    """The filter's height and width are exchanged."""

    def wrong(build: Build, inputs: Any, weights: Any, **named: Any) -> Any:
        return build(inputs, tf.transpose(weights, [1, 0, 2, 3]), **named)

    _replace(tf.nn, "conv2d", layer + "/conv", wrong)


def exchanged_images(tf: Any, layer: str) -> None:
    """The images' height and width are exchanged as they enter."""
    from workload.layers import Network

    enter = Network.input

    def transposed(network: Network, images: Any) -> Any:
        axes = [0, 2, 1, 3] if network.layout == "NHWC" else [0, 1, 3, 2]
        return enter(network, tf.transpose(images, axes))

    setattr(Network, "input", transposed)  # noqa: B010  (mypy lets nobody assign a method)


def learning_rate(tf: Any, layer: str) -> None:
    """The optimiser's learning rate is 2% too large."""
    make = tf.train.RMSPropOptimizer
    tf.train.RMSPropOptimizer = lambda rate, **named: make(rate * 1.02, **named)


def other_epsilon(tf: Any, layer: str) -> None:
    """One batch normalisation has the epsilon 1e-3 instead of 1e-5, or the other way round."""

    def wrong(build: Build, *args: Any, **named: Any) -> Any:
        named["epsilon"] = 1e-3 if named["epsilon"] < 1e-4 else 1e-5
        return build(*args, **named)

    _replace(tf.nn, "fused_batch_norm", layer + "/batch_norm", wrong)


def no_shortcut(tf: Any, layer: str) -> None:
    """One shortcut is left out."""
    _replace(tf, "add", layer, lambda build, inputs, shortcut, name: tf.identity(inputs, name=name))


def no_relu(tf: Any, layer: str) -> None:
    """One ReLU is left out."""
    _replace(tf.nn, "relu", layer + "/relu", lambda build, inputs, name: tf.identity(inputs, name=name))


def _replace(module: Any, function: str, name: str, build: Build) -> None:
    """Have the one operation of this name built by `build`, which is given the function that builds it rightly."""
    right = getattr(module, function)

    def chosen(*args: Any, **named: Any) -> Any:
        return build(right, *args, **named) if named.get("name") == name else right(*args, **named)

    setattr(module, function, chosen)


EVERYWHERE = (
    zero_convolution, zero_filter_gradient, exchanged_kernel, exchanged_images, learning_rate, no_relu,
)  # fmt: skip


def faults_of(parts: Parts) -> Dict[str, str]:
    """The names of the faults that a topology has the part for, each with the layer that it is to change."""
    found = {fault.__name__: parts.convolution for fault in EVERYWHERE}
    if parts.normalised:
        found[other_epsilon.__name__] = parts.convolution
    if parts.shortcut is not None:
        found[no_shortcut.__name__] = parts.shortcut
    return found


def main(images: str, fault: str, layer: str, arguments: List[str]) -> int:
    """Break TensorFlow, then run the workload."""
    sys.path.insert(0, images)
    from workload import cli, tensorflow_compat

    globals()[fault](tensorflow_compat.load_tensorflow(), layer)
    return int(cli.main(arguments))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]))
