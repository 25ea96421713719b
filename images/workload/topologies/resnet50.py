"""ResNet-50: see workload.families.resnet. It must not know layouts or training."""

from typing import Any

from workload.families import resnet
from workload.layers import Network

TITLE = "ResNet50"
FIGURE_1_POSITION = 2
IMAGE_SIZE = 224
BATCH_NORMALISED = True
DISJOINT_BRANCHES = 2
TRAINING_GFLOPS = 22.8
FIXED_MEMORY_GB = 1.5
MEMORY_GB_PER_IMAGE = 0.095


def add_layers(network: Network, images: Any) -> Any:
    """Add 3, 4, 6 and 3 bottlenecks; return (batch, 2048)."""
    return resnet.add_layers(network, images, (3, 4, 6, 3))
