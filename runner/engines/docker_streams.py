"""What the Docker engine sends in pieces, read to its end: a file system's chunks, a build's messages. Knows no SDK."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runner.errors import HostError


class Chunks(io.RawIOBase):
    """The SDK's chunks as a file that can be read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """It can be read, and nothing else."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` from the current chunk, or the next one; 0 at the end."""
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
        HostError: the build failed; the message ends with the failing step and its last lines.
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
