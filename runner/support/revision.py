"""Reads the git commit of this copy of the kit. Imports nothing of the kit."""

from __future__ import annotations

import subprocess
from pathlib import Path


def revision(folder: Path) -> str | None:
    """The git revision of a clone; None outside of a clone. A plus sign is added if tracked files were changed."""
    head = read_git(folder, "rev-parse", "HEAD")
    changed = read_git(folder, "status", "--porcelain", "--untracked-files=no")
    return None if head is None else head + ("+" if changed else "")


def read_git(folder: Path, *arguments: str) -> str | None:
    """What a git command prints, without surrounding white space; None if it fails or git is not installed."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
