"""Checks for free disk space. It adds up what will be written to each filesystem before anything is downloaded."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.errors import DiskError


def temporary_folder() -> Path:
    """Where pip unpacks what it downloads (TMPDIR)."""
    return Path(tempfile.gettempdir())


def free_bytes(path: Path) -> int:
    """Bytes that may still be written at a path, which need not exist yet."""
    return shutil.disk_usage(_existing(path)).free


@dataclass(frozen=True)
class Filesystem:
    """One filesystem: the folders below which will be written, the bytes needed for that, and the bytes free."""

    folders: tuple[Path, ...]
    needed: int
    free: int


def filesystems(needs: Mapping[Path, int]) -> list[Filesystem]:
    """Add up what will be written (bytes by path) on each filesystem; paths with 0 bytes are left out."""
    by_device: dict[int, list[tuple[Path, int]]] = defaultdict(list)
    for path, size in needs.items():
        if size:
            by_device[os.stat(_existing(path)).st_dev].append((path, size))
    return [
        Filesystem(tuple(path for path, _ in entries), sum(size for _, size in entries), free_bytes(entries[0][0]))
        for entries in by_device.values()
    ]


def check(needs: Mapping[Path, int]) -> None:
    """Check that every filesystem has room for all that will be written to it (bytes by path).

    Raises:
        DiskError: a filesystem has too little room; the message names the folders, what is free and what is needed.
    """
    for each in filesystems(needs):
        if each.free < each.needed:
            folders = " and ".join(map(str, each.folders))
            raise DiskError(
                f"Too little disk: {in_gigabytes(each.needed)} will be written below {folders}, and "
                f"{in_gigabytes(each.free)} "
                "is free there. Free some room (in the Docker engine's folder with `docker system prune`), or point "
                "KIT_CACHE (environments), TMPDIR, PIP_CACHE_DIR (downloads) or --out (the run) at another filesystem."
            )


def in_gigabytes(size: int) -> str:
    """A number of bytes as text for people, for example 1.4 GB (1 GB is 1e9 bytes)."""
    return f"{size / 1e9:.1f} GB"


def _existing(path: Path) -> Path:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path
