"""The committed sample: light enough to be cloned by everybody, and whole all the same."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

SAMPLE = Path(__file__).resolve().parents[1] / "results" / "sample"
PARTS = ("job/job.json", "log.txt", "result/result.json")


@pytest.fixture(scope="module")
def packed() -> dict[str, bytes]:
    """Every file in the archive of the sample's launches, by its name."""
    with tarfile.open(SAMPLE / "launches.tar.xz") as archive:
        members = [member for member in archive if member.isfile()]
        return {member.name: content.read() for member in members if (content := archive.extractfile(member))}


def read(name: str) -> list[dict[str, Any]]:
    """The lines of one of the sample's files of records."""
    return [json.loads(line) for line in (SAMPLE / name).read_text(encoding="utf-8").splitlines()]


def test_a_clone_stays_light() -> None:
    """Fewer than 50 files and 9.5 MB; git packs the records to a tenth, and what somebody unpacked does not count."""
    files = [path for path in SAMPLE.iterdir() if path.is_file()]
    assert len(files) < 50
    assert sum(path.stat().st_size for path in files) < 9.5e6


def test_the_archive_has_the_result_that_each_record_holds(packed: dict[str, bytes]) -> None:
    """The file that the workload wrote says what the record says."""
    records = read("records.jsonl")
    assert records
    for record in records:
        name = f"launches/{record['launch_id']}/result/result.json"
        assert json.loads(packed[name]) == record["result"]


def test_the_archive_has_job_result_and_log_of_each_launch(packed: dict[str, bytes]) -> None:
    """The archive holds nothing else. Its launches are timed launches, matrix products and probes."""
    folders = {name.split("/")[1] for name in packed}
    assert set(packed) == {f"launches/{folder}/{part}" for folder in folders for part in PARTS}
    timed = {record["launch_id"] for record in read("records.jsonl")}
    products = {f"gemm-{each['stack']}-{each['installation']}" for each in read("peaks.jsonl")}
    probes = {
        f"probe-{each['stack']}-{each['variant']}-{each['topology']}-b{each['batch_size']}"
        for each in read("evidence.jsonl")
    }
    quiet = {name.replace("probe-", "quiet-", 1) for name in probes}
    assert timed | products | probes <= folders <= timed | products | probes | quiet
