"""Reads which of this CPU's instruction sets a build says it was not compiled to use, in the wording of each era.

TensorFlow says it in tensorflow/core/platform/cpu_feature_guard.cc, once for a process. It names instruction sets only:
neither the compiler nor any other of its flags.
"""

from __future__ import annotations

import re

_NAMES = r"(?P<names>[A-Z][A-Z0-9_.]*(?:[ ,]+[A-Z][A-Z0-9_.]*)*)"
_SAYINGS = (
    # Up to 2.3, and the stock builds of 1.x: Your CPU supports instructions that ...
    re.compile(rf"this TensorFlow binary was not compiled to use:\s*{_NAMES}\s*$", re.MULTILINE),
    # Builds with MKL-DNN or oneDNN, up to 2.8: what its kernels use, and "To enable them in other operations, rebuild".
    re.compile(
        rf"to use the following CPU instructions in performance[- ]critical operations:\s*{_NAMES}\s*\n"
        r"\s*To enable them in \S+ operations, rebuild"
    ),
    # Since 2.9, in all builds.
    re.compile(rf"^To enable the following instructions: {_NAMES}, in other operations, rebuild", re.MULTILINE),
)


def parse_not_compiled_for(text: str) -> tuple[str, ...] | None:
    """The instruction sets in the order of the log: of those that this CPU has, and outside of Intel's kernels.

    None where the log has no such line, which is also so for a build that was compiled to use all of them.
    """
    for saying in _SAYINGS:
        found = saying.search(text)
        if found:
            return tuple(re.split(r"[ ,]+", found["names"]))
    return None
