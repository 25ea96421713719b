"""Writes a file so that a reader sees the old one or the new one, never a half, whatever dies in between."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: str | bytes) -> None:
    """Write, fsync, then rename into place.

    Raises:
        OSError: the content could not be written; what was at `path` before is untouched.
    """
    data = content.encode() if isinstance(content, str) else content
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
