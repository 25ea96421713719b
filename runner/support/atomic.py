"""Writes a file, or adds a line to one, so that a reader never sees a half, whatever dies in between."""

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


def append_line(path: Path, line: str) -> None:
    """Add a line, newline included, and force it to disk. A torn last line of an earlier crash is cut off first.

    Raises:
        OSError: the line could not be written; earlier lines are whole.
    """
    with path.open("ab+") as file:
        whole = _whole_length(file.seek(0, os.SEEK_END), path)
        file.truncate(whole)
        try:
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.truncate(whole)
            raise


def whole_lines(path: Path) -> list[bytes]:
    """Every whole line of a file; none if there is no file. A torn last line is passed over.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        return path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []


def _whole_length(size: int, path: Path) -> int:
    return path.read_bytes().rfind(b"\n") + 1 if size else 0
