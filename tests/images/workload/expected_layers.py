"""What each topology is expected to be, written by hand from its definition: one module of topologies/ for each."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass

from tests.images.workload.faulty_build import Parts


@dataclass(frozen=True)
class Expected:
    """A topology's trainable values, its layers as text, and its parts that builds made wrong on purpose change.

    The text has every layer in the order of building: its kind, then height, width and channels of its output.
    `conv_bn` is a convolution and its batch normalisation, and `N *` before parentheses repeats what they hold.
    """

    parameters: int
    parts: Parts
    text: str

    @property
    def layers(self) -> list[tuple[str, list[int]]]:
        """Each layer's kind and output shape."""
        text = re.sub(r"(\d+) \* \(([^)]*)\)", lambda found: "; ".join([found[2]] * int(found[1])), self.text)
        layers: list[tuple[str, list[int]]] = []
        for group in text.split(";"):
            kind, *sizes = group.split()
            shape = [int(size) for size in sizes]
            layers += [("conv", shape), ("batch_norm", shape)] if kind == "conv_bn" else [(kind, shape)]
        return layers

    @property
    def normalises_first(self) -> bool:
        """Is the first convolution batch-normalised? Then it has no bias."""
        kinds = [kind for kind, _ in self.layers]
        return kinds[kinds.index("conv") + 1] == "batch_norm"


def expected_of(topology: str) -> Expected:
    """What a topology is expected to be."""
    expected = importlib.import_module(f"tests.images.workload.topologies.{topology}").EXPECTED
    assert isinstance(expected, Expected)
    return expected
