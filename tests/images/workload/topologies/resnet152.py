"""ResNet-152 as the article's script defines it."""

from __future__ import annotations

from tests.images.workload.expected_layers import Expected
from tests.images.workload.faulty_build import Parts

EXPECTED = Expected(
    # Published for 1,000 classes: 60,192,808 (torchvision). One class more adds 2,049, and four shortcuts are not
    # normalised here, which takes 7,680 away.
    parameters=60_187_177,
    parts=Parts(convolution="stage3/bottleneck18/3x3", normalised=True, shortcut="stage3/bottleneck18/add"),
    text="""
input 224 224 3; pad 230 230 3; conv_bn 112 112 64; max_pool 55 55 64;
conv 55 55 256; conv_bn 55 55 64; conv_bn 55 55 64; conv_bn 55 55 256; add 55 55 256;
2 * (conv_bn 55 55 64; conv_bn 55 55 64; conv_bn 55 55 256; add 55 55 256);
conv 28 28 512; conv_bn 28 28 128; conv_bn 28 28 128; conv_bn 28 28 512; add 28 28 512;
7 * (conv_bn 28 28 128; conv_bn 28 28 128; conv_bn 28 28 512; add 28 28 512);
conv 14 14 1024; conv_bn 14 14 256; conv_bn 14 14 256; conv_bn 14 14 1024; add 14 14 1024;
35 * (conv_bn 14 14 256; conv_bn 14 14 256; conv_bn 14 14 1024; add 14 14 1024);
conv 7 7 2048; conv_bn 7 7 512; conv_bn 7 7 512; conv_bn 7 7 2048; add 7 7 2048;
2 * (conv_bn 7 7 512; conv_bn 7 7 512; conv_bn 7 7 2048; add 7 7 2048);
global_average 2048; dense 1001
""",
)
