"""GoogLeNet as the article's script defines it: no batch normalisation, no auxiliary heads, no normalisation.

Source: Szegedy and others, "Going deeper with convolutions", 2014, table 1. It must not know layouts or training.
"""

from typing import Any, NamedTuple

from workload.layers import Network

TITLE = "GoogLeNet"
IMAGE_SIZE = 224
BATCH_NORMALISED = False
DISJOINT_BRANCHES = 4
TRAINING_GFLOPS = 9.3
FIXED_MEMORY_GB = 0.83
MEMORY_GB_PER_IMAGE = 0.03

Module = NamedTuple(
    "Module",
    [
        ("conv1", int),
        ("reduce3", int),
        ("conv3", int),
        ("reduce5", int),
        ("conv5", int),
        ("pool_projection", int),
    ],
)

# Filters of the nine modules, in three stages with a pooling layer between them.
STAGES = (
    (("a", Module(64, 96, 128, 16, 32, 32)), ("b", Module(128, 128, 192, 32, 96, 64))),
    (
        ("c", Module(192, 96, 208, 16, 48, 64)),
        ("d", Module(160, 112, 224, 24, 64, 64)),
        ("e", Module(128, 128, 256, 24, 64, 64)),
        ("f", Module(112, 144, 288, 32, 64, 64)),
        ("g", Module(256, 160, 320, 32, 128, 128)),
    ),
    (("h", Module(256, 160, 320, 32, 128, 128)), ("i", Module(384, 192, 384, 48, 128, 128))),
)


def add_layers(network: Network, images: Any) -> Any:
    """Add the stem and nine inception modules; return (batch, 1024)."""
    x = network.conv(images, "conv1", 64, 7, stride=2)
    x = network.max_pool(x, "pool1", 3, 2, padding="SAME")
    x = network.conv(x, "conv2", 64, 1)
    x = network.conv(x, "conv3", 192, 3)
    x = network.max_pool(x, "pool3", 3, 2, padding="SAME")
    for number, stage in enumerate(STAGES):
        if number > 0:
            x = network.max_pool(x, "pool_stage{}".format(number), 3, 2, padding="SAME")
        for letter, module in stage:
            x = _add_module(network, x, "module_" + letter, module)
    x = network.average_pool(x, "pool_last", 7, 1)
    return network.flatten(x, "flatten")


def _add_module(network: Network, x: Any, name: str, module: Module) -> Any:
    one = network.conv(x, name + "/1x1", module.conv1, 1)
    three = network.conv(x, name + "/3x3_reduce", module.reduce3, 1)
    three = network.conv(three, name + "/3x3", module.conv3, 3)
    five = network.conv(x, name + "/5x5_reduce", module.reduce5, 1)
    five = network.conv(five, name + "/5x5", module.conv5, 5)
    pool = network.max_pool(x, name + "/pool", 3, 1, padding="SAME")
    pool = network.conv(pool, name + "/pool_projection", module.pool_projection, 1)
    return network.concat([one, three, five, pool], name + "/concat")
