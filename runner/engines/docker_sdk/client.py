"""A connection to a local Docker engine: its images, its containers, and its transfers to and from registries."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from runner.engines.container import ContainerSpec
from runner.engines.docker_sdk.address import DockerUnavailableError, engine_address, explain_no_connection
from runner.engines.docker_sdk.containers import Ended, follow, start
from runner.engines.docker_sdk.engine_info import EngineInfo, engine_info_of
from runner.engines.docker_sdk.failures import FAILURES, START_AGAIN, explained, registry_refusal
from runner.engines.docker_sdk.images import Image, image_of
from runner.engines.docker_streams import Chunks, follow_build
from runner.errors import HostError

# The SDK has one timeout for all answers, and a build step or a container may print nothing for a long time.
ANSWER_SECONDS = 3600
LOCAL_SCHEMES = ("unix://", "http+unix://")
TRANSFER_BYTES = 1 << 20

# User name and password for a registry, as the engine's API takes them. None: the ones that `docker login` has stored.
Auth = Mapping[str, str] | None
# The engine's messages about a transfer. Closing the generator ends the transfer.
Messages = Generator[Mapping[str, Any], None, None]


@dataclass(frozen=True)
class Found:
    """A container that exists on the engine."""

    name: str
    is_running: bool
    labels: Mapping[str, str]


class Docker:
    """A connection to a local Docker engine."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    @classmethod
    def connect(cls) -> Docker:
        """Connect to the engine of DOCKER_HOST or of the current context, if it is on this host.

        Raises:
            DockerUnavailableError: there is no engine, this user may not use it, or it is remote.
        """
        address = engine_address()
        if not address.startswith(LOCAL_SCHEMES):
            raise DockerUnavailableError(
                f"The Docker engine is remote ({address}, from DOCKER_HOST or the current context). The kit needs a "
                "local one, because it pins to CPUs of this host and exchanges files with containers through this "
                "host's folders. Run the kit on that machine, or unset DOCKER_HOST and choose the local context "
                "(docker context use default)."
            )
        try:
            # A plain socket is tried first: its exception has a class that says why, and the SDK's has only a text.
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(address.split("://", 1)[1])
            client = docker.DockerClient(base_url=address, timeout=ANSWER_SECONDS, version="auto")
        except (OSError, DockerException) as error:
            raise DockerUnavailableError(explain_no_connection(address, error)) from error
        return cls(client)

    def info(self) -> EngineInfo:
        """What the engine reports about itself."""
        with explained("Asking the Docker engine about itself", START_AGAIN):
            return engine_info_of(self._client.info())

    def version(self) -> str:
        """The engine's version."""
        with explained("Asking the Docker engine for its version", START_AGAIN):
            return str(self._client.version()["Version"])

    def find_image(self, reference: str) -> Image | None:
        """An image that the engine has; None if it does not have it.

        Raises:
            HostError: the reference is not a valid image name, or the engine does not answer.
        """
        with explained(f"Looking for the image {reference}", "Check the name, and that the engine runs."):
            try:
                return image_of(self._client.images.get(reference).attrs)
            except (ImageNotFound, NotFound):
                return None

    def require_in_registry(self, reference: str) -> None:
        """Check that an image's registry has the image, without fetching it.

        Raises:
            HostError: the registry does not have the image, or cannot be reached.
        """
        with explained(f"The image {reference} is not on this engine and cannot be pulled"):
            self._client.images.get_registry_data(reference)

    def pull(self, reference: str) -> Image:
        """Fetch an image and return it.

        Raises:
            HostError: it cannot be fetched; the message has the engine's own words.
        """
        with explained(f"The image {reference} cannot be pulled"):
            # The engine answers 200 OK before it fetches anything, so a failure arrives as a message of the stream.
            for message in self._client.api.pull(reference, stream=True, decode=True):
                if "error" in message:
                    raise HostError(f"The image {reference} cannot be pulled: {str(message['error']).strip()}")
            return image_of(self._client.images.get(reference).attrs)

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Give an image of this engine another name."""
        with explained(f"Giving an image the name {repository}:{tag}", START_AGAIN):
            self._client.api.tag(image_id, repository, tag, force=True)

    def untag(self, reference: str) -> None:
        """Remove a name from an image. An image without a name left is deleted. A name that is gone is no error."""
        with explained(f"Taking the name {reference} from an image", START_AGAIN), suppress(NotFound):
            self._client.api.remove_image(reference, noprune=True)

    def registry_digest(self, reference: str, auth: Auth) -> str:
        """The digest of the manifest that a registry has for a reference. The image is not fetched.

        Raises:
            RegistryRefusalError: the registry has none, cannot be reached, or refuses the login.
        """
        try:
            found = self._client.images.get_registry_data(reference, auth_config=_given(auth))
            return str(found.attrs["Descriptor"]["digest"])
        except FAILURES as error:
            raise registry_refusal(f"Asking the registry for {reference}", error) from error

    def push(self, repository: str, tag: str, auth: Auth) -> Messages:
        """Send a tagged image. Yields the engine's messages as they come; failures of the registry are among them.

        Raises:
            RegistryRefusalError: the engine refused, or stopped answering during the transfer.
        """
        try:
            yield from self._client.api.push(repository, tag, stream=True, decode=True, auth_config=_given(auth))
        except FAILURES as error:
            raise registry_refusal(f"Pushing {repository}:{tag}", error) from error

    def pull_by_digest(self, repository: str, digest: str, auth: Auth) -> Messages:
        """Fetch an image by its digest. Yields the engine's messages as they come; closing it ends the transfer.

        Raises:
            RegistryRefusalError: the engine refused, or stopped answering during the transfer.
        """
        try:
            yield from self._client.api.pull(repository, digest, stream=True, decode=True, auth_config=_given(auth))
        except FAILURES as error:
            raise registry_refusal(f"Pulling {repository}@{digest}", error) from error

    def build(
        self,
        context: IO[bytes],
        dockerfile: str,
        tag: str,
        arguments: Mapping[str, str],
        on_line: Callable[[str], None],
    ) -> str:
        """Build an image from a tar of its context and return its id. `on_line` is called with each line of output.

        Raises:
            HostError: a step failed; the message has that step and its last lines.
        """
        with explained(f"The image {tag} could not be built"):
            stream = self._client.api.build(
                fileobj=context, custom_context=True, dockerfile=dockerfile, tag=tag, buildargs=dict(arguments),
                rm=True, forcerm=True, decode=True,
            )  # fmt: skip
            follow_build(stream, on_line)
            return str(self._client.images.get(tag).id)

    def run(self, spec: ContainerSpec, deadline_seconds: float, log: Path) -> Ended:
        """Run a container to its end, or kill it at the deadline. It is removed in every case.

        What is returned does not depend on whether the log can be read and written.

        Raises:
            HostError: the container could not be started or killed, or the engine stopped answering.
        """
        # It is removed by name: an interrupt may come when the engine has made it and we do not have its id yet.
        try:
            container = start(self._client, spec)
            with explained("Waiting for a container", "Start the engine again, then go on with --resume."):
                return follow(container, deadline_seconds, log)
        finally:
            self._remove_quietly(spec.name)

    @contextmanager
    def file_system(self, image_id: str, name: str, labels: Mapping[str, str]) -> Iterator[IO[bytes]]:
        """The tar of an image's file system as a stream, read from a container that is never started.

        Raises:
            HostError: the engine does not have the image, or cannot read it.
        """
        try:
            with explained(f"The image {image_id} cannot be read"):
                container = self._client.containers.create(
                    image_id, name=name, labels=dict(labels), network_mode="none", use_config_proxy=False
                )
                chunks: Iterator[Any] = iter(container.export())  # the type stubs say text, and it is bytes
                yield io.BufferedReader(Chunks(chunks), TRANSFER_BYTES)
        finally:
            self._remove_quietly(name)

    def labelled(self, label: str) -> list[Found]:
        """Every container with a label, running or not."""
        with explained("Looking for containers of earlier runs", START_AGAIN):
            found = self._client.api.containers(all=True, filters={"label": label})
        return [
            Found(str(each["Names"][0]).lstrip("/"), each["State"] in ("running", "paused", "restarting"),
                  each.get("Labels") or {})
            for each in found if each.get("Names")
        ]  # fmt: skip

    def process(self, name: str) -> tuple[int, str] | None:
        """The id of a container's first process on the engine's host, and the container's own id.

        None if the container is not running.

        Raises:
            HostError: the engine stopped answering.
        """
        with explained(f"Looking for the process of the container {name}", START_AGAIN):
            try:
                found = self._client.api.inspect_container(name)
            except NotFound:
                return None
            state = found["State"]
            return (int(state["Pid"]), str(found["Id"])) if state["Running"] and state["Pid"] else None

    def remove(self, name: str) -> None:
        """Kill and remove a container. A container that is gone already is no error.

        Raises:
            HostError: the container cannot be removed.
        """
        with explained(f"The container {name}, which an earlier run left, cannot be removed", START_AGAIN):
            try:
                self._client.api.remove_container(name, force=True, v=True)
            except APIError as error:
                if error.status_code not in (404, 409):  # it is gone, or being removed already
                    raise

    def _remove_quietly(self, name: str) -> None:
        """Remove a container after its end or after a failure. An error here is dropped, so that it hides no other.

        A container that could not be removed keeps its label. The next session removes it, or says why it cannot.
        """
        with suppress(HostError):
            self.remove(name)


def _given(auth: Auth) -> dict[str, str] | None:
    return None if auth is None else dict(auth)
