"""Connects to registries with the login that the options ask for. No registry is contacted before it is needed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from runner.engines.protocol import Notify
from runner.errors import UsageError
from runner.registry.credentials import Credentials, DockerLogin, GivenLogin, Login
from runner.registry.ecr_calls import EcrHost, ecr_host
from runner.registry.reference import Repository
from runner.registry.transfer import ConnectRegistry, RegistryClient
from runner.session.options import RegistryOptions

if TYPE_CHECKING:
    from runner.registry.ecr import Ecr

PASSWORD_VARIABLE = "KIT_REGISTRY_PASSWORD"


def connect_with(options: RegistryOptions) -> ConnectRegistry:
    """A function that connects to a repository's registry, with the login that the options ask for.

    There is one login for each registry: standard input can be read only once, and a token is valid for hours.
    """
    made: dict[str, Credentials] = {}

    def connect(repository: Repository, notify: Notify) -> RegistryClient:
        if repository.host not in made:
            made[repository.host] = credentials_for(repository, options)
        return RegistryClient(repository.host, made[repository.host], notify)

    return connect


def credentials_for(repository: Repository, options: RegistryOptions) -> Credentials:
    """The name and password that were given; else a token for Amazon ECR, or the login that `docker login` stored.

    Raises:
        UsageError: a password was given without a name, or a name without a password.
    """
    if options.username is not None:
        return GivenLogin(Login(options.username, _password(options)))
    if options.password_stdin:
        raise UsageError("--password-stdin needs the name that goes with the password: --username NAME.")
    return ecr_for(repository, options) or DockerLogin(repository.host)


def ecr_for(repository: Repository, options: RegistryOptions) -> Ecr | None:
    """The repository's registry in Amazon ECR; None if it is another registry.

    Raises:
        UsageError: --region is not that of the host name, or the profile does not exist.
    """
    where = ecr_host(repository.host)
    if where is None:
        return None
    _require_region(where, options)
    from runner.registry import ecr  # importing boto3 is slow, and other registries do not need it

    return ecr.Ecr(ecr.open_session(options.profile), where)


def _password(options: RegistryOptions) -> str:
    """The password from standard input or the environment: every user of the host can read a command line."""
    if options.password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        where = "standard input"
    else:
        password = os.environ.get(PASSWORD_VARIABLE, "")
        where = f"the environment variable {PASSWORD_VARIABLE}"
    if not password:
        raise UsageError(
            f"There is no password for {options.username} in {where}. Set {PASSWORD_VARIABLE}, or pipe the password "
            "in with --password-stdin; it is never taken from the command line."
        )
    return password


def _require_region(where: EcrHost, options: RegistryOptions) -> None:
    if options.region is not None and options.region != where.region:
        raise UsageError(
            f"--region {options.region} is not the region of the registry's host name, {where.region}. Leave the "
            "option out, or name the other region's registry."
        )
