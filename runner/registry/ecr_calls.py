"""Amazon ECR's host names, and each call to AWS as data, which `--dry-run` prints. Sends nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html: also FIPS, China and dual-stack names.
_HOST = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.(amazonaws\.com(\.cn)?|on\.(aws|amazonwebservices\.com\.cn))"
)
# `--to ecr:NAME` is that repository in the account and region of the AWS configuration.
OWN_REGISTRY = "ecr:"


@dataclass(frozen=True)
class EcrHost:
    """The account and the region in the host name of an ECR registry."""

    account: str
    region: str


@dataclass(frozen=True)
class ApiCall:
    """One request to AWS, before it is sent."""

    service: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """The call as a line to print: service:Operation and its parameters."""
        return f"{self.service}:{self.operation} {json.dumps(self.parameters, sort_keys=True)}"


@dataclass(frozen=True)
class Settings:
    """The settings of a repository. `encryption` is ECR's encryptionType.

    `lifecycle` is a lifecycle policy; it is also set on a repository that exists already.
    """

    encryption: str = "AES256"
    kms_key: str | None = None
    lifecycle: Mapping[str, Any] | None = None


def ecr_host(host: str) -> EcrHost | None:
    """The account and the region of a private ECR registry; None for any other registry."""
    match = _HOST.fullmatch(host)
    return EcrHost(match["account"], match["region"]) if match else None


def own_host(account: str, region: str) -> str:
    """The host name of an account's private registry."""
    return f"{account}.dkr.ecr.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


def describe_call(where: EcrHost, path: str) -> ApiCall:
    """The call that asks whether a repository exists."""
    return ApiCall("ecr", "DescribeRepositories", {"registryId": where.account, "repositoryNames": [path]})


def create_call(where: EcrHost, path: str, settings: Settings) -> ApiCall:
    """The call that makes a repository whose tags cannot be changed and whose images are scanned on push."""
    encryption = {"encryptionType": settings.encryption}
    if settings.kms_key is not None:
        encryption["kmsKey"] = settings.kms_key
    return ApiCall(
        "ecr",
        "CreateRepository",
        {
            "registryId": where.account,
            "repositoryName": path,
            "imageTagMutability": "IMMUTABLE",
            "imageScanningConfiguration": {"scanOnPush": True},
            "encryptionConfiguration": encryption,
        },
    )


def lifecycle_call(where: EcrHost, path: str, policy: Mapping[str, Any]) -> ApiCall:
    """The call that sets which images of a repository expire."""
    text = json.dumps(policy, sort_keys=True)
    return ApiCall(
        "ecr",
        "PutLifecyclePolicy",
        {"registryId": where.account, "repositoryName": path, "lifecyclePolicyText": text},
    )


def token_call(where: EcrHost) -> ApiCall:
    """The call that gets a token, which the registry accepts as a password."""
    return ApiCall("ecr", "GetAuthorizationToken", {"registryIds": [where.account]})


IDENTITY_CALL = ApiCall("sts", "GetCallerIdentity")
