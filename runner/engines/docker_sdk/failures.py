"""Turns every exception of the Docker SDK into an error of the kit: one paragraph with the engine's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3
from docker.errors import DockerException

from runner.errors import HostError, RegistryError

# Everything that the SDK raises: its own errors, and errors of the two libraries that it uses.
FAILURES = (DockerException, requests.exceptions.RequestException, urllib3.exceptions.HTTPError)
START_AGAIN = "Look at the engine (docker info; journalctl -u docker), start it again, then try again."
_URL = re.compile(r"(?: with url| for)?:? *(?:https?(?:\+\w+)?://|/v\d[\d.]*/)\S*")


class RegistryRefusalError(RegistryError):
    """A registry, or the engine on the way to it, refused a request. `words` are its text, `status` the HTTP status."""

    def __init__(self, doing: str, words: str, status: int | None = None) -> None:
        super().__init__(f"{doing}: {words}")
        self.doing = doing
        self.words = words
        self.status = status


@contextmanager
def explained(doing: str, advice: str = "") -> Iterator[None]:
    """Turn every exception of the SDK into one paragraph: what was being done (`doing`), the cause, and the advice.

    Raises:
        HostError: the SDK raised an exception; the message has the engine's own words.
    """
    try:
        yield
    except FAILURES as error:
        raise HostError(f"{doing}: {words(error)}{f'. {advice}' if advice else ''}") from error


def registry_refusal(doing: str, error: Exception) -> RegistryRefusalError:
    """The error for an exception of a request to a registry, with the HTTP status if there is one."""
    return RegistryRefusalError(doing, words(error), getattr(getattr(error, "response", None), "status_code", None))


def words(error: Exception) -> str:
    """The engine's own words, without the text that the SDK puts around them.

    The SDK's text contains the request's URL. It is left out too, because the URL of a build has the build's arguments
    in it, and these may contain passwords of proxies.
    """
    said = getattr(error, "explanation", None)
    if said:
        return str(said).strip().rstrip(".")
    return _URL.sub("", str(error)).strip().rstrip(".") or type(error).__name__
