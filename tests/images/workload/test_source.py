"""Rules that the workload's own files keep, so that they run unchanged in the oldest stack."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import workload

FOLDER = Path(workload.__file__).parent
FILES = sorted(FOLDER.rglob("*.py"))
NEWER_THAN_3_6 = {"dataclasses", "importlib.metadata", "importlib.resources", "contextvars", "graphlib", "tomllib"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_file_is_python_3_6(path: Path) -> None:
    """Every file parses as Python 3.6 and imports nothing that came later."""
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            assert node.module != "__future__"
        assert not NEWER_THAN_3_6 & set(names)


def test_only_one_module_names_tensorflow_for_import() -> None:
    importing = [path.name for path in FILES if 'import_module("tensorflow")' in path.read_text(encoding="utf-8")]
    assert importing == ["tensorflow_compat.py"]


def test_command_line_imports_no_heavy_module() -> None:
    """Importing the command line brings in neither TensorFlow nor numpy, whose threads change what is observed."""
    code = (
        f"import sys; sys.path.insert(0, {str(FOLDER.parent)!r}); import workload.cli;"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
