"""Handles all differences between TensorFlow 1.12, 1.15 and 2.14. It is the only module that imports TensorFlow.

It must not know topologies or jobs.
"""

import importlib
import os
import sys
from typing import Any, Optional


def load_tensorflow() -> Any:
    """Import TensorFlow and return its version 1 interface (graphs, sessions, reference variables)."""
    tensorflow = importlib.import_module("tensorflow")
    compat = getattr(tensorflow, "compat", None)
    return getattr(compat, "v1", tensorflow)


def tensorflow_version() -> str:
    """Return the version that the installed TensorFlow reports."""
    return str(importlib.import_module("tensorflow").__version__)


def tensorflow_package_folder() -> Optional[str]:
    """Return the folder of the package `tensorflow`; None if it is not a plain folder.

    The module's `__path__` cannot be used, because 1.15 and 2.x put folders of other packages first.
    """
    for entry in sys.path:
        folder = os.path.join(entry, "tensorflow")
        if os.path.isfile(os.path.join(folder, "__init__.py")):
            return folder
    return None


def mkl_enabled() -> Optional[bool]:
    """Return whether this build reports support of Intel's MKL or oneDNN; None if it does not say.

    The function that reports it is in `pywrap_tensorflow` up to 2.1, and in `_pywrap_util_port` since.
    """
    for module_name in ("tensorflow.python.util._pywrap_util_port", "tensorflow.python.pywrap_tensorflow"):
        try:
            module = importlib.import_module(module_name)
        except ImportError:
            continue
        answer = getattr(module, "IsMklEnabled", None)
        if answer is not None:
            return bool(answer())
    return None
