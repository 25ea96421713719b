"""The hash of the code whose arithmetic is simulated, so that a table made by other code is noticed.

Comments, docstrings and empty lines are left out: other words leave the table as it is.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

from runner.planning.plan import balanced_orders

_ROOT = Path(__file__).resolve().parents[2]
_STATS = ("intervals.py", "family.py", "estimators.py", "sizing.py")
_HERE = ("scenarios.py", "simulation.py", "intervals.py", "outcomes.py", "bounds.py", "study.py", "design.py")


def code_hash() -> str:
    """The sha256 of the intervals, the estimator, the sizes, the orders, the scenarios and the simulation."""
    files = [_ROOT / "runner" / "stats" / name for name in _STATS]
    files += [Path(__file__).with_name(name) for name in _HERE]
    sources = [path.read_text(encoding="utf-8") for path in files] + [inspect.getsource(balanced_orders)]
    parts = [*map(without_words, sources), Path(__file__).with_name("components.toml").read_text(encoding="utf-8")]
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()


def without_words(source: str) -> str:
    """Return Python source without its comments, docstrings and empty lines, and otherwise as it is written."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for docstring in _docstrings(ast.parse(source)):
        lines[docstring.lineno - 1 : docstring.end_lineno] = [""] * ((docstring.end_lineno or 0) - docstring.lineno + 1)
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _docstrings(tree: ast.AST) -> Iterator[ast.stmt]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node, clean=False):
            yield node.body[0]
