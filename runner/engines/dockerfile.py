"""Renders an installation's Dockerfile from the template and stacks.toml. The same data always gives the same bytes."""

from __future__ import annotations

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from runner.catalogue.stacks import IMAGES, Installation, Stack, load_stacks

TEMPLATE = "Dockerfile.j2"


def render(stack: Stack, installation: Installation) -> str:
    """The Dockerfile of one installation.

    It names every variant that stacks.toml has, also those that a run leaves out on its processor: an image does not
    depend on the host that built it.
    """
    stack = load_stacks().get(stack.name, stack)
    environment = Environment(loader=FileSystemLoader(IMAGES), undefined=StrictUndefined, keep_trailing_newline=True,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    return environment.get_template(TEMPLATE).render(stack=stack, installation=installation)
