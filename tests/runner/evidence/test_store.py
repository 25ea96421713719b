"""evidence.jsonl survives crashes and refuses what it does not know; the cache answers only for the same inputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.errors import RunFormatError
from runner.evidence import store
from runner.evidence.probed import Subject, no_evidence
from runner.evidence.store import EvidenceCache, key_of
from tests.runner.evidence.captured import evidence


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    found = evidence("tf-2.14-intel")
    store.append(tmp_path, no_evidence(found.subject, 2, "key", "failed", "why"))
    store.append(tmp_path, found)
    assert store.read(tmp_path) == {found.subject: found}


def test_a_run_without_the_file_has_no_evidence(tmp_path: Path) -> None:
    """Runs from before there were probes can still be read."""
    assert store.read(tmp_path) == {}


def test_a_torn_last_line_is_passed_over_and_cut_off(tmp_path: Path) -> None:
    """A crash in the middle of a line loses that line alone."""
    found = evidence("tf-2.14-stock")
    store.append(tmp_path, found)
    path = tmp_path / store.FILE_NAME
    path.write_bytes(path.read_bytes() + b'{"schema_ver')
    assert set(store.read(tmp_path)) == {found.subject}
    other = evidence("tf-2.14-intel")
    store.append(tmp_path, other)
    assert set(store.read(tmp_path)) == {found.subject, other.subject}


@pytest.mark.parametrize("line", ["not json\n", '{"schema_version": 1}\n', "[]\n"])
def test_a_damaged_line_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    (tmp_path / store.FILE_NAME).write_text(line)
    with pytest.raises(RunFormatError, match=r"evidence\.jsonl, line 1"):
        store.read(tmp_path)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    data = {**evidence("tf-2.14-stock").to_json(), "schema_version": 2}
    (tmp_path / store.FILE_NAME).write_text(json.dumps(data) + "\n")
    with pytest.raises(RunFormatError, match="schema_version 2"):
        store.read(tmp_path)


def test_the_line_has_the_documented_keys() -> None:
    data = evidence("tf-2.14-intel").to_json()
    assert {"schema_version", "stack", "variant", "topology", "batch_size", "key", "library", "primitives", "reorders",
            "threads", "settings", "trace", "verdicts"} <= set(data)  # fmt: skip
    assert set(data["library"]) == {"name", "version", "isa", "runtime", "threads"}
    assert set(data["primitives"][0]) == {"kind", "implementation", "count", "milliseconds"}
    assert set(data["reorders"]) == {"count", "milliseconds", "share"}
    assert set(data["trace"][0]) == {"operation", "count", "milliseconds"}
    assert set(data["verdicts"][0]) == {"id", "passed", "text"}


def test_a_key_changes_with_any_input() -> None:
    """Evidence on one image, pin or setting is not taken for another's."""
    assert key_of(artifact="a", pin="0") == key_of(pin="0", artifact="a")
    assert len({key_of(artifact="a", pin="0"), key_of(artifact="b", pin="0"), key_of(artifact="a", pin="1")}) == 3


def test_the_cache_gives_back_what_it_was_given(tmp_path: Path) -> None:
    cache = EvidenceCache(tmp_path / "cache")
    found = evidence("tf-1.12-intel")
    assert cache.find(found.key) is None
    cache.keep(found)
    assert cache.find(found.key) == found
    (tmp_path / "cache" / f"{found.key}.json").write_text("torn")
    assert cache.find(found.key) is None


def test_a_failed_probe_names_its_reason() -> None:
    failed = no_evidence(Subject("tf-2.14", "intel", "vgg16"), 2, "key", "out_of_memory", "killed")
    assert failed.error == {"kind": "out_of_memory", "message": "killed"}
    assert failed.verdicts == ()
