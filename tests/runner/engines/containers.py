"""The docker command, for tests that look at an engine from outside of the kit."""

from __future__ import annotations

import subprocess


def docker(*arguments: str) -> str:
    """What a docker command prints."""
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()
