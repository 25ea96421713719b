"""The only package that imports the Docker SDK. Every failure of the SDK leaves it as one of the kit's own errors.

It knows containers and images, and nothing of launches or stacks.
"""

from runner.engines.docker_sdk.client import Auth, Docker, Found
from runner.engines.docker_sdk.containers import LOG_DRIVER, Ended
from runner.engines.docker_sdk.engine_info import EngineInfo
from runner.engines.docker_sdk.failures import RegistryRefusalError
from runner.engines.docker_sdk.images import Image, digest_for

__all__ = [
    "LOG_DRIVER", "Auth", "Docker", "Ended", "EngineInfo", "Found", "Image", "RegistryRefusalError", "digest_for",
]  # fmt: skip
