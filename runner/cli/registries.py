"""From options to a registry: which repository, whose login, which lock. Asks nobody before it has to."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from runner.engines.protocol import Tell
from runner.errors import UsageError
from runner.registry import image_lock
from runner.registry.credentials import Credentials, DockerLogin, GivenLogin, Login
from runner.registry.ecr_calls import EcrHost, ecr_host
from runner.registry.image_lock import ImageLock
from runner.registry.reference import Repository
from runner.registry.transfer import Conversation, Converse

if TYPE_CHECKING:
    from runner.registry.ecr import Ecr

PASSWORD_VARIABLE = "KIT_REGISTRY_PASSWORD"


def conversations(arguments: argparse.Namespace) -> Converse:
    """How to talk to each registry, with the login that the options ask for.

    A login is made once for each registry: standard input can be read once only, and a token serves for hours.
    """
    made: dict[str, Credentials] = {}

    def converse(repository: Repository, tell: Tell) -> Conversation:
        if repository.host not in made:
            made[repository.host] = credentials_for(repository, arguments)
        return Conversation(repository.host, made[repository.host], tell)

    return converse


def credentials_for(repository: Repository, arguments: argparse.Namespace) -> Credentials:
    """A token for Amazon ECR; the name and password that were given; else what `docker login` left.

    Raises:
        UsageError: a password without a name, or the other way round.
    """
    if arguments.username is not None:
        return GivenLogin(Login(arguments.username, _password(arguments)))
    if arguments.password_stdin:
        raise UsageError("--password-stdin needs the name that goes with the password: --username NAME.")
    return ecr_for(repository, arguments) or DockerLogin(repository.host)


def ecr_for(repository: Repository, arguments: argparse.Namespace) -> Ecr | None:
    """The repository's registry in Amazon ECR; None if it is another's.

    Raises:
        UsageError: --region is not that of the host name, or there is no such profile.
    """
    where = ecr_host(repository.host)
    if where is None:
        return None
    _require_region(where, arguments)
    from runner.registry import ecr  # boto3 takes its time, and other registries need it not

    return ecr.Ecr(ecr.open_session(arguments.profile), where)


def lock_from(arguments: argparse.Namespace) -> ImageLock:
    """The images lock that the options name, or that a resumed run was begun with.

    Raises:
        UsageError: it cannot be read, or the options ask for both digests and a build.
    """
    taken_over: ImageLock | None = getattr(arguments, "image_lock", None)
    if taken_over is not None:
        return taken_over
    built = {"--base-image": arguments.base_image, "--pip-index": arguments.pip_index}
    for option, value in built.items():
        if value:
            raise UsageError(f"--images runs images by digest and builds nothing, so {option} has no effect with it.")
    return image_lock.read(arguments.images)


def _password(arguments: argparse.Namespace) -> str:
    """From standard input or the environment: an argument list is for every user of the host to read."""
    if arguments.password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        where = "standard input"
    else:
        password = os.environ.get(PASSWORD_VARIABLE, "")
        where = f"the environment variable {PASSWORD_VARIABLE}"
    if not password:
        raise UsageError(
            f"There is no password for {arguments.username} in {where}. Set {PASSWORD_VARIABLE}, or pipe the password "
            "in with --password-stdin; it is never taken from the command line."
        )
    return password


def _require_region(where: EcrHost, arguments: argparse.Namespace) -> None:
    if arguments.region is not None and arguments.region != where.region:
        raise UsageError(
            f"--region {arguments.region} is not the region of the registry's host name, {where.region}. Leave the "
            "option out, or name the other region's registry."
        )
