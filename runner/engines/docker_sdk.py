"""The only module that imports the Docker SDK: connects, builds, runs, moves and removes, and names every failure.

Knows containers and images, not launches or stacks.
"""

from __future__ import annotations

import io
import os
import socket
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import docker
import requests
from docker.errors import APIError, BuildError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container

from runner.engines.container import ContainerSpec
from runner.engines.docker_address import DockerUnavailableError, engine_address, explain_no_connection
from runner.errors import HostError, RegistryError

# The SDK has one timeout for every answer; a build step or a container may be silent for long.
ANSWER_SECONDS = 3600
LOCAL_SCHEMES = ("unix://", "http+unix://")
KILL_GRACE_SECONDS = 30.0
TRANSFER_BYTES = 1 << 20

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
        return dict(self._client.info())

    def version(self) -> str:
        """The engine's version."""
        return str(self._client.version()["Version"])

    def find_image(self, reference: str) -> dict[str, Any] | None:
        """The attributes of an image that the engine has; None if it has not."""
        try:
            return dict(self._client.images.get(reference).attrs)
        except (ImageNotFound, NotFound):
            return None

    def require_in_registry(self, reference: str) -> None:
        """Ask the image's registry whether it has it, without fetching it.

        Raises:
            HostError: the registry has it not, or cannot be reached.
        """
        try:
            self._client.images.get_registry_data(reference)
        except DockerException as error:
            raise HostError(f"The image {reference} is neither here nor to be had: {_words(error)}") from error

    def pull(self, reference: str) -> dict[str, Any]:
        """Fetch an image.

        Raises:
            HostError: it cannot be had; the engine's own words are in the message.
        """
        try:
            self._client.api.pull(reference)
            return dict(self._client.images.get(reference).attrs)
        except DockerException as error:
            raise HostError(f"The image {reference} cannot be pulled: {_words(error)}") from error

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Give an image of this engine another name."""
        self._client.api.tag(image_id, repository, tag, force=True)

    def untag(self, reference: str) -> None:
        """Take a name from an image; the image goes with its last one. That it is gone already is no error."""
        with suppress(NotFound):
            self._client.api.remove_image(reference, noprune=True)

    def registry_digest(self, reference: str, auth: Auth) -> str:
        """The digest of the manifest that a registry has under a reference, without fetching the image.

        Raises:
            RegistryRefusalError: it has none, cannot be reached, or does not let us in.
        """
        try:
            found = self._client.images.get_registry_data(reference, auth_config=_given(auth))
            return str(found.attrs["Descriptor"]["digest"])
        except (DockerException, requests.exceptions.RequestException) as error:
            raise _refusal(f"Asking the registry for {reference}", error) from error

    def push(self, repository: str, tag: str, auth: Auth) -> Messages:
        """Send a tagged image; the engine's messages as they come, failures of the registry among them.

        Raises:
            RegistryRefusalError: the engine refused, or went away in the middle.
        """
        try:
            yield from self._client.api.push(repository, tag, stream=True, decode=True, auth_config=_given(auth))
        except (DockerException, requests.exceptions.RequestException) as error:
            raise _refusal(f"Pushing {repository}:{tag}", error) from error

    def pull_by_digest(self, repository: str, digest: str, auth: Auth) -> Messages:
        """Fetch an image by its digest; the engine's messages as they come. Closing the iterator ends the transfer.

        Raises:
            RegistryRefusalError: the engine refused, or went away in the middle.
        """
        try:
            yield from self._client.api.pull(repository, digest, stream=True, decode=True, auth_config=_given(auth))
        except (DockerException, requests.exceptions.RequestException) as error:
            raise _refusal(f"Pulling {repository}@{digest}", error) from error

    def build(
        self, context: IO[bytes], dockerfile: str, tag: str, arguments: Mapping[str, str], hear: Callable[[str], None]
    ) -> str:
        """Build an image from a tar of its context and return its id. `hear` gets each line as it comes.

        Raises:
            HostError: a step failed; the message holds that step and its last lines.
        """
        stream = self._client.api.build(
            fileobj=context, custom_context=True, dockerfile=dockerfile, tag=tag, buildargs=dict(arguments), rm=True,
            forcerm=True, decode=True,
        )  # fmt: skip
        try:
            follow_build(stream, hear)
            return str(self._client.images.get(tag).id)
        except (APIError, BuildError, ImageNotFound) as error:
            raise HostError(f"The image {tag} could not be built: {_words(error)}") from error

    def run(self, spec: ContainerSpec, deadline_seconds: float, log: Path) -> Ended:
        """Run a container to its end, or kill it at the deadline; it is removed whatever happens.

        Raises:
            HostError: it could not be started.
        """
        container = self._start(spec)
        try:
            late = not _wait(container, deadline_seconds)
            if late:
                with suppress(APIError):  # it may have ended by itself in this very moment
                    container.kill()
                _wait(container, KILL_GRACE_SECONDS)
            container.reload()
            state = container.attrs["State"]
            log.write_bytes(container.logs())
            return Ended(int(state["ExitCode"]), bool(state["OOMKilled"]), late)
        except NotFound:
            return Ended(-9, out_of_memory=False, stopped_by_deadline=False)  # somebody else removed it
        finally:
            remove(container)

    @contextmanager
    def file_system(self, image_id: str) -> Iterator[IO[bytes]]:
        """The tar of an image's file system, as a stream, from a container that is never started.

        Raises:
            HostError: the image is not there, or the engine cannot read it.
        """
        try:
            container = self._client.containers.create(image_id, network_mode="none")
        except DockerException as error:
            raise HostError(f"The image {image_id} cannot be read: {_words(error)}") from error
        try:
            chunks: Iterator[Any] = iter(container.export())  # the stubs promise text; it is bytes
            yield io.BufferedReader(_Chunks(chunks), TRANSFER_BYTES)
        finally:
            remove(container)

    def remove_labelled(self, label: str) -> int:
        """Remove every container with a label, running or not; return how many there were."""
        containers = self._client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
        for container in containers:
            remove(container)
        return len(containers)

    def _start(self, spec: ContainerSpec) -> Container:
        mounts = {str(path): {"bind": target, "mode": "ro"} for path, target in spec.read_only.items()}
        mounts |= {str(path): {"bind": target, "mode": "rw"} for path, target in spec.writable.items()}
        limits: dict[str, Any] = {}
        if spec.memory_bytes is not None:
            limits = {"mem_limit": spec.memory_bytes, "memswap_limit": spec.memory_bytes}
        container = None
        try:
            container = self._client.containers.create(
                spec.image_id, list(spec.command), name=spec.name, labels=dict(spec.labels),
                environment=dict(spec.environment), cpuset_cpus=spec.cpuset_cpus, cpuset_mems=spec.cpuset_mems,
                network_mode=spec.network_mode, read_only=spec.read_only_root, tmpfs=dict(spec.tmpfs),
                cap_drop=list(spec.cap_drop), security_opt=list(spec.security_opt), user=spec.user, init=spec.init,
                shm_size=spec.shm_bytes, volumes=mounts, **limits,
            )  # fmt: skip
            container.start()
        except (APIError, ImageNotFound) as error:
            if container is not None:
                remove(container)
            raise HostError(f"A container could not be started: {_words(error)}") from error
        except BaseException:
            if container is not None:
                remove(container)
            raise
        return container


class _Chunks(io.RawIOBase):
    """The SDK's chunks as a file that can be read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """It can be read, and nothing else."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` from the current chunk, or the next one; 0 at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def follow_build(stream: Iterator[Mapping[str, Any]], hear: Callable[[str], None], keep: int = 12) -> None:
    """Read a build's messages to their end.

    Raises:
        HostError: the build failed; the message ends with the failing step and its last lines.
    """
    step, lines = "", list[str]()
    for message in stream:
        if "error" in message:
            last = " / ".join(lines[-keep:])
            raise HostError(
                f"The build failed in {step or 'its first step'}: {message['error'].strip()} Last lines: {last}"
            )
        for line in str(message.get("stream") or message.get("status") or "").splitlines():
            if line.startswith("Step "):
                step, lines = line.strip(), []
            if line.strip():
                lines.append(line.strip())
                hear(line.strip())


def remove(container: Container) -> None:
    """Kill and remove a container; that it is gone already is no error."""
    with suppress(NotFound, APIError):
        container.remove(force=True, v=True)


def _wait(container: Container, seconds: float) -> bool:
    """Wait for a container's end; false if the time ran out. The SDK's timeout is only that of one HTTP answer."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            container.wait(timeout=max(0.1, left))
        except requests.exceptions.RequestException as error:
            if "timed out" in str(error):  # this answer's own timeout, in either of the SDK's two wrappings
                continue
            raise HostError(f"The Docker engine stopped answering while a container ran: {error}. Start it again, "
                            "then go on with --resume.") from error  # fmt: skip
        return True
    return False


def _given(auth: Auth) -> dict[str, str] | None:
    return None if auth is None else dict(auth)


def _refusal(doing: str, error: Exception) -> RegistryRefusalError:
    return RegistryRefusalError(doing, _words(error), getattr(getattr(error, "response", None), "status_code", None))


def _words(error: Exception) -> str:
    """The engine's own words, without the SDK's frame around them."""
    return str(getattr(error, "explanation", None) or error).strip()
