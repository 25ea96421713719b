"""Inception version 3 as the article's script defines it: no auxiliary head, no active dropout.

Source: Szegedy and others, "Rethinking the Inception architecture for computer vision", 2015.
It must not know layouts or training.
"""

from typing import Any

from workload.layers import BatchNorm, Network, Size

TITLE = "InceptionV3"
FIGURE_1_POSITION = 1
IMAGE_SIZE = 299
BATCH_NORMALISED = True
DISJOINT_BRANCHES = 6
TRAINING_GFLOPS = 34.2
FIXED_MEMORY_GB = 1.45
MEMORY_GB_PER_IMAGE = 0.106

BATCH_NORM = BatchNorm(decay=0.999, epsilon=1e-3, scale=False)


def add_layers(network: Network, images: Any) -> Any:
    """Add the stem and eleven modules; return (batch, 2048)."""
    x = _conv(network, images, "conv1", 32, 3, stride=2, padding="VALID")
    x = _conv(network, x, "conv2", 32, 3, padding="VALID")
    x = _conv(network, x, "conv3", 64, 3)
    x = network.max_pool(x, "pool3", 3, 2)
    x = _conv(network, x, "conv4", 80, 1, padding="VALID")
    x = _conv(network, x, "conv5", 192, 3, padding="VALID")
    x = network.max_pool(x, "pool5", 3, 2)
    for index, projection in enumerate((32, 64, 64), start=1):
        x = _module_a(network, x, "module_a{}".format(index), projection)
    x = _module_b(network, x, "module_b")
    for index, inner in enumerate((128, 160, 160, 192), start=1):
        x = _module_c(network, x, "module_c{}".format(index), inner)
    x = _module_d(network, x, "module_d")
    x = _module_e(network, x, "module_e1", network.average_pool)
    x = _module_e(network, x, "module_e2", network.max_pool)
    x = network.average_pool(x, "pool_last", 8, 1)
    return network.flatten(x, "flatten")


def _conv(
    network: Network, x: Any, name: str, filters: int, kernel: Size, stride: int = 1, padding: str = "SAME"
) -> Any:
    return network.conv(x, name, filters, kernel, stride=stride, padding=padding, batch_norm=BATCH_NORM)


def _module_a(network: Network, x: Any, name: str, projection: int) -> Any:
    one = _conv(network, x, name + "/1x1", 64, 1)
    five = _conv(network, x, name + "/5x5_reduce", 48, 1)
    five = _conv(network, five, name + "/5x5", 64, 5)
    double = _conv(network, x, name + "/double_reduce", 64, 1)
    double = _conv(network, double, name + "/double_3x3_1", 96, 3)
    double = _conv(network, double, name + "/double_3x3_2", 96, 3)
    pool = network.average_pool(x, name + "/pool", 3, 1, padding="SAME")
    pool = _conv(network, pool, name + "/pool_projection", projection, 1)
    return network.concat([one, five, double, pool], name + "/concat")


def _module_b(network: Network, x: Any, name: str) -> Any:
    three = _conv(network, x, name + "/3x3", 384, 3, stride=2, padding="VALID")
    double = _conv(network, x, name + "/double_reduce", 64, 1)
    double = _conv(network, double, name + "/double_3x3_1", 96, 3)
    double = _conv(network, double, name + "/double_3x3_2", 96, 3, stride=2, padding="VALID")
    pool = network.max_pool(x, name + "/pool", 3, 2)
    return network.concat([three, double, pool], name + "/concat")


def _module_c(network: Network, x: Any, name: str, inner: int) -> Any:
    one = _conv(network, x, name + "/1x1", 192, 1)
    seven = _conv(network, x, name + "/7x7_reduce", inner, 1)
    seven = _conv(network, seven, name + "/7x7_1x7", inner, (1, 7))
    seven = _conv(network, seven, name + "/7x7_7x1", 192, (7, 1))
    double = _conv(network, x, name + "/double_reduce", inner, 1)
    double = _conv(network, double, name + "/double_7x1_1", inner, (7, 1))
    double = _conv(network, double, name + "/double_1x7_1", inner, (1, 7))
    double = _conv(network, double, name + "/double_7x1_2", inner, (7, 1))
    double = _conv(network, double, name + "/double_1x7_2", 192, (1, 7))
    pool = network.average_pool(x, name + "/pool", 3, 1, padding="SAME")
    pool = _conv(network, pool, name + "/pool_projection", 192, 1)
    return network.concat([one, seven, double, pool], name + "/concat")


def _module_d(network: Network, x: Any, name: str) -> Any:
    three = _conv(network, x, name + "/3x3_reduce", 192, 1)
    three = _conv(network, three, name + "/3x3", 320, 3, stride=2, padding="VALID")
    seven = _conv(network, x, name + "/7x7_reduce", 192, 1)
    seven = _conv(network, seven, name + "/7x7_1x7", 192, (1, 7))
    seven = _conv(network, seven, name + "/7x7_7x1", 192, (7, 1))
    seven = _conv(network, seven, name + "/7x7_3x3", 192, 3, stride=2, padding="VALID")
    pool = network.max_pool(x, name + "/pool", 3, 2)
    return network.concat([three, seven, pool], name + "/concat")


def _module_e(network: Network, x: Any, name: str, add_pool: Any) -> Any:
    one = _conv(network, x, name + "/1x1", 320, 1)
    three = _conv(network, x, name + "/3x3_reduce", 384, 1)
    three_wide = _conv(network, three, name + "/3x3_1x3", 384, (1, 3))
    three_tall = _conv(network, three, name + "/3x3_3x1", 384, (3, 1))
    double = _conv(network, x, name + "/double_reduce", 448, 1)
    double = _conv(network, double, name + "/double_3x3", 384, 3)
    double_wide = _conv(network, double, name + "/double_1x3", 384, (1, 3))
    double_tall = _conv(network, double, name + "/double_3x1", 384, (3, 1))
    pool = add_pool(x, name + "/pool", 3, 1, padding="SAME")
    pool = _conv(network, pool, name + "/pool_projection", 192, 1)
    return network.concat([one, three_wide, three_tall, double_wide, double_tall, pool], name + "/concat")
