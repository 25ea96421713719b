"""Inception version 3 as the article's script defines it."""

from __future__ import annotations

from tests.images.workload.expected_layers import Expected
from tests.images.workload.faulty_build import Parts

EXPECTED = Expected(
    # Published for 1,000 classes: 23,817,352 (Keras). One class more adds 2,049.
    parameters=23_819_401,
    parts=Parts(convolution="module_c2/7x7_1x7", normalised=True, shortcut=None),
    text="""
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
""",
)
