"""The session that trains, in a stack's own environment: has it the threads that its job asks for?"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import workload

FOLDER = Path(workload.__file__).parent
NET = Path(__file__).resolve().parents[2] / "data" / "my_net.py"

# TensorFlow cannot be asked for the size of its pools, and does not name its threads: they are counted.
COUNT_THREADS = """
import os, sys
sys.path.insert(0, sys.argv[1])
from workload.tensorflow_compat import load_tensorflow
tf = load_tensorflow()
from workload.synthetic import make_batch
from workload.topology_file import load_topology, read_source
from workload.training import build_training_graph, open_session
topology = load_topology(read_source(sys.argv[2]))
built = build_training_graph(tf, topology, 1, "NHWC", 1)
batch = make_batch(1, topology.image_size, 1001, "NHWC", 1)
session = open_session(tf, built, batch, int(sys.argv[3]), int(sys.argv[4]), True)
session.run(built.loss)
print(len(os.listdir("/proc/self/task")))
"""

pytestmark = pytest.mark.tensorflow


def test_both_pools_have_as_many_threads_as_the_job_asks_for(stack_python: Callable[[str], str]) -> None:
    """Two pools of other sizes differ by as many threads: the numbers reach TensorFlow, each its own pool."""

    def count(intra_op: int, inter_op: int) -> int:
        command = [stack_python("stock"), "-c", COUNT_THREADS, *map(str, (FOLDER.parent, NET, intra_op, inter_op))]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    least = count(2, 2)
    assert count(5, 2) - least == 3
    assert count(2, 6) - least == 4
