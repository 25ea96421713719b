"""VGG-16 as the article's script defines it."""

from __future__ import annotations

from tests.images.workload.expected_layers import Expected
from tests.images.workload.faulty_build import Parts

EXPECTED = Expected(
    # Published for 1,000 classes: 138,357,544. One class more adds 4,097.
    parameters=138_361_641,
    parts=Parts(convolution="conv3_2", normalised=False, shortcut=None),
    text="""
input 224 224 3; 2 * (conv 224 224 64); max_pool 112 112 64; 2 * (conv 112 112 128); max_pool 56 56 128;
3 * (conv 56 56 256); max_pool 28 28 256; 3 * (conv 28 28 512); max_pool 14 14 512;
3 * (conv 14 14 512); max_pool 7 7 512; flatten 25088; dense 4096; dense 4096; dense 1001
""",
)
