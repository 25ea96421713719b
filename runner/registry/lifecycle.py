"""Lifecycle policies of Amazon ECR: one from a file, or the built-in one that keeps the newest images. Pure data."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from runner.catalogue.stacks import Installation
from runner.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def keep_last(count: int, installations: Iterable[Installation]) -> dict[str, Any]:
    """A policy that expires all but the newest `count` images of each installation.

    The prefix of an image's tag says to which installation it belongs. Source of the fields:
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
    """
    return {
        "rules": [
            {
                "rulePriority": priority,
                "description": f"keep the last {count} images of {each.stack}/{each.name}",
                "selection": {
                    "tagStatus": "tagged",
                    "tagPrefixList": [f"{each.stack}-{each.name}-"],
                    "countType": "imageCountMoreThan",
                    "countNumber": count,
                },
                "action": {"type": "expire"},
            }
            for priority, each in enumerate(installations, start=1)
        ]
    }


def read_policy(path: Path) -> dict[str, Any]:
    """Read a policy with ECR's own fields, from TOML if the file's suffix says so, else from JSON.

    Raises:
        UsageError: the file cannot be read, is neither TOML nor JSON, or has no rules.
    """
    try:
        text = path.read_text(encoding="utf-8")
        policy = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:  # ValueError: an error of either parser, or text that is not UTF-8
        raise UsageError(f"The lifecycle policy {path} cannot be read: {error}.") from error
    if not isinstance(policy, dict) or not isinstance(policy.get("rules"), list) or not policy["rules"]:
        raise UsageError(
            f"The lifecycle policy {path} has no rules. It must have the form that Amazon ECR accepts: a table with a "
            "list `rules`."
        )
    return policy
