"""Lists the workload's files and hashes them, to check that what ran is what was planned."""

from __future__ import annotations

import hashlib
from pathlib import Path

from runner.catalogue.stacks import WORKLOAD


def workload_files(folder: Path = WORKLOAD) -> dict[str, Path]:
    """The workload's source files by their path in the workload, sorted."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.py")}
    return dict(sorted(found.items()))


def workload_sha256(folder: Path = WORKLOAD) -> str:
    """The SHA-256 of the workload's sources. The workload computes the same hash and puts it into each result."""
    digest = hashlib.sha256()
    for name, path in workload_files(folder).items():
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
