"""Reads a Compose file as Compose does: variables filled in from an environment or their defaults, then YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def read(path: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """The file's content on a host with these variables."""
    pattern = re.compile(r"\$\$|\$\{(\w+):-([^}]*)\}")

    def value(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else environment.get(found[1], found[2])

    content: dict[str, Any] = yaml.safe_load(pattern.sub(value, path.read_text(encoding="utf-8")))
    return content
