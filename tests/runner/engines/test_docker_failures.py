"""The Docker engine failing at every request: one paragraph without secrets, and no container left behind."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import requests
import urllib3

from runner.engines.container import ContainerSpec
from runner.engines.docker import COMPOSE_LABEL, RUN_LABEL, DockerEngine, as_the_caller, docker_run_line, only_child
from runner.engines.docker_images import ImageSource
from runner.engines.docker_sdk import Docker, Ended, EngineInfo
from runner.errors import HostError
from tests.runner.engines.fake_client import FakeClient, api_error, over

SPEC = ContainerSpec(
    image_id="sha256:image", command=("--job", "/job/job.json"), name="kit-1", labels={RUN_LABEL: "run"},
    environment={}, cpuset_cpus="0", cpuset_mems="0", memory_bytes=None, shm_bytes=1, tmpfs_bytes=1, user="1000:1000",
)  # fmt: skip
GONE_AWAY = requests.exceptions.ConnectionError(
    "HTTPConnectionPool: Max retries exceeded with url: /v1.43/build?buildargs=%22http%3A%2F%2Fu%3Asecret%40proxy%22 "
    "(Caused by a broken connection)"
)


def run(client: FakeClient, tmp_path: Path) -> Ended:
    """Run a container to its end."""
    return over(client).run(SPEC, 60, tmp_path / "log.txt")


def engine_over(client: FakeClient) -> DockerEngine:
    """The engine over a fake client; it builds no image here."""
    return DockerEngine(over(client), cast(ImageSource, None))


def container(name: str, state: str, **labels: str) -> dict[str, Any]:
    """A container as the engine lists it."""
    return {"Names": [f"/{name}"], "State": state, "Labels": labels}


@pytest.mark.parametrize("request_name", ["start", "wait", "reload"])
@pytest.mark.parametrize("error", [GONE_AWAY, api_error(500, "cannot"), urllib3.exceptions.ProtocolError("broken")])
def test_a_failing_request_ends_in_one_paragraph_and_leaves_no_container(
    tmp_path: Path, request_name: str, error: Exception
) -> None:
    """Whatever the SDK raises and whenever, the container is removed and the user is told what to do."""
    client = FakeClient(fail={request_name: error})
    with pytest.raises(HostError, match=r"A container could not be started|Waiting for a container"):
        run(client, tmp_path)
    assert client.here == {}


def test_an_engine_that_cannot_pin_does_not_meet_the_prerequisites() -> None:
    """The check comes before anything is built, whatever images the engine has."""
    engine_over(FakeClient()).prerequisites(())
    with pytest.raises(HostError, match="cpuset"):
        engine_over(FakeClient(can_pin=False)).prerequisites(())


KILLED = {"ExitCode": 137}


@pytest.mark.parametrize(
    ("memory_bytes", "states", "expected"),
    [
        (1024, [KILLED, {}, {"OOMKilled": True}], True),  # the engine heard of it after the container's end
        (1024, [KILLED], False),  # somebody else killed it
        (1024, [{"ExitCode": 1}, {"OOMKilled": True}], False),  # it ended by itself: nobody asks again
        (None, [KILLED, {"OOMKilled": True}], False),
    ],
)
def test_out_of_memory_may_be_known_after_a_containers_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory_bytes: int | None, states: list[dict[str, Any]],
    expected: bool,
) -> None:  # fmt: skip
    """The kernel's kill reaches the engine as an event of its own; where it may be one, the engine is asked again."""
    monkeypatch.setattr("runner.engines.docker_sdk.containers.OUT_OF_MEMORY_SECONDS", 0.5)
    spec = dataclasses.replace(SPEC, memory_bytes=memory_bytes)
    ended = over(FakeClient(states=iter(states))).run(spec, 60, tmp_path / "log.txt")
    assert ended.out_of_memory is expected


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GONE_AWAY])
def test_a_container_is_removed_whose_creation_was_not_answered(tmp_path: Path, error: BaseException) -> None:
    """Ctrl-C or a lost connection between request and answer: it is there, and only its name is known."""

    def lose() -> None:
        raise error

    client = FakeClient(after_create=lose)
    with pytest.raises((KeyboardInterrupt, HostError)):
        run(client, tmp_path)
    assert client.here == {}


def test_an_interrupt_during_the_start_leaves_no_container(tmp_path: Path) -> None:
    """Ctrl-C in the very moment of the start is passed on after the container is gone."""
    client = FakeClient(fail={"start": KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        run(client, tmp_path)
    assert client.here == {}


def test_a_failing_removal_does_not_take_the_place_of_the_first_error(tmp_path: Path) -> None:
    client = FakeClient(fail={"wait": api_error(500, "the first"), "remove": GONE_AWAY})
    with pytest.raises(HostError, match="the first"):
        run(client, tmp_path)


def test_a_failing_removal_does_not_cost_a_finished_launch(tmp_path: Path) -> None:
    """The launch has ended; the next start removes its container."""
    assert run(FakeClient(fail={"remove": GONE_AWAY}), tmp_path).exit_code == 0


def test_a_container_that_somebody_removes_is_an_error_of_that_launch_alone(tmp_path: Path) -> None:
    """The run goes on with the next one."""
    assert run(FakeClient(fail={"wait": api_error(404, "No such container")}), tmp_path).exit_code == -9


@pytest.mark.parametrize("error", [GONE_AWAY, api_error(500, "logging driver does not support reading")])
def test_a_log_that_cannot_be_read_does_not_discard_the_result(tmp_path: Path, error: Exception) -> None:
    """The log file holds the reason instead."""
    assert run(FakeClient(fail={"logs": error}), tmp_path).exit_code == 0
    assert "could not read this container's log" in (tmp_path / "log.txt").read_text()


def test_a_log_that_cannot_be_written_does_not_discard_the_result(tmp_path: Path) -> None:
    """The log's folder is missing here, which fails as a full disk does."""
    assert run(FakeClient(), tmp_path / "missing").exit_code == 0


def test_a_container_gets_neither_the_clients_proxies_nor_a_daemons_log_driver(tmp_path: Path) -> None:
    """Proxies of ~/.docker/config.json hold passwords; a default driver may keep no log that can be read."""
    client = FakeClient()
    run(client, tmp_path)
    assert client.asked["use_config_proxy"] is False
    assert client.asked["log_config"]["Type"] == "json-file"


REQUESTS: dict[str, Callable[[Docker], object]] = {
    "info": lambda docker: docker.info(),
    "get": lambda docker: docker.find_image("BAD REFERENCE"),
    "list": lambda docker: docker.labelled(RUN_LABEL),
    "remove": lambda docker: docker.remove("kit-1"),
    "build": lambda docker: docker.build(io.BytesIO(), "Dockerfile", "tag", {}, print),
}


@pytest.mark.parametrize("name", list(REQUESTS))
@pytest.mark.parametrize("error", [GONE_AWAY, api_error(500), api_error(500, "invalid reference format")])
def test_every_request_explains_its_failure_without_the_url(name: str, error: Exception) -> None:
    """A build's arguments travel in its URL, a proxy's password among them."""
    with pytest.raises(HostError) as raised:
        REQUESTS[name](over(FakeClient(fail={name: error})))
    assert "secret" not in str(raised.value)
    assert "buildargs" not in str(raised.value)


def test_a_failure_in_the_middle_of_a_pull_is_told() -> None:
    """The answer began with success; the error is one of its messages."""
    client = FakeClient(messages=[{"status": "Pulling"}, {"error": "no space left on device"}])
    with pytest.raises(HostError, match="base:1 cannot be pulled: no space left on device"):
        over(client).pull("base:1")


def test_what_earlier_runs_left_is_removed_and_nothing_else() -> None:
    """Containers of any run of the kit go; those of a Compose project and of strangers stay."""
    client = FakeClient(
        here={
            "crashed": container("crashed", "running", **{RUN_LABEL: "one"}),
            "created": container("created", "created", **{RUN_LABEL: "two"}),
            "composed": container("composed", "exited", **{RUN_LABEL: "compose", COMPOSE_LABEL: "kit"}),
            "stranger": container("stranger", "running"),
        }
    )
    engine_over(client).remove_leftovers()
    assert set(client.here) == {"composed", "stranger"}


def test_a_running_container_of_a_compose_project_is_named_and_left_alone() -> None:
    """It would measure beside this run, and it is not ours to end."""
    composed = container("kit-launch-1", "running", **{RUN_LABEL: "compose", COMPOSE_LABEL: "kit"})
    client = FakeClient(here={"kit-launch-1": composed})
    with pytest.raises(HostError, match="kit-launch-1 would measure beside this one"):
        engine_over(client).remove_leftovers()
    assert set(client.here) == {"kit-launch-1"}


def test_a_leftover_that_cannot_be_removed_stops_the_start() -> None:
    """Measuring beside it would make both wrong."""
    client = FakeClient(
        here={"old": container("old", "running", **{RUN_LABEL: "one"})}, fail={"remove": api_error(500)}
    )
    with pytest.raises(HostError, match="The container old, which an earlier run left"):
        engine_over(client).remove_leftovers()


def test_cleanup_is_of_one_run_alone() -> None:
    """After an interrupt only the containers of that run are removed."""
    client = FakeClient(here={name: container(name, "running", **{RUN_LABEL: name}) for name in ("one", "two")})
    engine_over(client).cleanup("one")
    assert set(client.here) == {"two"}


def test_the_child_of_a_containers_init_is_the_launch(tmp_path: Path) -> None:
    """The number that an engine names may be another process here, as where the runner itself is in a container."""
    folder = tmp_path / "41" / "task" / "41"
    folder.mkdir(parents=True)
    (tmp_path / "41" / "cgroup").write_text("4:cpuset:/docker/c0ffee\n")
    (folder / "children").write_text("")
    assert only_child(41, "c0ffee", tmp_path) is None, "the init has not started it yet"
    (folder / "children").write_text("42 ")
    assert only_child(41, "c0ffee", tmp_path) == 42
    assert only_child(41, "decaf", tmp_path) is None
    assert only_child(43, "c0ffee", tmp_path) is None


def test_a_rootless_engine_runs_launches_as_its_root() -> None:
    """The caller is root inside; its own number would be a stranger, who may not write the result."""
    assert as_the_caller(SPEC, EngineInfo(is_rootless=True)).user == "0:0"
    assert as_the_caller(SPEC, EngineInfo()) == SPEC


def test_an_engine_that_maps_users_is_told_not_to() -> None:
    """In the host's own user namespace the caller's number means the caller, for the SDK and in a printed line."""
    spec = as_the_caller(SPEC, EngineInfo(maps_users=True))
    assert (spec.user, spec.userns_mode) == ("1000:1000", "host")
    assert "--userns host" in docker_run_line(spec)
