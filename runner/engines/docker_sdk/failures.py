"""Everything that the Docker SDK raises, as one paragraph with the engine's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3
from docker.errors import DockerException

from runner.errors import HostError, RegistryError

# All that the SDK raises: its own errors, and those of the two libraries below it that it lets through.
FAILURES = (DockerException, requests.exceptions.RequestException, urllib3.exceptions.HTTPError)
START_AGAIN = "Look at the engine (docker info; journalctl -u docker), start it again, then try again."
_URL = re.compile(r"(?: with url| for)?:? *(?:https?(?:\+\w+)?://|/v\d[\d.]*/)\S*")


class RegistryRefusalError(RegistryError):
    """A registry, or the engine on the way to it, refused a request. `words` are its own, `status` is HTTP's."""

    def __init__(self, doing: str, words: str, status: int | None = None) -> None:
        super().__init__(f"{doing}: {words}")
        self.doing = doing
        self.words = words
        self.status = status


@contextmanager
def explained(doing: str, advice: str = "") -> Iterator[None]:
    """Turn every failure of the SDK into one paragraph.

    Raises:
        HostError: something failed; the message says what was being done and has the engine's own words.
    """
    try:
        yield
    except FAILURES as error:
        raise HostError(f"{doing}: {words(error)}{f'. {advice}' if advice else ''}") from error


def registry_refusal(doing: str, error: Exception) -> RegistryRefusalError:
    """A failure on the way to a registry, as an error with the HTTP status where there is one."""
    return RegistryRefusalError(doing, words(error), getattr(getattr(error, "response", None), "status_code", None))


def words(error: Exception) -> str:
    """The engine's own words, without the SDK's frame around them.

    Nor the request's URL, which is in the SDK's own words: a build's arguments travel in it, passwords of proxies too.
    """
    said = getattr(error, "explanation", None)
    if said:
        return str(said).strip().rstrip(".")
    return _URL.sub("", str(error)).strip().rstrip(".") or type(error).__name__
