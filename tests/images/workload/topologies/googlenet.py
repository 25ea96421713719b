"""GoogLeNet as the article's script defines it."""

from __future__ import annotations

from tests.images.workload.expected_layers import Expected
from tests.images.workload.faulty_build import Parts

EXPECTED = Expected(
    # Published for 1,000 classes: 6,998,552 (bvlc_googlenet). One class more adds 1,025.
    parameters=6_999_577,
    parts=Parts(convolution="module_d/3x3", normalised=False, shortcut=None),
    text="""
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
""",
)
