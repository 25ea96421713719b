"""What results/README.md says of a record, field by field, against the schema and the committed sample's records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

RESULTS = Path(__file__).resolve().parents[1] / "results"
# The headings of a record's tables, and where in a record the fields of each table are.
TABLES = {"## A record (one line of `records.jsonl`)": "", "### `conditions`": "conditions.", "### `result`": "result."}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The formal version."""
    found: dict[str, Any] = json.loads((RESULTS / "record.schema.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def documented() -> dict[str, str]:
    """Every documented path of a record (`result.steps[].loss`, `conditions.machine.*`), and what is said of it."""
    text = (RESULTS / "README.md").read_text(encoding="utf-8")
    return {prefix + path: said for heading, prefix in TABLES.items() for path, said in fields(text, heading)}


def fields(text: str, heading: str) -> Iterator[tuple[str, str]]:
    """The paths in the table below a heading; one that begins with a dot stands beside the one before it."""
    table = text.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    for line in table.splitlines():
        if not line.startswith("| `"):
            continue
        _, names, said = line.split("|", 2)
        path = ""
        for name in re.findall(r"`([^`]+)`", names):
            path = path.rpartition(".")[0] + name if name.startswith(".") else name
            yield path, said


def paths_of_schema(node: dict[str, Any], definitions: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Every property that a schema describes or requires; `[]` behind those that are lists."""
    if "$ref" in node:
        node = definitions[node["$ref"].rpartition("/")[2]]
    for choice in node.get("anyOf", []):
        yield from paths_of_schema(choice, definitions, prefix)
    if "items" in node:
        yield from paths_of_schema(node["items"], definitions, f"{prefix}[]")
    properties = node.get("properties", {})
    for name in dict.fromkeys([*properties, *node.get("required", [])]):
        path = f"{prefix}.{name}" if prefix else name
        yield path
        yield from paths_of_schema(properties.get(name, {}), definitions, path)


def paths_of_value(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every path that a record has, in the same notation, with what is there."""
    if isinstance(value, list):
        for each in value:
            yield from paths_of_value(each, f"{prefix}[]")
    elif isinstance(value, dict):
        for name, inner in value.items():
            path = f"{prefix}.{name}" if prefix else name
            yield path, inner
            yield from paths_of_value(inner, path)


def is_documented(path: str, documented: dict[str, str]) -> bool:
    """Has it a row, or rows for what is in it, or is it named by the row of what it is in?"""
    parent, _, name = path.rpartition(".")
    said = documented.get(parent, "") + documented.get(f"{parent}.*", "")
    inside = any(each.startswith((f"{path}.", f"{path}[]")) for each in documented)
    return path in documented or inside or f"`{name}`" in said


def test_every_path_of_the_schema_is_documented(schema: dict[str, Any], documented: dict[str, str]) -> None:
    """A field that has no row is one that nobody can read about."""
    paths = dict.fromkeys(paths_of_schema(schema, schema["$defs"]))
    assert {"case.block", "result.steps[].loss", "error.kind"} <= set(paths)
    assert [path for path in paths if not is_documented(path, documented)] == []


def test_every_documented_path_is_in_the_schema_or_in_a_record(
    schema: dict[str, Any], documented: dict[str, str]
) -> None:
    """A row tells of a field that is there; what is in an object that is empty in the sample cannot be looked up."""
    lines = (RESULTS / "sample" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    found = [each for line in lines for each in paths_of_value(json.loads(line))]
    known = {*paths_of_schema(schema, schema["$defs"]), *(path for path, _ in found)}
    empty = {path for path, value in found if value == {}} - {path.rpartition(".")[0] for path in known}
    rows = [path.removesuffix(".*").removesuffix("[]") for path in documented]
    assert [path for path in rows if path not in known and path.rpartition(".")[0] not in empty] == []


@pytest.mark.parametrize(
    ("row", "paths"),
    [
        ("| `case.stack`, `.block` | | x |", ["case.stack", "case.block"]),
        ("| `gemm[].size`, `.seconds` | | x |", ["gemm[].size", "gemm[].seconds"]),
        ("| `versions.*`, `mkl_enabled` | | x |", ["versions.*", "mkl_enabled"]),
    ],
)
def test_the_notation_of_the_tables_is_understood(row: str, paths: list[str]) -> None:
    """A test that cannot read the tables would find no fault in them."""
    assert [path for path, _ in fields(f"\n## T\n\n| field | | |\n|---|---|---|\n{row}\n\n## U\n", "## T")] == paths
