"""The statuses are what the formats say: the schema of records, the description of speedups.csv, plain text."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from runner.status import ERRORS, Status, status_of_error

RESULTS = Path(__file__).resolve().parents[2] / "results"
OF_A_LADDER = {Status.FIRST, Status.INERT, Status.LEFT_OUT}


def test_a_launchs_errors_are_those_of_the_schema_of_records() -> None:
    """A record with any other kind would be refused by whoever validates it."""
    schema = json.loads((RESULTS / "record.schema.json").read_text())
    (kinds,) = re.findall(r'"kind": \{"enum": (\[[^]]*\])', json.dumps(schema))
    assert {str(status) for status in ERRORS} == set(json.loads(kinds))


def test_every_status_of_a_pair_is_described_where_the_columns_of_speedups_are() -> None:
    """And nothing is described there that no pair can have."""
    text = (RESULTS / "README.md").read_text()
    (row,) = [line for line in text.splitlines() if line.startswith("| `status` | |")]
    described = {name for name in re.findall(r"`([^`]*)`", row) if not name.startswith("--")} - {"status"}
    assert described == {str(status) for status in Status} - {str(status) for status in OF_A_LADDER}


@pytest.mark.parametrize("status", Status)
def test_a_status_is_written_as_its_value(status: Status) -> None:
    """In JSON, CSV and sentences, whatever the release of Python: it is a string like any other."""
    table = io.StringIO()
    csv.writer(table, lineterminator="").writerow([status])
    assert (json.dumps(status), table.getvalue()) == (f'"{status.value}"', status.value)
    assert {f"{status}", f"{status!s}", "".join([status]), status.words.replace(" ", "_")} == {status.value}


def test_an_error_that_this_kit_does_not_know_is_a_failure() -> None:
    """Records of a newer kit may have one."""
    assert [status_of_error(str(kind)) for kind in sorted(ERRORS)] == sorted(ERRORS)
    assert status_of_error("another") is Status.FAILED
    assert status_of_error("ok") is Status.FAILED
