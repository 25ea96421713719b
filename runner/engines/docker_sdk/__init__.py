"""The only package that imports the Docker SDK: connects, builds, runs, moves and removes, and names every failure.

Knows containers and images, not launches or stacks.
"""

from runner.engines.docker_sdk.client import Auth, Docker, Found
from runner.engines.docker_sdk.containers import LOG_DRIVER, Ended
from runner.engines.docker_sdk.digests import digest_for
from runner.engines.docker_sdk.failures import RegistryRefusalError

__all__ = ["LOG_DRIVER", "Auth", "Docker", "Ended", "Found", "RegistryRefusalError", "digest_for"]
