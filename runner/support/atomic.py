"""Writes a file, or adds a line to one, so that a reader never sees a part of it, even after a crash."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: str | bytes) -> None:
    """Write the content to a temporary file beside `path`, force it to disk (fsync), then rename it to `path`.

    Raises:
        OSError: the content could not be written; an earlier file at `path` is unchanged.
    """
    data = content.encode() if isinstance(content, str) else content
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def append_line(path: Path, line: str) -> None:
    """Add a line and force it to disk; `line` ends with its newline. An incomplete last line is cut off first.

    Only a crash leaves an incomplete last line.

    Raises:
        OSError: the line could not be written; earlier lines are unchanged.
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
    """Every complete line of a file, without its newline. An incomplete last line is left out.

    The list is empty if there is no file.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        return path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []


def _whole_length(size: int, path: Path) -> int:
    return path.read_bytes().rfind(b"\n") + 1 if size else 0
