"""Job validation: what is accepted, and that every fault is named."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workload.job import DescribeJob, GemmJob, InvalidJobError, TrainJob, read_job, validate_job

from tests.images.workload.job_content import DESCRIBE_JOB, GEMM_JOB, OWN_JOB, PROBE_JOB, QUIET_JOB, TRAIN_JOB


def test_train_job_is_accepted() -> None:
    job = validate_job(TRAIN_JOB)
    assert isinstance(job, TrainJob)
    assert (job.launch_id, job.topology, job.batch_size, job.time_limit_seconds) == ("launch-7", "resnet50", 4, None)


def test_only_a_quiet_launch_is_traced_and_no_timed_one_fingerprinted() -> None:
    """All three have the keys of a training job; a probe logs from inside its kernels, so that it is not traced."""
    train, probe, quiet = (validate_job(job) for job in (TRAIN_JOB, PROBE_JOB, QUIET_JOB))
    assert isinstance(train, TrainJob)
    assert isinstance(quiet, TrainJob)
    assert quiet.traced
    assert not train.traced
    assert probe == quiet._replace(traced=False) == train._replace(fingerprinted=True)


def test_a_job_names_the_graph_that_it_reads_and_says_whether_it_keeps_its_own() -> None:
    graph = {"file": "training.graph", "sha256": "0a" * 32}
    job, plain = validate_job({**QUIET_JOB, "graph": graph, "keeps_graph": True}), validate_job(QUIET_JOB)
    assert isinstance(job, TrainJob)
    assert isinstance(plain, TrainJob)
    assert (job.graph, job.keeps_graph) == (("training.graph", "0a" * 32), True)
    assert (plain.graph, plain.keeps_graph) == (None, False)


@pytest.mark.parametrize(
    "graph",
    [
        "training.graph",
        {"file": "../training.graph", "sha256": "0a" * 32},
        {"file": "a", "sha256": "0a"},
        {"file": "a"},
    ],
)
def test_a_graph_is_a_file_of_the_job_folder_with_its_hash(graph: object) -> None:
    with pytest.raises(InvalidJobError, match=r"graph is .* a name in the job's folder, and its sha256"):
        validate_job({**TRAIN_JOB, "graph": graph})


@pytest.mark.parametrize("kind", ["probe", "quiet"])
def test_a_probe_has_a_first_step_that_is_not_timed(kind: str) -> None:
    """Its first step is fingerprinted, which takes time."""
    with pytest.raises(InvalidJobError, match="warmup_steps is 0, expected an integer of at least 1"):
        validate_job({**TRAIN_JOB, "kind": kind, "warmup_steps": 0})
    validate_job({**TRAIN_JOB, "warmup_steps": 0})


def test_gemm_job_is_accepted() -> None:
    job = validate_job(GEMM_JOB)
    assert isinstance(job, GemmJob)
    assert (job.sizes, job.repeats, job.time_limit_seconds) == ((64, 128), 3, 60.0)


def test_a_job_with_the_users_own_topology_is_accepted() -> None:
    """The file's name stands beside the topology's, in jobs that train and in jobs that describe."""
    own = {"topology": "my_net", "topology_file": "my_net.py"}
    job, description = validate_job(OWN_JOB), validate_job({**DESCRIBE_JOB, **own})
    assert isinstance(job, TrainJob)
    assert isinstance(description, DescribeJob)
    assert job.topology_file == description.topology_file == "my_net.py"


def test_a_built_in_topology_can_be_described() -> None:
    job = validate_job(DESCRIBE_JOB)
    assert isinstance(job, DescribeJob)
    assert job.topology_file is None


@pytest.mark.parametrize(
    ("topology", "file"),
    [
        ("my_net", "other.py"),
        ("my_net", "../my_net.py"),
        ("my_net", "/etc/my_net.py"),
        ("my_net", "my_net"),
        ("my_net", None),
        ("resnet50", "resnet50.py"),
        ("my-net", "my-net.py"),
        (7, "7.py"),
    ],
)
def test_a_file_that_is_not_the_topologys_own_is_refused(topology: object, file: object) -> None:
    """The file is outside of the job's folder, has another stem than the topology, or has a name of the kit's."""
    with pytest.raises(InvalidJobError, match="topology"):
        validate_job({**OWN_JOB, "topology": topology, "topology_file": file})


@pytest.mark.parametrize("content", [TRAIN_JOB, PROBE_JOB, GEMM_JOB, DESCRIBE_JOB])
def test_every_key_is_required(content: dict[str, Any]) -> None:
    for key in content:
        with pytest.raises(InvalidJobError, match=key):
            validate_job({name: value for name, value in content.items() if name != key})


@pytest.mark.parametrize("content", [TRAIN_JOB, GEMM_JOB, OWN_JOB, DESCRIBE_JOB])
def test_unknown_key_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(InvalidJobError, match="unknown key timed_stepss"):
        validate_job({**content, "timed_stepss": 3})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema_version", 2),
        ("schema_version", True),
        ("launch_id", ""),
        ("launch_id", 7),
        ("kind", "infer"),
        ("kind", ["train"]),
        ("topology", "lenet"),
        ("topology", None),
        ("batch_size", 0),
        ("batch_size", 4.0),
        ("batch_size", True),
        ("batch_size", "4"),
        ("layout", "nhwc"),
        ("warmup_steps", -1),
        ("timed_steps", 0),
        ("time_limit_seconds", 0),
        ("time_limit_seconds", -1.5),
        ("time_limit_seconds", float("inf")),
        ("time_limit_seconds", float("nan")),
        ("time_limit_seconds", "60"),
        ("intra_op_threads", -1),
        ("inter_op_threads", None),
        ("seed", -1),
        ("seed", 2**32),
        ("graph_optimisation", 1),
        ("graph_optimisation", None),
    ],
)
def test_wrong_value_of_a_train_job_is_refused(key: str, value: object) -> None:
    with pytest.raises(InvalidJobError, match=key):
        validate_job({**TRAIN_JOB, key: value})


@pytest.mark.parametrize(("key", "value"), [("sizes", []), ("sizes", [0]), ("sizes", 64), ("repeats", 0)])
def test_wrong_value_of_a_gemm_job_is_refused(key: str, value: object) -> None:
    with pytest.raises(InvalidJobError, match=key):
        validate_job({**GEMM_JOB, key: value})


def test_all_faults_are_named_at_once() -> None:
    """One refusal lists every fault, so that a job is not mended one run at a time."""
    content = {**TRAIN_JOB, "batch_size": 0, "layout": "CHWN"}
    del content["seed"]
    with pytest.raises(InvalidJobError, match=r"missing key seed.*batch_size is 0.*layout is"):
        validate_job(content)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=5,
)


@given(st.sampled_from(sorted(OWN_JOB)), JSON_VALUES)
def test_any_json_value_is_accepted_or_refused(key: str, value: object) -> None:
    with contextlib.suppress(InvalidJobError):
        assert validate_job({**OWN_JOB, key: value}).launch_id


@given(JSON_VALUES)
def test_any_json_document_is_accepted_or_refused(content: object) -> None:
    with pytest.raises(InvalidJobError):
        validate_job(content)


def test_unreadable_job_file_is_an_invalid_job(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    with pytest.raises(InvalidJobError, match=r"job\.json"):
        read_job(str(path))
    path.write_text("{", encoding="utf-8")
    with pytest.raises(InvalidJobError, match=r"job\.json"):
        read_job(str(path))
