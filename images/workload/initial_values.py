"""Initial values of variables: each variable's seed, and the distributions of weights, biases and scales.

It must not know layers or topologies.
"""

import math
import zlib
from typing import Any, Callable, List

Initialiser = Callable[[Any, List[int], int], Any]  # (TensorFlow, shape, seed) -> tensor


def variable_seed(name: str, seed: int) -> int:
    """Derive a variable's seed from its name, so that its start does not depend on layout or order of building."""
    return zlib.crc32("{}:{}".format(seed, name).encode("utf-8")) & 0x7FFFFFFF


def glorot_uniform(tf: Any, shape: List[int], seed: int) -> Any:
    """Draw a convolution's filter uniformly within sqrt(6 / (fan in + fan out)) (Glorot and Bengio, 2010)."""
    receptive_field = shape[0] * shape[1]
    limit = math.sqrt(6.0 / (receptive_field * (shape[2] + shape[3])))
    return tf.random_uniform(shape, -limit, limit, dtype=tf.float32, seed=seed)


def scaled_truncated_normal(gain: float) -> Initialiser:
    """Return an initialiser for a dense layer's weights: truncated normal with variance gain / inputs."""

    def draw(tf: Any, shape: List[int], seed: int) -> Any:
        return tf.truncated_normal(shape, stddev=math.sqrt(gain / shape[0]), dtype=tf.float32, seed=seed)

    return draw


def zeros(tf: Any, shape: List[int], seed: int) -> Any:
    """Start a bias or an offset at zero."""
    return tf.zeros(shape, dtype=tf.float32)


def ones(tf: Any, shape: List[int], seed: int) -> Any:
    """Start a scale or a moving variance at one."""
    return tf.ones(shape, dtype=tf.float32)
