"""The variables that a host may set for a Compose file: names, defaults, and the placeholders that stand for them.

Knows neither services nor YAML.
"""

from __future__ import annotations

from runner.catalogue.stacks import Stack
from runner.compose.request import ComposeRequest
from runner.engines.docker_images import ImageBuilder
from runner.host.pin import Pin

# Placeholders for values that the host sets; document.py writes them as Compose variables with defaults.
RUN, CPUS, THREADS, MEMORY, RESULTS = "@KIT_RUN@", "@KIT_CPUS@", "@KIT_THREADS@", "@KIT_MEMORY@", "@KIT_RESULTS@"
USER = "@KIT_UID@:@KIT_GID@"
NO_LIMIT = "0"


def image_variable(stack: str, installation: str) -> str:
    """The variable that names an installation's image: KIT_IMAGE_TF_2_14_STOCK."""
    return f"KIT_IMAGE_{_variable_part(stack)}_{_variable_part(installation)}"


def base_image_variable(stack: str) -> str:
    """The variable that names a stack's base image: KIT_BASE_IMAGE_TF_2_14."""
    return f"KIT_BASE_IMAGE_{_variable_part(stack)}"


def image_tokens(stacks: tuple[Stack, ...]) -> dict[str, dict[str, str]]:
    """The placeholders for the images, by stack and installation."""
    return {
        stack.name: {name: f"@{image_variable(stack.name, name)}@" for name in stack.installations} for stack in stacks
    }


def defaults(composed: ComposeRequest, pin: Pin, memory_bytes: int | None, results: str) -> dict[str, str]:
    """Every variable that a host may set, with its default."""
    values = {
        "KIT_RUN": composed.run,
        "KIT_CPUS": pin.cpu_list,
        "KIT_THREADS": str(pin.threads),
        "KIT_MEMORY": NO_LIMIT if memory_bytes is None else str(memory_bytes),
        "KIT_UID": "1000",
        "KIT_GID": "1000",
        "KIT_RESULTS": results,
    }
    for stack in composed.request.stacks:
        values[base_image_variable(stack.name)] = stack.base_image
        for name in stack.installations:
            values[image_variable(stack.name, name)] = ImageBuilder.tag(stack.name, name)
    return values


def _variable_part(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name).upper()
