"""Valid jobs that tests change one key of."""

from __future__ import annotations

from typing import Any

TRAIN_JOB: dict[str, Any] = {
    "schema_version": 1,
    "launch_id": "launch-7",
    "kind": "train",
    "topology": "resnet50",
    "batch_size": 4,
    "layout": "NHWC",
    "warmup_steps": 1,
    "timed_steps": 2,
    "time_limit_seconds": None,
    "intra_op_threads": 2,
    "inter_op_threads": 1,
    "seed": 1234,
    "graph_optimisation": True,
}

OWN_JOB: dict[str, Any] = {**TRAIN_JOB, "topology": "my_net", "topology_file": "my_net.py"}

DESCRIBE_JOB: dict[str, Any] = {
    "schema_version": 1,
    "launch_id": "launch-9",
    "kind": "describe",
    "topology": "vgg16",
    "batch_size": 4,
    "layout": "NHWC",
    "time_limit_seconds": None,
    "intra_op_threads": 2,
    "inter_op_threads": 1,
}
PROBE_JOB: dict[str, Any] = {**TRAIN_JOB, "kind": "probe"}
QUIET_JOB: dict[str, Any] = {**TRAIN_JOB, "kind": "quiet"}

GEMM_JOB: dict[str, Any] = {
    "schema_version": 1,
    "launch_id": "launch-8",
    "kind": "gemm",
    "sizes": [64, 128],
    "repeats": 3,
    "time_limit_seconds": 60.0,
    "intra_op_threads": 2,
    "inter_op_threads": 1,
}
