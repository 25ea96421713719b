"""Reads from a log which instruction sets of this CPU a build was not compiled for, in the wording of each release.

TensorFlow prints this once for each process (tensorflow/core/platform/cpu_feature_guard.cc). It names instruction sets
only, and neither the compiler nor its other flags.
"""

from __future__ import annotations

import re

_NAMES = r"(?P<names>[A-Z][A-Z0-9_.]*(?:[ ,]+[A-Z][A-Z0-9_.]*)*)"
_SAYINGS = (
    # Up to 2.3, and the stock builds of 1.x: Your CPU supports instructions that ...
    re.compile(rf"this TensorFlow binary was not compiled to use:\s*{_NAMES}\s*$", re.MULTILINE),
    # Builds with MKL-DNN or oneDNN, up to 2.8: the sets that its kernels use, then "To enable them in other operations,
    # rebuild".
    re.compile(
        rf"to use the following CPU instructions in performance[- ]critical operations:\s*{_NAMES}\s*\n"
        r"\s*To enable them in \S+ operations, rebuild"
    ),
    # Since 2.9, in all builds.
    re.compile(rf"^To enable the following instructions: {_NAMES}, in other operations, rebuild", re.MULTILINE),
)


def parse_not_compiled_for(text: str) -> tuple[str, ...] | None:
    """The instruction sets that this CPU has and that code outside of Intel's kernels does not use, in the log's order.

    None if the log has no such line. A build that was compiled to use all of them prints none either.
    """
    for saying in _SAYINGS:
        found = saying.search(text)
        if found:
            return tuple(re.split(r"[ ,]+", found["names"]))
    return None
