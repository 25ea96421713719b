"""Writes the committed Dockerfiles from the one template and stacks.toml.

`python -m maintenance.dockerfiles` writes images/rendered/. A test renders them again and compares.
"""

from __future__ import annotations

from pathlib import Path

from runner.catalogue.stacks import IMAGES, Installation, every_installation, load_stacks
from runner.engines.dockerfile import render
from runner.support.atomic import write_whole


def rendered_path(installation: Installation) -> Path:
    """The path of an installation's committed Dockerfile."""
    return IMAGES / "rendered" / installation.stack / installation.name / "Dockerfile"


def main() -> None:
    """Write every Dockerfile."""
    for stack, installation in every_installation(load_stacks().values()):
        path = rendered_path(installation)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, render(stack, installation))
        print(f"wrote {path.relative_to(IMAGES.parent)}")


if __name__ == "__main__":
    main()
