"""Amazon ECR: makes a repository ready and gets tokens. It is the only module that imports boto3. It moves no layers.

Profile, role and credentials are found as boto3 always finds them: AWS_PROFILE, role_arn in the configuration, the
environment, an instance's role. The calls are data, in `ecr_calls`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError, ProfileNotFound

from runner.engines.protocol import Notify
from runner.errors import UsageError
from runner.registry.aws_errors import code_of, explain
from runner.registry.credentials import Login
from runner.registry.ecr_calls import (
    IDENTITY_CALL,
    ApiCall,
    EcrHost,
    Settings,
    create_call,
    describe_call,
    lifecycle_call,
    own_host,
    token_call,
)
from runner.registry.reference import Repository, parse_repository

# A token is valid for twelve hours. A push of several gigabytes must not begin with one that is about to expire.
RENEW_BEFORE = timedelta(minutes=10)


class Ecr:
    """One ECR registry: its repositories and its token. The token is held here and nowhere else."""

    def __init__(self, session: boto3.Session, where: EcrHost) -> None:
        self._session = session
        self._where = where
        self._token: tuple[Login, datetime] | None = None

    def make_ready(self, path: str, settings: Settings, notify: Notify) -> None:
        """Make the repository if it is missing, and set its lifecycle policy if `settings` has one.

        Raises:
            UsageError: the repository exists with another encryption than requested, which cannot be changed.
            RegistryError: AWS refuses or cannot be reached.
        """
        found = self._find(path)
        if found is None:
            notify(f"making the repository {path} in {self._where.region}: immutable tags, {settings.encryption}")
            self._create(path, settings, notify)
        else:
            _require_fit(path, found, settings, notify)
        if settings.lifecycle is not None:
            self._send(lifecycle_call(self._where, path, settings.lifecycle))

    def login(self) -> Login:
        """The token as a login. A new token is requested if the last one is about to expire.

        Raises:
            RegistryError: AWS gives no token.
        """
        if self._token is None or self._token[1] - datetime.now(timezone.utc) < RENEW_BEFORE:
            self._token = self._new_token()
        return self._token[0]

    def renew(self) -> bool:
        """Get a new token, whether or not the old one is still valid. Return true."""
        self._token = self._new_token()
        return True

    def advice(self) -> str:
        """Advise to check the AWS credentials and their permissions."""
        return (
            "The login comes from the AWS credentials in use (AWS_PROFILE, --profile). The permissions that they need "
            "are in runner/registry/ecr-push-policy.json and ecr-pull-policy.json."
        )

    def _new_token(self) -> tuple[Login, datetime]:
        data = self._send(token_call(self._where))["authorizationData"][0]
        username, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
        return Login(username, password), data["expiresAt"]

    def _find(self, path: str) -> Mapping[str, Any] | None:
        try:
            found: list[Mapping[str, Any]] = self._send_raw(describe_call(self._where, path))["repositories"]
        except ClientError as error:
            if code_of(error) == "RepositoryNotFoundException":
                return None
            raise explain("ecr:DescribeRepositories", error) from error
        return found[0]

    def _create(self, path: str, settings: Settings, notify: Notify) -> None:
        call = create_call(self._where, path, settings)
        try:
            self._send_raw(call)
        except ClientError as error:
            if code_of(error) == "RepositoryAlreadyExistsException":
                return  # somebody else has just made it
            if not _refuses_scanning(error):
                raise explain("ecr:CreateRepository", error) from error
            notify("  scan on push cannot be set for one repository here; the registry's own settings apply")
            kept = {key: value for key, value in call.parameters.items() if key != "imageScanningConfiguration"}
            self._send(ApiCall(call.service, call.operation, kept))

    def _send(self, call: ApiCall) -> Mapping[str, Any]:
        try:
            return self._send_raw(call)
        except ClientError as error:
            raise explain(f"{call.service}:{call.operation}", error) from error

    def _send_raw(self, call: ApiCall) -> Mapping[str, Any]:
        return send(self._session, self._where.region, call)


def open_session(profile: str | None) -> boto3.Session:
    """A session of the given profile, or of the one that the environment names.

    Raises:
        UsageError: there is no such profile.
    """
    try:
        return boto3.Session(profile_name=profile)
    except ProfileNotFound as error:
        raise UsageError(
            f"{error}. Name a profile of your AWS configuration with --profile or AWS_PROFILE (aws configure "
            "list-profiles shows them)."
        ) from error


def region_of(session: boto3.Session, region: str | None) -> str:
    """The region that was named, or else the session's own.

    Raises:
        UsageError: neither names a region.
    """
    found = region or session.region_name
    if found:
        return found
    raise UsageError(
        "No AWS region is known. Name it with --region, AWS_DEFAULT_REGION or the profile's configuration, or give the "
        "registry's whole host name: --to ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME."
    )


def own_registry(session: boto3.Session, region: str, path: str) -> Repository:
    """The repository `path` in the account that the credentials in use belong to.

    Raises:
        RegistryError: AWS does not say to which account the credentials belong.
    """
    try:
        account = send(session, region, IDENTITY_CALL)["Account"]
    except ClientError as error:
        raise explain("sts:GetCallerIdentity", error) from error
    return parse_repository(f"{own_host(str(account), region)}/{path}")


def send(session: boto3.Session, region: str, call: ApiCall) -> Mapping[str, Any]:
    """Make one call and return AWS's answer.

    Raises:
        ClientError: AWS answered with an error. The caller decides which of these are expected.
        RegistryError: there are no credentials, or AWS cannot be reached.
        UsageError: there is no such region.
    """
    name = f"{call.service}:{call.operation}"
    try:
        client: Any = session.client(call.service, region_name=region)  # type: ignore[call-overload]
        answer: Mapping[str, Any] = getattr(client, xform_name(call.operation))(**call.parameters)
    except NoRegionError as error:
        raise UsageError(f"{name} needs a region: {error}") from error
    except BotoCoreError as error:
        raise explain(name, error) from error
    return answer


def _require_fit(path: str, found: Mapping[str, Any], settings: Settings, notify: Notify) -> None:
    has = found.get("encryptionConfiguration") or {}
    asked = settings.encryption != Settings.encryption or settings.kms_key is not None
    if asked and (has.get("encryptionType") != settings.encryption
                  or (settings.kms_key is not None and has.get("kmsKey") != settings.kms_key)):  # fmt: skip
        raise UsageError(
            f"The repository {path} exists with the encryption {json.dumps(has, sort_keys=True)}, and "
            f"{settings.encryption} {settings.kms_key or ''} was requested. ECR cannot change the encryption of a "
            "repository. Leave --encryption and --kms-key out, or name another repository."
        )
    if found.get("imageTagMutability") != "IMMUTABLE":
        notify(
            f"  the repository {path} exists and allows its tags to be changed; the kit changes none, but others can"
        )


def _refuses_scanning(error: ClientError) -> bool:
    """Whether ECR refuses a repository because of its scan settings.

    Scan settings of a repository are deprecated in favour of the registry's, and may not be accepted any more.
    """
    wrong = code_of(error) in ("InvalidParameterException", "ValidationException")
    return wrong and "scan" in str(error).lower()
