"""Lifecycle policies: from files in both formats, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.registry.lifecycle import keep_last, read_policy
from tests.runner.registry.locks import TF


def test_a_policy_is_read_from_json_and_from_toml(tmp_path: Path) -> None:
    """Both formats give the same rules."""
    policy = keep_last(2, [TF.installations["stock"]])
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    (tmp_path / "policy.toml").write_text(
        '[[rules]]\nrulePriority = 1\ndescription = "keep the last 2 images of tf-2.14/stock"\n'
        '[rules.selection]\ntagStatus = "tagged"\ntagPrefixList = ["tf-2.14-stock-"]\n'
        'countType = "imageCountMoreThan"\ncountNumber = 2\n[rules.action]\ntype = "expire"\n'
    )
    assert read_policy(tmp_path / "policy.json") == policy
    assert read_policy(tmp_path / "policy.toml") == policy


@pytest.mark.parametrize(("name", "text"), [("a.json", "{"), ("a.json", "[]"), ("a.json", '{"rules": []}'),
                                            ("a.toml", "rules ="), ("absent.json", None)])  # fmt: skip
def test_what_is_no_policy_is_told_by_its_file(tmp_path: Path, name: str, text: str | None) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=name):
        read_policy(tmp_path / name)
