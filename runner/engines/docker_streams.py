"""Reads what the Docker engine sends in pieces: the chunks of a file system and the messages of a build.

Independent of the Docker SDK.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runner.errors import HostError


class Chunks(io.RawIOBase):
    """A readable file whose content is the chunks that the SDK delivers."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Return true: the file can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` from the current chunk or the next one. Return the number of bytes, 0 at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def follow_build(stream: Iterator[Mapping[str, Any]], on_line: Callable[[str], None], keep: int = 12) -> None:
    """Read a build's messages to their end.

    Raises:
        HostError: the build failed; the message has the failing step and ends with the step's last lines.
    """
    step, lines = "", list[str]()
    for message in stream:
        if "error" in message:
            last = " / ".join(lines[-keep:])
            raise HostError(
                f"The build failed in {step or 'its first step'}: {message['error'].strip()} Last lines: {last}"
            )
        for line in str(message.get("stream") or message.get("status") or "").splitlines():
            if line.startswith("Step "):
                step, lines = line.strip(), []
            if line.strip():
                lines.append(line.strip())
                on_line(line.strip())
