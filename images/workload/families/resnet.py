"""ResNet, version 1, with bottlenecks, as the article's script defines it.

Source: He and others, "Deep residual learning for image recognition", 2015. Unlike in that paper, the first pooling is
unpadded (55 x 55) and projection shortcuts have no batch normalisation. It must not know layouts or training.
"""

from typing import Any, Tuple

from workload.layers import BatchNorm, Network

BATCH_NORM = BatchNorm(decay=0.997, epsilon=1e-5, scale=True)

# For each of the four stages: inner width, outer width, and stride of the first bottleneck.
STAGES = ((64, 256, 1), (128, 512, 2), (256, 1024, 2), (512, 2048, 2))


def add_layers(network: Network, images: Any, bottlenecks: Tuple[int, int, int, int]) -> Any:
    """Add the stem and the given number of bottlenecks in each of the four stages; return (batch, 2048)."""
    x = network.pad(images, "pad1", 3)
    x = network.conv(x, "conv1", 64, 7, stride=2, padding="VALID", batch_norm=BATCH_NORM)
    x = network.max_pool(x, "pool1", 3, 2)
    width_before = 64
    for number, (inner, outer, first_stride) in enumerate(STAGES):
        for index in range(1, bottlenecks[number] + 1):
            name = "stage{}/bottleneck{}".format(number + 1, index)
            stride = first_stride if index == 1 else 1
            x = _add_bottleneck(network, x, name, inner, outer, stride, project=width_before != outer)
            width_before = outer
    return network.global_average(x, "global_average")


def _add_bottleneck(network: Network, x: Any, name: str, inner: int, outer: int, stride: int, project: bool) -> Any:
    shortcut = x
    if project:
        shortcut = network.conv(x, name + "/shortcut", outer, 1, stride=stride, bias=False, relu=False)
    x = network.conv(x, name + "/1x1_reduce", inner, 1, stride=stride, batch_norm=BATCH_NORM)
    x = network.conv(x, name + "/3x3", inner, 3, batch_norm=BATCH_NORM)
    x = network.conv(x, name + "/1x1_expand", outer, 1, batch_norm=BATCH_NORM, relu=False)
    return network.add_relu(x, shortcut, name + "/add")
