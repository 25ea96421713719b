"""The layers of the six topologies as the article's script defines them: kind, height, width and channels, in order.

Written by hand from the definitions, as text: one layer a word group, `conv_bn` is a convolution and its batch
normalisation, `N *` before parentheses repeats them.
"""

from __future__ import annotations

import re

# Trainable values. Each but AlexNet's, which is summed by hand, follows from a published count with a thousand classes:
# bvlc_googlenet 6,998,552; Keras' InceptionV3 23,817,352; torchvision's ResNets 25,557,032 and 60,192,808, here without
# the normalisation of four shortcuts (7,680); VGG-16 138,357,544. One class more adds 1,025, 2,049 or 4,097.
PARAMETERS = {
    "alexnet": 61_842_345,
    "googlenet": 6_999_577,
    "inception3": 23_819_401,
    "resnet50": 25_551_401,
    "resnet152": 60_187_177,
    "vgg16": 138_361_641,
}

ALEXNET = """
input 227 227 3; conv 55 55 64; max_pool 27 27 64; conv 27 27 192; max_pool 13 13 192;
conv 13 13 384; conv 13 13 384; conv 13 13 256; max_pool 6 6 256; flatten 9216; dense 4096; dense 4096; dense 1001
"""

VGG16 = """
input 224 224 3; 2 * (conv 224 224 64); max_pool 112 112 64; 2 * (conv 112 112 128); max_pool 56 56 128;
3 * (conv 56 56 256); max_pool 28 28 256; 3 * (conv 28 28 512); max_pool 14 14 512;
3 * (conv 14 14 512); max_pool 7 7 512; flatten 25088; dense 4096; dense 4096; dense 1001
"""

GOOGLENET = """
input 224 224 3; conv 112 112 64; max_pool 56 56 64; conv 56 56 64; conv 56 56 192; max_pool 28 28 192;
conv 28 28 64; conv 28 28 96; conv 28 28 128; conv 28 28 16; conv 28 28 32; max_pool 28 28 192; conv 28 28 32;
concat 28 28 256;
conv 28 28 128; conv 28 28 128; conv 28 28 192; conv 28 28 32; conv 28 28 96; max_pool 28 28 256; conv 28 28 64;
concat 28 28 480; max_pool 14 14 480;
conv 14 14 192; conv 14 14 96; conv 14 14 208; conv 14 14 16; conv 14 14 48; max_pool 14 14 480; conv 14 14 64;
concat 14 14 512;
conv 14 14 160; conv 14 14 112; conv 14 14 224; conv 14 14 24; conv 14 14 64; max_pool 14 14 512; conv 14 14 64;
concat 14 14 512;
conv 14 14 128; conv 14 14 128; conv 14 14 256; conv 14 14 24; conv 14 14 64; max_pool 14 14 512; conv 14 14 64;
concat 14 14 512;
conv 14 14 112; conv 14 14 144; conv 14 14 288; conv 14 14 32; conv 14 14 64; max_pool 14 14 512; conv 14 14 64;
concat 14 14 528;
conv 14 14 256; conv 14 14 160; conv 14 14 320; conv 14 14 32; conv 14 14 128; max_pool 14 14 528; conv 14 14 128;
concat 14 14 832; max_pool 7 7 832;
conv 7 7 256; conv 7 7 160; conv 7 7 320; conv 7 7 32; conv 7 7 128; max_pool 7 7 832; conv 7 7 128; concat 7 7 832;
conv 7 7 384; conv 7 7 192; conv 7 7 384; conv 7 7 48; conv 7 7 128; max_pool 7 7 832; conv 7 7 128; concat 7 7 1024;
average_pool 1 1 1024; flatten 1024; dense 1001
"""

RESNET = """
input 224 224 3; pad 230 230 3; conv_bn 112 112 64; max_pool 55 55 64;
conv 55 55 256; conv_bn 55 55 64; conv_bn 55 55 64; conv_bn 55 55 256; add 55 55 256;
{0} * (conv_bn 55 55 64; conv_bn 55 55 64; conv_bn 55 55 256; add 55 55 256);
conv 28 28 512; conv_bn 28 28 128; conv_bn 28 28 128; conv_bn 28 28 512; add 28 28 512;
{1} * (conv_bn 28 28 128; conv_bn 28 28 128; conv_bn 28 28 512; add 28 28 512);
conv 14 14 1024; conv_bn 14 14 256; conv_bn 14 14 256; conv_bn 14 14 1024; add 14 14 1024;
{2} * (conv_bn 14 14 256; conv_bn 14 14 256; conv_bn 14 14 1024; add 14 14 1024);
conv 7 7 2048; conv_bn 7 7 512; conv_bn 7 7 512; conv_bn 7 7 2048; add 7 7 2048;
{3} * (conv_bn 7 7 512; conv_bn 7 7 512; conv_bn 7 7 2048; add 7 7 2048);
global_average 2048; dense 1001
"""

INCEPTION3 = """
input 299 299 3; conv_bn 149 149 32; conv_bn 147 147 32; conv_bn 147 147 64; max_pool 73 73 64;
conv_bn 73 73 80; conv_bn 71 71 192; max_pool 35 35 192;
conv_bn 35 35 64; conv_bn 35 35 48; conv_bn 35 35 64; conv_bn 35 35 64; conv_bn 35 35 96; conv_bn 35 35 96;
average_pool 35 35 192; conv_bn 35 35 32; concat 35 35 256;
conv_bn 35 35 64; conv_bn 35 35 48; conv_bn 35 35 64; conv_bn 35 35 64; conv_bn 35 35 96; conv_bn 35 35 96;
average_pool 35 35 256; conv_bn 35 35 64; concat 35 35 288;
conv_bn 35 35 64; conv_bn 35 35 48; conv_bn 35 35 64; conv_bn 35 35 64; conv_bn 35 35 96; conv_bn 35 35 96;
average_pool 35 35 288; conv_bn 35 35 64; concat 35 35 288;
conv_bn 17 17 384; conv_bn 35 35 64; conv_bn 35 35 96; conv_bn 17 17 96; max_pool 17 17 288; concat 17 17 768;
conv_bn 17 17 192; 2 * (conv_bn 17 17 128); conv_bn 17 17 192; 4 * (conv_bn 17 17 128); conv_bn 17 17 192;
average_pool 17 17 768; conv_bn 17 17 192; concat 17 17 768;
conv_bn 17 17 192; 2 * (conv_bn 17 17 160); conv_bn 17 17 192; 4 * (conv_bn 17 17 160); conv_bn 17 17 192;
average_pool 17 17 768; conv_bn 17 17 192; concat 17 17 768;
conv_bn 17 17 192; 2 * (conv_bn 17 17 160); conv_bn 17 17 192; 4 * (conv_bn 17 17 160); conv_bn 17 17 192;
average_pool 17 17 768; conv_bn 17 17 192; concat 17 17 768;
conv_bn 17 17 192; 2 * (conv_bn 17 17 192); conv_bn 17 17 192; 4 * (conv_bn 17 17 192); conv_bn 17 17 192;
average_pool 17 17 768; conv_bn 17 17 192; concat 17 17 768;
conv_bn 17 17 192; conv_bn 8 8 320; 3 * (conv_bn 17 17 192); conv_bn 8 8 192; max_pool 8 8 768; concat 8 8 1280;
conv_bn 8 8 320; 3 * (conv_bn 8 8 384); conv_bn 8 8 448; 3 * (conv_bn 8 8 384);
average_pool 8 8 1280; conv_bn 8 8 192; concat 8 8 2048;
conv_bn 8 8 320; 3 * (conv_bn 8 8 384); conv_bn 8 8 448; 3 * (conv_bn 8 8 384);
max_pool 8 8 2048; conv_bn 8 8 192; concat 8 8 2048;
average_pool 1 1 2048; flatten 2048; dense 1001
"""

TEXTS = {
    "alexnet": ALEXNET,
    "googlenet": GOOGLENET,
    "inception3": INCEPTION3,
    "resnet50": RESNET.format(2, 3, 5, 2),
    "resnet152": RESNET.format(2, 7, 35, 2),
    "vgg16": VGG16,
}


def expected_layers(topology: str) -> list[tuple[str, list[int]]]:
    """Return each layer's kind and output shape."""
    text = re.sub(r"(\d+) \* \(([^)]*)\)", lambda found: "; ".join([found[2]] * int(found[1])), TEXTS[topology])
    layers: list[tuple[str, list[int]]] = []
    for group in text.split(";"):
        kind, *sizes = group.split()
        shape = [int(size) for size in sizes]
        layers += [("conv", shape), ("batch_norm", shape)] if kind == "conv_bn" else [(kind, shape)]
    return layers
