"""VGG-16 (configuration D) as the article's script defines it: no active dropout.

Source: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", 2014.
It must not know layouts or training.
"""

from typing import Any

from workload.layers import Network

TITLE = "VGG16"
FIGURE_1_POSITION = 4
IMAGE_SIZE = 224
BATCH_NORMALISED = False
DISJOINT_BRANCHES = 1
TRAINING_GFLOPS = 92.7
FIXED_MEMORY_GB = 4.25
MEMORY_GB_PER_IMAGE = 0.125

# Convolutions of each block, and their filters.
BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))


def add_layers(network: Network, images: Any) -> Any:
    """Add thirteen convolutions in five blocks and two dense layers; return (batch, 4096)."""
    x = images
    for block, (convolutions, filters) in enumerate(BLOCKS, start=1):
        for index in range(1, convolutions + 1):
            x = network.conv(x, "conv{}_{}".format(block, index), filters, 3)
        x = network.max_pool(x, "pool{}".format(block), 2, 2)
    x = network.flatten(x, "flatten")
    x = network.dense(x, "dense6", 4096)
    return network.dense(x, "dense7", 4096)
