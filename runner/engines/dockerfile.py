"""Renders an installation's Dockerfile from the template and stacks.toml. The same data always gives the same bytes."""

from __future__ import annotations

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from runner.catalogue.stacks import IMAGES, Installation, Stack

TEMPLATE = "Dockerfile.j2"


def render(stack: Stack, installation: Installation) -> str:
    """The Dockerfile of one installation."""
    environment = Environment(loader=FileSystemLoader(IMAGES), undefined=StrictUndefined, keep_trailing_newline=True,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    return environment.get_template(TEMPLATE).render(stack=stack, installation=installation)
