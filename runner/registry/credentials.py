"""Logins to registries: the one that `docker login` stored, a name and a password, or (in `ecr`) a token.

A password is held in memory only. It appears in no repr, message, file or argument list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Login:
    """A user name and a password, or a token in its place."""

    username: str
    password: str = field(repr=False)

    def auth(self) -> Mapping[str, str]:
        """The login as the engine's API takes it."""
        return {"username": self.username, "password": self.password}


class Credentials(Protocol):
    """Gives the login for each request, so that a login which has expired can be replaced between two requests."""

    def login(self) -> Login | None:
        """The login to use now; None for the one that `docker login` stored."""

    def renew(self) -> bool:
        """Replace a login that has expired by a new one; false if that is not possible."""

    def advice(self) -> str:
        """What a user can do if this login is refused."""


@dataclass(frozen=True)
class DockerLogin:
    """The login that `docker login` stored. The SDK reads it from Docker's configuration."""

    host: str

    def login(self) -> Login | None:
        """None, because the SDK finds the login by itself."""
        return None

    def renew(self) -> bool:
        """There is no other login."""
        return False

    def advice(self) -> str:
        """Advise to log in, or to give a name and a password."""
        return f"Log in (docker login {self.host}), or give --username and --password-stdin."


@dataclass(frozen=True)
class GivenLogin:
    """A name and a password that the user gave."""

    given: Login

    def login(self) -> Login | None:
        """The name and the password that were given."""
        return self.given

    def renew(self) -> bool:
        """There is no other login."""
        return False

    def advice(self) -> str:
        """Advise to check what was given."""
        return f"The registry does not accept this password for {self.given.username}. Check it, and --username."
