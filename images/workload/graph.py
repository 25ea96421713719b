"""Gives a launch the graph that it trains: built from the job's topology, or read from a file that the job names.

Both end in the same bytes, from which the graph is made, so that a graph that was built and one that was read are one.
"""

import contextlib
import os
import time
from typing import Any, ContextManager, Dict, NamedTuple, Optional, Tuple, Union

from workload.job import DescribeJob, TrainJob
from workload.topologies import TOPOLOGIES, Topology
from workload.topology_file import Source, file_errors, load_topology, read_source
from workload.training import TrainingGraph, build_training_graph

# `job` has the job and the files that it names; `result`, which may be None, is where files beside the result go.
Folders = NamedTuple("Folders", [("job", str), ("result", Optional[str])])
Building = Tuple[Topology, ContextManager[Any]]


def topology_of(job: Union[TrainJob, DescribeJob], folder: str, result: Dict[str, Any]) -> Building:
    """Return the job's topology and the context to build it in, which handles errors of a user's file.

    Raises:
        TopologyError: the user's file cannot be read, or is no topology.
    """
    return _loaded(job.topology, _source(job, folder, result))


def training_graph(tf: Any, job: TrainJob, folders: Folders, result: Dict[str, Any]) -> TrainingGraph:
    """Return the graph to train. Its seconds, hash and size are in the result. A user's file is read in any case.

    Raises:
        TopologyError: the user's file cannot be read, or does not build.
        GraphError: the file that the job names is not the graph of this training.
    """
    from workload import graph_file

    started = time.perf_counter()
    topology = _source(job, folders.job, result)
    source = graph_file.source_of(job, result["topology_sha256"])
    if job.graph is not None:
        content = graph_file.read_graph(folders.job, job.graph, source)
    else:
        loaded, building = _loaded(job.topology, topology)
        with building:
            built = build_training_graph(tf, loaded, job.batch_size, job.layout, job.seed)
        content = graph_file.export_graph(built, source)
        if job.keeps_graph and folders.result is not None:
            graph_file.write_graph(folders.result, content)
    made = graph_file.import_graph(tf, content)
    result["seconds"]["graph_build"] = time.perf_counter() - started
    result["graph_sha256"], result["graph_imported"] = graph_file.sha256_of(content), job.graph is not None
    result["parameters"] = made.parameters
    result["training_flops_per_step"] = made.training_flops
    return made


def image_size(built: TrainingGraph) -> int:
    """Return the height and width of the images that the graph is fed, which is the third size in both layouts."""
    return int(built.images.get_shape()[2])


def _source(job: Union[TrainJob, DescribeJob], folder: str, result: Dict[str, Any]) -> Optional[Source]:
    if job.topology_file is None:
        return None
    source = read_source(os.path.join(folder, job.topology_file))
    result["topology_sha256"] = source.sha256
    return source


def _loaded(name: str, source: Optional[Source]) -> Building:
    if source is None:
        return TOPOLOGIES[name], contextlib.ExitStack()
    return load_topology(source), file_errors(source.file_name)
