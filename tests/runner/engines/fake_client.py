"""A Docker SDK client without an engine: containers are entries of a dictionary, any request can fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import docker
import requests
from docker.errors import APIError, NotFound

from runner.engines.docker_sdk import Docker

ENDED = {"ExitCode": 0, "OOMKilled": False}


def api_error(status: int, words: str = "") -> APIError:
    """An answer of the engine other than success."""
    response = requests.Response()
    response.status_code = status
    response.url = "http+docker://localhost/v1.43/build?buildargs=%7B%22HTTP_PROXY%22%3A%22http%3A%2F%2Fu%3Asecret"
    kind = NotFound if status == 404 else APIError
    return kind(f"{status} Server Error for {response.url}", response=response, explanation=words or None)


@dataclass
class FakeContainer:
    """One container; a request that it is given to `fail` raises that error."""

    client: FakeClient
    name: str
    attrs: dict[str, Any] = field(default_factory=lambda: {"State": dict(ENDED), "HostConfig": {}})

    def start(self) -> None:
        """Run, or fail."""
        self.client.request("start")

    def wait(self, timeout: float) -> None:
        """End at once, or fail."""
        self.client.request("wait")

    def kill(self) -> None:
        """End at once, or fail."""
        self.client.request("kill")

    def reload(self) -> None:
        """Read the container's state again: the next that a test has chosen, else nothing changes."""
        self.client.request("reload")
        self.attrs["State"] |= next(self.client.states, {})

    def logs(self) -> bytes:
        """What a test has chosen."""
        self.client.request("logs")
        return self.client.printed


@dataclass
class FakeClient:
    """Stands for the client, for its `containers`, its `images` and its low-level `api` at once."""

    fail: dict[str, BaseException] = field(default_factory=dict)
    here: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    after_create: Callable[[], None] = lambda: None
    can_pin: bool = True
    printed: bytes = b"a line\n"
    kernel: str | None = None
    states: Iterator[dict[str, Any]] = field(default_factory=lambda: iter(()))

    def request(self, name: str) -> None:
        """Fail if this request is to fail."""
        if name in self.fail:
            raise self.fail[name]

    @property
    def api(self) -> FakeClient:
        """The low-level client."""
        return self

    images = api

    def create(self, image: str, command: list[str] | None = None, **options: Any) -> FakeContainer:
        """Make a container; `after_create` fails between the request and its answer."""
        self.request("create")
        self.asked = {"image": image, **options}
        state = {"Names": [f"/{options['name']}"], "State": "created", "Labels": options.get("labels", {})}
        self.here[options["name"]] = state
        self.after_create()
        return FakeContainer(self, options["name"], {"State": dict(ENDED), "HostConfig": _host_config(options)})

    def remove_container(self, name: str, force: bool, v: bool) -> None:
        """Remove a container by name."""
        self.request("remove")
        if self.here.pop(name, None) is None:
            raise api_error(404, f"No such container: {name}")

    def list_containers(self, all: bool, filters: dict[str, str]) -> list[dict[str, Any]]:  # noqa: A002
        """Every container with a label, whatever its value where none is asked for."""
        self.request("list")
        name, _, value = filters["label"].partition("=")
        return [each for each in self.here.values() if name in each["Labels"] and value in ("", each["Labels"][name])]

    def info(self) -> dict[str, Any]:
        """What the engine says of itself."""
        self.request("info")
        return {"CPUSet": self.can_pin, "KernelVersion": self.kernel, "OperatingSystem": "Docker Desktop"}

    def get(self, reference: str) -> None:
        """No image is here."""
        self.request("get")
        raise api_error(404, f"No such image: {reference}")

    def pull(self, reference: str, stream: bool = False, decode: bool = False) -> Iterator[dict[str, Any]]:
        """The messages that a test has chosen."""
        return iter(self.messages)

    def build(self, **options: Any) -> Iterator[dict[str, Any]]:
        """The messages that a test has chosen, or a failure."""
        self.request("build")
        return iter(self.messages)


def _host_config(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the engine says of a container that was made with these options."""
    return {
        "CpusetCpus": options["cpuset_cpus"], "CpusetMems": options["cpuset_mems"],
        "Memory": options.get("mem_limit", 0), "NetworkMode": options["network_mode"],
        "ReadonlyRootfs": options["read_only"], "CapDrop": options["cap_drop"],
        "SecurityOpt": options["security_opt"],
    }  # fmt: skip


class _Containers:
    """Both `client.containers.create(...)` and `client.api.containers(...)`."""

    def __init__(self, client: FakeClient) -> None:
        self.create = client.create
        self._list = client.list_containers

    def __call__(self, **options: Any) -> list[dict[str, Any]]:
        return self._list(**options)


def over(client: FakeClient) -> Docker:
    """The kit's connection over a fake client."""
    client.containers = _Containers(client)  # type: ignore[attr-defined]
    return Docker(cast(docker.DockerClient, client))
