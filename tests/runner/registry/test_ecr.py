"""Amazon ECR's calls against moto: repositories, tokens, errors, and dry-run's list of calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from runner.catalogue.stacks import find_stack
from runner.errors import EXIT_HOST, EXIT_USAGE, RegistryError, UsageError
from runner.registry import ecr
from runner.registry.credentials import Login
from runner.registry.ecr import Ecr
from runner.registry.ecr_calls import EcrHost, Settings, create_call, describe_call, ecr_host
from runner.registry.lifecycle import keep_last

HOST = EcrHost("123456789012", "us-east-1")
INSTALLATIONS = tuple(find_stack("tf-2.14").installations.values())


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[boto3.Session]:
    """A session with an account of moto's, and no configuration of this user's."""
    bare(monkeypatch, tmp_path)
    with mock_aws():
        yield boto3.Session()


def bare(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """No AWS configuration at all."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def record(session: boto3.Session) -> list[tuple[str, dict[str, Any]]]:
    """Every call that the session's clients make from now on, by its IAM action, with its parameters."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.append((f"{model.service_model.signing_name}:{model.name}", dict(params)))

    session.events.register("provide-client-params.*.*", note)
    return calls


def quiet(_line: str) -> None:
    """Ignore the line."""


def describe(session: boto3.Session, name: str = "tf-kit") -> Any:
    """What moto has of a repository."""
    client = session.client("ecr", region_name="us-east-1")
    return client.describe_repositories(repositoryNames=[name])["repositories"][0]


def test_a_missing_repository_is_made_with_immutable_tags_and_scans(aws: boto3.Session) -> None:
    """Immutable, scanned when an image arrives, encrypted, by the very calls that dry-run shows; and made only once."""
    calls = record(aws)
    for _ in range(2):
        Ecr(aws, HOST).make_ready("tf-kit", Settings(), quiet)
    shown = [describe_call(HOST, "tf-kit"), create_call(HOST, "tf-kit", Settings()), describe_call(HOST, "tf-kit")]
    assert [f"{name} {json.dumps(parameters, sort_keys=True)}" for name, parameters in calls] == [
        call.line() for call in shown
    ]
    made = describe(aws)
    assert made["imageTagMutability"] == "IMMUTABLE"
    assert made["imageScanningConfiguration"] == {"scanOnPush": True}
    assert made["encryptionConfiguration"] == {"encryptionType": "AES256"}
    assert made["repositoryUri"] == "123456789012.dkr.ecr.us-east-1.amazonaws.com/tf-kit"


def test_a_key_of_ones_own_encrypts(aws: boto3.Session) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/0b8e4f3e-0000-4000-8000-000000000000"
    Ecr(aws, HOST).make_ready("tf-kit", Settings("KMS", key), quiet)
    assert describe(aws)["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": key}


def test_an_encryption_that_cannot_be_had_any_more_is_refused(aws: boto3.Session) -> None:
    """ECR cannot change it, so a repository of another encryption is a usage error; without the option it is left."""
    Ecr(aws, HOST).make_ready("tf-kit", Settings(), quiet)
    with pytest.raises(UsageError, match=r"AES256.*KMS.*cannot change"):
        Ecr(aws, HOST).make_ready("tf-kit", Settings("KMS"), quiet)
    Ecr(aws, HOST).make_ready("tf-kit", Settings(), quiet)


def test_a_repository_whose_tags_can_change_is_said_to_be_one(aws: boto3.Session) -> None:
    """What others have made is not changed."""
    aws.client("ecr", region_name="us-east-1").create_repository(repositoryName="tf-kit")
    said: list[str] = []
    Ecr(aws, HOST).make_ready("tf-kit", Settings(), said.append)
    assert "allows its tags to be changed" in said[0]
    assert describe(aws)["imageTagMutability"] == "MUTABLE"


def test_the_built_in_lifecycle_policy_keeps_the_last_of_each_installation(aws: boto3.Session) -> None:
    """One rule for each installation, told apart by the beginning of the tag; also for a repository that exists."""
    Ecr(aws, HOST).make_ready("tf-kit", Settings(), quiet)
    Ecr(aws, HOST).make_ready("tf-kit", Settings(lifecycle=keep_last(3, INSTALLATIONS)), quiet)
    kept = aws.client("ecr", region_name="us-east-1").get_lifecycle_policy(repositoryName="tf-kit")
    rules = json.loads(kept["lifecyclePolicyText"])["rules"]
    assert [rule["selection"]["tagPrefixList"] for rule in rules] == [["tf-2.14-stock-"], ["tf-2.14-intel-"]]
    assert {rule["selection"]["countNumber"] for rule in rules} == {3}


def test_a_region_without_scan_on_push_gets_its_repository_all_the_same(aws: boto3.Session) -> None:
    """Where the setting is refused, the repository is made without it, and one line says so."""

    def refuse(params: dict[str, Any], **_: Any) -> None:
        if "imageScanningConfiguration" in params:
            answer = {"Error": {"Code": "ValidationException", "Message": "imageScanningConfiguration is deprecated"}}
            raise ClientError(answer, "CreateRepository")  # type: ignore[arg-type]

    aws.events.register("provide-client-params.ecr.CreateRepository", refuse)
    said: list[str] = []
    Ecr(aws, HOST).make_ready("tf-kit", Settings(), said.append)
    assert "scan on push" in said[1]
    assert describe(aws)["imageTagMutability"] == "IMMUTABLE"


def test_a_token_is_a_login_that_no_text_shows(aws: boto3.Session) -> None:
    """User name and password come from the token; neither the login nor the registry prints it."""
    registry = Ecr(aws, HOST)
    login = registry.login()
    assert login == Login("AWS", "123456789012-auth-token")
    assert "auth-token" not in f"{login!r} {registry!r} {login}"


@pytest.mark.parametrize(("hours", "tokens"), [(12, 1), (0.1, 2)])
def test_a_token_is_kept_until_it_is_about_to_expire(aws: boto3.Session, hours: float, tokens: int) -> None:
    """One with hours to live serves again, one with minutes does not."""
    expires = datetime.now(timezone.utc) + timedelta(hours=hours)

    def set_expiry(parsed: dict[str, Any], **_: Any) -> None:
        parsed["authorizationData"][0]["expiresAt"] = expires

    aws.events.register("after-call.ecr.GetAuthorizationToken", set_expiry)
    calls = record(aws)
    registry = Ecr(aws, HOST)
    registry.login()
    registry.login()
    assert len(calls) == tokens
    assert registry.renew()
    assert len(calls) == tokens + 1


def test_a_role_of_the_configuration_is_assumed(
    aws: boto3.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """AWS_PROFILE with role_arn and source_profile works as with every other boto3 program."""
    (tmp_path / "config").write_text(
        "[profile pusher]\nrole_arn = arn:aws:iam::210987654321:role/pusher\nsource_profile = base\n"
        "region = eu-central-1\n[profile base]\naws_access_key_id = a\naws_secret_access_key = b\n"
    )
    with monkeypatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.delenv(name)
        patch.setenv("AWS_PROFILE", "pusher")
        session = ecr.open_session(None)
        region = ecr.region_of(session, None)
        assert region == "eu-central-1"
        repository = ecr.own_registry(session, region, "tf-kit")
    assert str(repository) == "210987654321.dkr.ecr.eu-central-1.amazonaws.com/tf-kit"


@pytest.mark.parametrize(
    ("host", "account", "region"),
    [
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com", "123456789012", "us-east-1"),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "123456789012", "us-gov-west-1"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "123456789012", "cn-north-1"),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "123456789012", "eu-west-1"),
    ],
)
def test_account_and_region_are_in_the_host_name(host: str, account: str, region: str) -> None:
    assert ecr_host(host) == EcrHost(account, region)


@pytest.mark.parametrize("host", ["public.ecr.aws", "docker.io", "127.0.0.1:5000", "dkr.ecr.us-east-1.amazonaws.com",
                                  "123456789012.dkr.ecr.us-east-1.amazonaws.com.example.org"])  # fmt: skip
def test_other_registries_are_none_of_ecrs(host: str) -> None:
    assert ecr_host(host) is None


def test_no_credentials_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare(monkeypatch, tmp_path)
    with pytest.raises(RegistryError, match=r"No AWS credentials were found.*--profile") as error:
        Ecr(boto3.Session(), HOST).login()
    assert error.value.exit_code == EXIT_HOST


def test_no_region_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare(monkeypatch, tmp_path)
    with pytest.raises(UsageError, match="--region") as error:
        ecr.region_of(ecr.open_session(None), None)
    assert error.value.exit_code == EXIT_USAGE


def test_a_profile_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare(monkeypatch, tmp_path)
    with pytest.raises(UsageError, match="nobody"):
        ecr.open_session("nobody")


def test_aws_that_cannot_be_reached_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody listens at the endpoint. The message says what to check."""
    bare(monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", "http://127.0.0.1:9")
    session = boto3.Session("key", "secret")
    with pytest.raises(RegistryError, match="Check the region's name, the network"):
        Ecr(session, HOST).login()
