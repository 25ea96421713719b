"""ResNet-152: see workload.families.resnet. It must not know layouts or training."""

from typing import Any

from workload.families import resnet
from workload.layers import Network

TITLE = "ResNet152"
FIGURE_1_POSITION = 3
IMAGE_SIZE = 224
BATCH_NORMALISED = True
DISJOINT_BRANCHES = 2
TRAINING_GFLOPS = 67.3
FIXED_MEMORY_GB = 2.65
MEMORY_GB_PER_IMAGE = 0.219


def add_layers(network: Network, images: Any) -> Any:
    """Add 3, 8, 36 and 3 bottlenecks; return (batch, 2048)."""
    return resnet.add_layers(network, images, (3, 8, 36, 3))
