"""Which files the workload consists of, and their common hash: what ran must be what was planned."""

from __future__ import annotations

import hashlib
from pathlib import Path

from runner.catalogue.stacks import WORKLOAD


def workload_files(folder: Path = WORKLOAD) -> dict[str, Path]:
    """The workload's sources by their name inside it, sorted."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.py")}
    return dict(sorted(found.items()))


def workload_sha256(folder: Path = WORKLOAD) -> str:
    """Identify the workload's sources, as the workload itself does in each result; the two must agree."""
    digest = hashlib.sha256()
    for name, path in workload_files(folder).items():
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
