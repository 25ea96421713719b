"""AlexNet as the article's script defines it."""

from __future__ import annotations

from tests.images.workload.expected_layers import Expected
from tests.images.workload.faulty_build import Parts

EXPECTED = Expected(
    # Summed by hand.
    parameters=61_842_345,
    parts=Parts(convolution="conv3", normalised=False, shortcut=None),
    text="""
input 227 227 3; conv 55 55 64; max_pool 27 27 64; conv 27 27 192; max_pool 13 13 192;
conv 13 13 384; conv 13 13 384; conv 13 13 256; max_pool 6 6 256; flatten 9216; dense 4096; dense 4096; dense 1001
""",
)
