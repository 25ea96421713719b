"""The least IAM policies: what pushing and pulling really ask for, recorded, is what they allow, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from runner.engines.docker_sdk import Docker
from runner.errors import RegistryError
from runner.registry.credentials import GivenLogin, Login
from runner.registry.ecr import Ecr
from runner.registry.ecr_calls import Settings
from runner.registry.image_lock import LockedImage
from runner.registry.lifecycle import keep_last
from runner.registry.pull import obtain
from runner.registry.push import Push, push
from runner.registry.reference import Repository
from tests.runner.registry.conftest import MakeImage, forget, registry_client
from tests.runner.registry.servers import Front
from tests.runner.registry.test_ecr import HOST, INSTALLATIONS, bare, quiet, record

POLICIES = Path(__file__).resolve().parents[3] / "runner" / "registry"
# Making the IAM user and its key, which moto's access control must let pass: three calls.
CALLS_TO_MAKE_A_USER = 3
API_STATEMENTS = ("Token", "Repository")


def statements(name: str) -> dict[str, set[str]]:
    """The actions of each statement of a policy."""
    policy = json.loads((POLICIES / name).read_text(encoding="utf-8"))
    return {
        each["Sid"]: {each["Action"]} if isinstance(each["Action"], str) else set(each["Action"])
        for each in policy["Statement"]
    }


def use_the_api(session: boto3.Session) -> None:
    """Everything that a push asks of the API: a repository is made, then found, given a policy; and a token."""
    registry = Ecr(session, HOST)
    for settings in (Settings(), Settings(lifecycle=keep_last(3, INSTALLATIONS))):
        registry.make_ready("tf-kit", settings, quiet)
    registry.login()


@pytest.fixture
def bare_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Moto, and no configuration of this user's."""
    bare(monkeypatch, tmp_path)
    with mock_aws():
        yield


def test_the_push_policy_has_exactly_the_api_calls_that_are_made(bare_aws: None) -> None:
    """Recorded at the client, not read from the code."""
    session = boto3.Session()
    calls = record(session)
    use_the_api(session)
    allowed = statements("ecr-push-policy.json")
    assert {name for name, _ in calls} == set().union(*(allowed[sid] for sid in API_STATEMENTS))


def test_the_pull_policy_has_exactly_the_api_calls_that_are_made(bare_aws: None) -> None:
    """A pull needs a token and nothing else of the API."""
    session = boto3.Session()
    calls = record(session)
    Ecr(session, HOST).login()
    assert {name for name, _ in calls} == statements("ecr-pull-policy.json")["Token"]


def session_of(policy: dict[str, Any]) -> boto3.Session:
    """A session of a user who has this policy and no other."""
    iam = boto3.client("iam", region_name="us-east-1")
    iam.create_user(UserName="pusher")
    iam.put_user_policy(UserName="pusher", PolicyName="push", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="pusher")["AccessKey"]
    return boto3.Session(key["AccessKeyId"], key["SecretAccessKey"])


def test_the_push_policy_is_enough_and_each_of_its_api_actions_is_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With moto's access control on, the policy lets a push through; without any one action it is denied by name."""
    bare(monkeypatch, tmp_path)
    text = (POLICIES / "ecr-push-policy.json").read_text(encoding="utf-8")
    # Moto's access control asks for each action on every resource, whatever the request names.
    policy = json.loads(text.replace("arn:aws:ecr:us-east-1:123456789012:repository/tf-kit", "*"))
    assert outcome(policy) == ""
    allowed = statements("ecr-push-policy.json")
    for action in sorted(set().union(*(allowed[sid] for sid in API_STATEMENTS))):
        assert f"These credentials lack the permission for {action}" in outcome(without(policy, action))


def without(policy: dict[str, Any], action: str) -> dict[str, Any]:
    """The policy with one action less."""
    kept = [
        {**each, "Action": left}
        for each in policy["Statement"]
        if (left := [name for name in _listed(each["Action"]) if name != action])
    ]
    return {**policy, "Statement": kept}


def outcome(policy: dict[str, Any]) -> str:
    """The error of a push's API calls with a policy; empty for none."""
    messages: list[str] = []

    @set_initial_no_auth_action_count(CALLS_TO_MAKE_A_USER)
    def attempt() -> None:
        with mock_aws():
            try:
                use_the_api(session_of(policy))
            except RegistryError as error:
                messages.append(str(error))

    attempt()
    return "".join(messages)


@pytest.mark.registry
@pytest.mark.docker
def test_the_layer_actions_are_those_of_the_engines_own_requests(
    docker: Docker, front: tuple[str, Front], make_image: MakeImage
) -> None:
    """Every request of a push, of a second one, and of a pull on another host is noted by ECR's name for it."""
    host, state = front
    wanted = Push(make_image("kit-test:1"), Repository(host, f"kit-{uuid4().hex[:8]}"), "tf-2.14-stock-0.1.0-0")
    talk = registry_client(host, GivenLogin(Login("AWS", state.token)))
    push(docker, wanted, talk, lambda layer: None)
    docker.untag(wanted.target)
    push(docker, wanted, talk, lambda layer: None)
    assert set(state.actions) == statements("ecr-push-policy.json")["Layers"]
    # An image that this engine has never pulled: it keeps the manifests of those that it has.
    wanted = replace(wanted, image_id=make_image("kit-test:2"), tag="tf-2.14-stock-0.1.0-1")
    digest = push(docker, wanted, talk, lambda layer: None)
    forget(wanted.image_id)
    state.actions.clear()
    locked = LockedImage("tf-2.14", "stock", wanted.repository, digest, wanted.tag, wanted.image_id, {})
    obtain(docker, locked, talk, lambda layer: None)
    assert set(state.actions) == statements("ecr-pull-policy.json")["Layers"]


def _listed(action: str | list[str]) -> list[str]:
    return [action] if isinstance(action, str) else action
