"""The only module that imports the Docker SDK: connects, builds, runs, moves and removes, and names every failure.

Knows containers and images, not launches or stacks.
"""

from __future__ import annotations

import io
import os
import re
import socket
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container
from docker.types import LogConfig

from runner.engines.container import ContainerSpec
from runner.engines.docker_address import DockerUnavailableError, engine_address, explain_no_connection
from runner.engines.docker_streams import Chunks, follow_build
from runner.errors import HostError, RegistryError

# The SDK has one timeout for every answer; a build step or a container may be silent for long.
ANSWER_SECONDS = 3600
LOCAL_SCHEMES = ("unix://", "http+unix://")
KILL_GRACE_SECONDS = 30.0
TRANSFER_BYTES = 1 << 20
# All that the SDK raises: its own errors, and those of the two libraries below it that it lets through.
FAILURES = (DockerException, requests.exceptions.RequestException, urllib3.exceptions.HTTPError)
_URL = re.compile(r"(?: with url| for)?:? *(?:https?(?:\+\w+)?://|/v\d[\d.]*/)\S*")
START_AGAIN = "Look at the engine (docker info; journalctl -u docker), start it again, then try again."

# User name and password for a registry, as the engine's API takes them; None for what `docker login` has left.
Auth = Mapping[str, str] | None
# What the engine tells of a transfer; closing it ends the transfer.
Messages = Generator[Mapping[str, Any], None, None]


@dataclass(frozen=True)
class Ended:
    """How a container ended, as the engine tells it."""

    exit_code: int
    out_of_memory: bool
    stopped_by_deadline: bool


@dataclass(frozen=True)
class Found:
    """A container that is there already."""

    name: str
    is_running: bool
    labels: Mapping[str, str]


class RegistryRefusalError(RegistryError):
    """A registry, or the engine on the way to it, refused a request. `words` are its own, `status` is HTTP's."""

    def __init__(self, doing: str, words: str, status: int | None = None) -> None:
        super().__init__(f"{doing}: {words}")
        self.doing = doing
        self.words = words
        self.status = status


class Docker:
    """A connection to a local Docker engine."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    @classmethod
    def connect(cls, environment: Mapping[str, str] = os.environ) -> Docker:
        """Connect to the engine of DOCKER_HOST or the current context, if it is on this host.

        Raises:
            DockerUnavailableError: there is none, we may not use it, or it is remote.
        """
        address = engine_address(environment)
        if not address.startswith(LOCAL_SCHEMES):
            raise DockerUnavailableError(
                f"The Docker engine is remote ({address}, from DOCKER_HOST or the current context): pins, job files "
                "and results are of this host. Run the kit on that machine, or unset DOCKER_HOST and choose the local "
                "context (docker context use default)."
            )
        try:
            # Asked by hand first: from a bare socket the reason comes as an exception of its own, not as a text.
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(address.split("://", 1)[1])
            client = docker.DockerClient(base_url=address, timeout=ANSWER_SECONDS, version="auto")
        except (OSError, DockerException) as error:
            raise DockerUnavailableError(explain_no_connection(address, error)) from error
        return cls(client)

    def info(self) -> dict[str, Any]:
        """What the engine tells about itself."""
        with _explained("Asking the Docker engine about itself", START_AGAIN):
            return dict(self._client.info())

    def version(self) -> str:
        """The engine's version."""
        with _explained("Asking the Docker engine for its version", START_AGAIN):
            return str(self._client.version()["Version"])

    def find_image(self, reference: str) -> dict[str, Any] | None:
        """The attributes of an image that the engine has; None if it has not.

        Raises:
            HostError: this can be no image's name, or the engine does not answer.
        """
        with _explained(f"Looking for the image {reference}", "Check the name, and that the engine runs."):
            try:
                return dict(self._client.images.get(reference).attrs)
            except (ImageNotFound, NotFound):
                return None

    def require_in_registry(self, reference: str) -> None:
        """Ask the image's registry whether it has it, without fetching it.

        Raises:
            HostError: the registry has it not, or cannot be reached.
        """
        with _explained(f"The image {reference} is neither here nor to be had"):
            self._client.images.get_registry_data(reference)

    def pull(self, reference: str) -> dict[str, Any]:
        """Fetch an image.

        Raises:
            HostError: it cannot be had; the engine's own words are in the message.
        """
        with _explained(f"The image {reference} cannot be pulled"):
            # The answer begins with 200 OK before anything is fetched: a failure is a message of the stream.
            for message in self._client.api.pull(reference, stream=True, decode=True):
                if "error" in message:
                    raise HostError(f"The image {reference} cannot be pulled: {str(message['error']).strip()}")
            return dict(self._client.images.get(reference).attrs)

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Give an image of this engine another name."""
        with _explained(f"Giving an image the name {repository}:{tag}", START_AGAIN):
            self._client.api.tag(image_id, repository, tag, force=True)

    def untag(self, reference: str) -> None:
        """Take a name from an image; the image goes with its last one. That it is gone already is no error."""
        with _explained(f"Taking the name {reference} from an image", START_AGAIN), suppress(NotFound):
            self._client.api.remove_image(reference, noprune=True)

    def registry_digest(self, reference: str, auth: Auth) -> str:
        """The digest of the manifest that a registry has under a reference, without fetching the image.

        Raises:
            RegistryRefusalError: it has none, cannot be reached, or does not let us in.
        """
        try:
            found = self._client.images.get_registry_data(reference, auth_config=_given(auth))
            return str(found.attrs["Descriptor"]["digest"])
        except FAILURES as error:
            raise _refusal(f"Asking the registry for {reference}", error) from error

    def push(self, repository: str, tag: str, auth: Auth) -> Messages:
        """Send a tagged image; the engine's messages as they come, failures of the registry among them.

        Raises:
            RegistryRefusalError: the engine refused, or went away in the middle.
        """
        try:
            yield from self._client.api.push(repository, tag, stream=True, decode=True, auth_config=_given(auth))
        except FAILURES as error:
            raise _refusal(f"Pushing {repository}:{tag}", error) from error

    def pull_by_digest(self, repository: str, digest: str, auth: Auth) -> Messages:
        """Fetch an image by its digest; the engine's messages as they come. Closing the iterator ends the transfer.

        Raises:
            RegistryRefusalError: the engine refused, or went away in the middle.
        """
        try:
            yield from self._client.api.pull(repository, digest, stream=True, decode=True, auth_config=_given(auth))
        except FAILURES as error:
            raise _refusal(f"Pulling {repository}@{digest}", error) from error

    def build(
        self, context: IO[bytes], dockerfile: str, tag: str, arguments: Mapping[str, str], hear: Callable[[str], None]
    ) -> str:
        """Build an image from a tar of its context and return its id. `hear` gets each line as it comes.

        Raises:
            HostError: a step failed; the message holds that step and its last lines.
        """
        with _explained(f"The image {tag} could not be built"):
            stream = self._client.api.build(
                fileobj=context, custom_context=True, dockerfile=dockerfile, tag=tag, buildargs=dict(arguments),
                rm=True, forcerm=True, decode=True,
            )  # fmt: skip
            follow_build(stream, hear)
            return str(self._client.images.get(tag).id)

    def run(self, spec: ContainerSpec, deadline_seconds: float, log: Path) -> Ended:
        """Run a container to its end, or kill it at the deadline; it is removed whatever happens.

        A log that cannot be read or written does not change how the container ended.

        Raises:
            HostError: it could not be started or killed, or the engine went away.
        """
        # By name: an interrupt may come when the engine has made it and has not told us its id.
        try:
            container = self._start(spec)
            with _explained("Waiting for a container", "Start the engine again, then go on with --resume."):
                return _follow(container, deadline_seconds, log)
        finally:
            self._remove_quietly(spec.name)

    @contextmanager
    def file_system(self, image_id: str, name: str, labels: Mapping[str, str]) -> Iterator[IO[bytes]]:
        """The tar of an image's file system, as a stream, from a container that is never started.

        Raises:
            HostError: the image is not there, or the engine cannot read it.
        """
        try:
            with _explained(f"The image {image_id} cannot be read"):
                container = self._client.containers.create(
                    image_id, name=name, labels=dict(labels), network_mode="none", use_config_proxy=False
                )
                chunks: Iterator[Any] = iter(container.export())  # the stubs promise text; it is bytes
                yield io.BufferedReader(Chunks(chunks), TRANSFER_BYTES)
        finally:
            self._remove_quietly(name)

    def labelled(self, label: str) -> list[Found]:
        """Every container with a label, running or not."""
        with _explained("Looking for containers of earlier runs", START_AGAIN):
            found = self._client.api.containers(all=True, filters={"label": label})
        return [
            Found(str(each["Names"][0]).lstrip("/"), each["State"] in ("running", "paused", "restarting"),
                  each.get("Labels") or {})
            for each in found if each.get("Names")
        ]  # fmt: skip

    def remove(self, name: str) -> None:
        """Kill and remove a container; that it is gone already is no error.

        Raises:
            HostError: it cannot be removed.
        """
        with _explained(f"The container {name}, which an earlier run left, cannot be removed", START_AGAIN):
            try:
                self._client.api.remove_container(name, force=True, v=True)
            except APIError as error:
                if error.status_code not in (404, 409):  # gone, or going already
                    raise

    def _remove_quietly(self, name: str) -> None:
        """Remove a container of ours after its end or a failure, of which an error here must not take the place.

        What could not be removed keeps its label: the next start removes it, or says why it cannot.
        """
        with suppress(HostError):
            self.remove(name)

    def _start(self, spec: ContainerSpec) -> Container:
        mounts = {str(path): {"bind": target, "mode": "ro"} for path, target in spec.read_only.items()}
        mounts |= {str(path): {"bind": target, "mode": "rw"} for path, target in spec.writable.items()}
        limits: dict[str, Any] = {}
        if spec.memory_bytes is not None:
            limits = {"mem_limit": spec.memory_bytes, "memswap_limit": spec.memory_bytes}
        with _explained("A container could not be started", "Run the same command again, or look at `docker info`."):
            container = self._client.containers.create(
                spec.image_id, list(spec.command), name=spec.name, labels=dict(spec.labels),
                environment=dict(spec.environment), cpuset_cpus=spec.cpuset_cpus, cpuset_mems=spec.cpuset_mems,
                network_mode=spec.network_mode, read_only=spec.read_only_root, tmpfs=dict(spec.tmpfs),
                cap_drop=list(spec.cap_drop), security_opt=list(spec.security_opt), user=spec.user, init=spec.init,
                shm_size=spec.shm_bytes, volumes=mounts, userns_mode=spec.userns_mode or None,
                # The client's proxies, passwords included, are no business of a container without a network, and a
                # daemon whose default is to keep no logs could not tell us what went wrong.
                use_config_proxy=False, log_config=LogConfig(type=LogConfig.types.JSON), **limits,
            )  # fmt: skip
            container.start()
            return container


def _follow(container: Container, deadline_seconds: float, log: Path) -> Ended:
    try:
        late = not _wait(container, deadline_seconds)
        if late:
            _kill(container)
        container.reload()
    except NotFound:
        return Ended(-9, out_of_memory=False, stopped_by_deadline=False)  # somebody else removed it
    _keep_log(container, log)
    state = container.attrs["State"]
    return Ended(int(state["ExitCode"]), bool(state["OOMKilled"]), late)


def _kill(container: Container) -> None:
    """Kill a container.

    Raises:
        HostError: it goes on running, beside whatever is measured next.
    """
    with suppress(APIError):  # it may have ended by itself in this very moment
        container.kill()
    if not _wait(container, KILL_GRACE_SECONDS):
        raise HostError(
            f"The container {container.name} was killed at its deadline, and still runs {KILL_GRACE_SECONDS:.0f} s "
            "later. Nothing can be measured beside it: see that it ends (docker rm --force), then go on with --resume."
        )


def _keep_log(container: Container, log: Path) -> None:
    """Write a container's log, or why there is none: what was measured does not depend on it."""
    try:
        text = container.logs()
    except FAILURES as error:
        text = f"the engine could not read this container's log: {_words(error)}\n".encode()
    with suppress(OSError):  # the record that follows is what a full disk must stop at, and says so
        log.write_bytes(text)


def _wait(container: Container, seconds: float) -> bool:
    """Wait for a container's end; false if the time ran out. The SDK's timeout is only that of one HTTP answer."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            container.wait(timeout=max(0.1, left))
        except APIError:  # an answer, NotFound among them
            raise
        except requests.exceptions.RequestException as error:
            if "timed out" not in str(error):  # this answer's own timeout, in either of the SDK's two wrappings
                raise
            continue
        return True
    return False


@contextmanager
def _explained(doing: str, advice: str = "") -> Iterator[None]:
    """Turn every failure of the SDK into one paragraph.

    Raises:
        HostError: something failed; the message says what was being done and has the engine's own words.
    """
    try:
        yield
    except FAILURES as error:
        raise HostError(f"{doing}: {_words(error)}{f'. {advice}' if advice else ''}") from error


def _given(auth: Auth) -> dict[str, str] | None:
    return None if auth is None else dict(auth)


def _refusal(doing: str, error: Exception) -> RegistryRefusalError:
    return RegistryRefusalError(doing, _words(error), getattr(getattr(error, "response", None), "status_code", None))


def _words(error: Exception) -> str:
    """The engine's own words, without the SDK's frame around them.

    Nor the request's URL, which is in the SDK's own words: a build's arguments travel in it, passwords of proxies too.
    """
    said = getattr(error, "explanation", None)
    if said:
        return str(said).strip().rstrip(".")
    return _URL.sub("", str(error)).strip().rstrip(".") or type(error).__name__
