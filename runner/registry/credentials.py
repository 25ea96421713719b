"""Who logs in to a registry: what `docker login` left, a name and password that were given, or (in `ecr`) a token.

A password is held in memory alone: it is in no representation, message, file or argument list.
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
    """Gives the login for each request, so that one which expires can be replaced between two of them."""

    def login(self) -> Login | None:
        """The login to use now; None for the one that `docker login` left."""

    def renew(self) -> bool:
        """Get a new login in place of one that has expired; false if there is no other to be had."""

    def advice(self) -> str:
        """What a user can do where this login is refused."""


@dataclass(frozen=True)
class DockerLogin:
    """Nothing of our own: the engine's SDK looks into the configuration that `docker login` writes."""

    host: str

    def login(self) -> Login | None:
        """None: the SDK finds it."""
        return None

    def renew(self) -> bool:
        """There is no other."""
        return False

    def advice(self) -> str:
        """Log in, or give a name."""
        return f"Log in (docker login {self.host}), or give --username and --password-stdin."


@dataclass(frozen=True)
class GivenLogin:
    """A name and a password that the user gave."""

    given: Login

    def login(self) -> Login | None:
        """The same each time."""
        return self.given

    def renew(self) -> bool:
        """There is no other."""
        return False

    def advice(self) -> str:
        """Look at what was given."""
        return f"The registry does not take this password of {self.given.username}; check --username and the password."
