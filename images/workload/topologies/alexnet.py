"""AlexNet as the article's script defines it: one tower, no local response normalisation, no active dropout.

Source: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014.
It must not know layouts or training.
"""

from typing import Any

from workload.layers import Network

TITLE = "AlexNet"
IMAGE_SIZE = 227
BATCH_NORMALISED = False
DISJOINT_BRANCHES = 1
TRAINING_GFLOPS = 4.9
FIXED_MEMORY_GB = 2.2
MEMORY_GB_PER_IMAGE = 0.005


def add_layers(network: Network, images: Any) -> Any:
    """Add five convolutions and two dense layers; return (batch, 4096)."""
    x = network.conv(images, "conv1", 64, 11, stride=4, padding="VALID")
    x = network.max_pool(x, "pool1", 3, 2)
    x = network.conv(x, "conv2", 192, 5)
    x = network.max_pool(x, "pool2", 3, 2)
    x = network.conv(x, "conv3", 384, 3)
    x = network.conv(x, "conv4", 384, 3)
    x = network.conv(x, "conv5", 256, 3)
    x = network.max_pool(x, "pool5", 3, 2)
    x = network.flatten(x, "flatten")
    x = network.dense(x, "dense6", 4096)
    return network.dense(x, "dense7", 4096)
