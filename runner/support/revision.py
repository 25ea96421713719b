"""Which commit of the kit this is. Asks git, and nothing else of the kit."""

from __future__ import annotations

import subprocess
from pathlib import Path


def revision(folder: Path) -> str | None:
    """The git revision of a clone, with a plus sign if files were changed since; None outside of a clone."""
    head = read_git(folder, "rev-parse", "HEAD")
    changed = read_git(folder, "status", "--porcelain", "--untracked-files=no")
    return None if head is None else head + ("+" if changed else "")


def read_git(folder: Path, *arguments: str) -> str | None:
    """What git answers, without the last line's end; None if it fails or is not installed."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
