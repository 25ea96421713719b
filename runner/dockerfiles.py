"""Renders the committed Dockerfiles from the one template and stacks.toml: same data, same bytes.

`python -m runner.dockerfiles` writes images/rendered/; a test renders again and compares.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from runner.atomic import write_whole
from runner.stacks import IMAGES, Installation, Stack, every_installation, load_stacks

TEMPLATE = "Dockerfile.j2"


def render(stack: Stack, installation: Installation) -> str:
    """The Dockerfile of one installation."""
    environment = Environment(loader=FileSystemLoader(IMAGES), undefined=StrictUndefined, keep_trailing_newline=True,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    return environment.get_template(TEMPLATE).render(stack=stack, installation=installation)


def rendered_path(installation: Installation) -> Path:
    """Where the committed Dockerfile of an installation lies."""
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
