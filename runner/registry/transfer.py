"""Requests to one registry: reads the engine's messages, tries again after network failures, renews an expired login.

Knows neither stacks nor images locks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random

from runner.engines.docker_sdk import Auth, RegistryRefusalError
from runner.engines.protocol import Notify
from runner.registry.credentials import Credentials
from runner.registry.reference import Repository
from runner.registry.refusals import WORTH_ANOTHER_TRY, explain, kind_of

Result = TypeVar("Result")
# The engine's words for a layer of which nothing is left to do.
ENDED = ("Pushed", "Layer already exists", "Mounted from", "Pull complete", "Already exists", "Download complete")


@dataclass(frozen=True)
class Layer:
    """The progress of one layer. Sizes are in bytes, 0 where the engine does not report them."""

    name: str
    state: str
    current: int = 0
    total: int = 0

    @property
    def has_ended(self) -> bool:
        """Whether nothing of the layer is left to send or to fetch."""
        return self.state.startswith(ENDED)


OnLayer = Callable[[Layer], None]


@dataclass(frozen=True)
class RetryPolicy:
    """How many attempts a request gets, and the seconds between them, which double each time and have jitter added."""

    attempts: int = 5
    first_wait: float = 1.0
    longest_wait: float = 30.0


@dataclass(frozen=True)
class RegistryClient:
    """What every request to one registry needs: its host, the credentials, when to try again, and where to report."""

    host: str
    credentials: Credentials
    notify: Notify
    retry_policy: RetryPolicy = RetryPolicy()

    def ask(self, request: Callable[[Auth], Result]) -> Result:
        """Make a request. It is made again after a network failure, or with a new login if the old one has expired.

        Raises:
            RegistryRefusalError: the registry refused. After several attempts it is the last refusal.
        """
        retry_policy = self.retry_policy
        retrying = Retrying(
            stop=stop_after_attempt(retry_policy.attempts),
            wait=wait_exponential(retry_policy.first_wait, retry_policy.longest_wait)
            + wait_random(0, retry_policy.first_wait),
            retry=retry_if_exception(self._is_worth_another_try),
            before_sleep=self._notify_failure,
            reraise=True,
        )
        answer: Result = retrying(self._request, request)
        return answer

    def explained(self, refusal: RegistryRefusalError) -> Exception:
        """The refusal as an error that says what to do."""
        return explain(refusal, self.host, self.credentials.advice())

    def _request(self, request: Callable[[Auth], Result]) -> Result:
        login = self.credentials.login()
        return request(None if login is None else login.auth())

    def _is_worth_another_try(self, error: BaseException) -> bool:
        if not isinstance(error, RegistryRefusalError):
            return False
        kind = kind_of(error)
        return kind in WORTH_ANOTHER_TRY or (kind == "expired" and self.credentials.renew())

    def _notify_failure(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, RegistryRefusalError):
            again = "again with a new login" if kind_of(error) == "expired" else "trying again"
            self.notify(f"  {error.words.rstrip('.')}; {again} (attempt {state.attempt_number} of "
                      f"{self.retry_policy.attempts} failed)")  # fmt: skip


ConnectRegistry = Callable[[Repository, Notify], RegistryClient]


def follow(doing: str, messages: Iterable[Mapping[str, Any]], on_layer: OnLayer) -> str | None:
    """Read a transfer's messages to their end. Return the digest of the image in the registry, None if none says it.

    Raises:
        RegistryRefusalError: the transfer failed; the message has the registry's own words.
    """
    digest: str | None = None
    for message in messages:
        if "error" in message or "errorDetail" in message:
            detail = message.get("errorDetail") or {}
            raise RegistryRefusalError(doing, str(detail.get("message") or message.get("error")), detail.get("code"))
        status = str(message.get("status") or "")
        aux = message.get("aux") or {}
        if "Digest" in aux:
            digest = str(aux["Digest"])
        elif status.startswith("Digest: "):
            digest = status.removeprefix("Digest: ")
        elif message.get("id") and status and not status.startswith("Pulling from"):  # that message's id is the image's
            progress = message.get("progressDetail") or {}
            on_layer(
                Layer(str(message["id"]), status, int(progress.get("current") or 0), int(progress.get("total") or 0))
            )
    return digest
