"""Writes a training graph to bytes and makes it again from them, which takes a tenth of the time of building it.

The bytes are one line of JSON, which says what the graph was built from and names its parts, and a serialised GraphDef.
Every launch trains the graph that it has made from bytes, also the launch that built it. It must not know results.
"""

import hashlib
import json
import os
from typing import Any, Dict, List, Optional, Set, Tuple

from workload import tensorflow_compat, wheel
from workload.job import GraphFile, InvalidJobError, TrainJob
from workload.layers import Layer
from workload.training import Trained, TrainingGraph

FILE_NAME = "training.graph"


class GraphError(InvalidJobError):
    """The job's graph is not the file that the job names, or was built from something else."""


def source_of(job: TrainJob, topology_sha256: Optional[str]) -> Dict[str, Any]:
    """Return everything that a graph depends on; the topology's hash is None for the kit's own topologies."""
    return {
        "topology": job.topology,
        "topology_sha256": topology_sha256,
        "batch_size": job.batch_size,
        "layout": job.layout,
        "seed": job.seed,
        "tensorflow": tensorflow_compat.tensorflow_version(),
        "workload_sha256": wheel.workload_sha256(),
    }


def read_graph(folder: str, graph: GraphFile, source: Dict[str, Any]) -> bytes:
    """Return the bytes of the job's graph from the job's folder.

    Raises:
        GraphError: there is no such file, its hash is not the job's, or it was built from another source.
    """
    try:
        with open(os.path.join(folder, graph.file), "rb") as file:
            content = file.read()
    except OSError as error:
        raise GraphError("cannot read the graph {}: {}".format(graph.file, error)) from error
    sha256 = sha256_of(content)
    if sha256 != graph.sha256:
        raise GraphError("the sha256 of {} is {}, expected {}".format(graph.file, sha256, graph.sha256))
    found = json.loads(content.split(b"\n", 1)[0].decode("utf-8"))["source"]
    differing = sorted(key for key in source if found.get(key) != source[key])
    if differing:
        raise GraphError("{} was built with another {}".format(graph.file, ", ".join(differing)))
    return content


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 of a graph's bytes."""
    return hashlib.sha256(content).hexdigest()


def write_graph(folder: str, content: bytes) -> None:
    """Write a graph's bytes to a folder."""
    with open(os.path.join(folder, FILE_NAME), "wb") as file:
        file.write(content)


def export_graph(built: TrainingGraph, source: Dict[str, Any]) -> bytes:
    """Return the bytes of a graph: what a training needs of it, the same for each build from the same source."""
    head = {
        "source": source,
        "train": built.train.name,
        "loss": built.loss.name,
        "initialise": [operation.name for operation in built.initialise],
        "images": built.images.name,
        "labels": built.labels.name,
        "layers": [list(layer) for layer in built.layers],
        "parameters": built.parameters,
        "forward_flops": built.forward_flops,
        "training_flops": built.training_flops,
        "branches": built.branches,
        "outputs": [[name, tensor.name] for name, tensor in built.outputs],
        "trained": [[tensor.name for tensor in trained] for trained in built.trained],
    }
    definition = built.graph.as_graph_def()
    starts = {_node(operation.name) for operation in built.initialise}
    _share_starts(definition, starts, {trained.variable.op.name for trained in built.trained})
    named = [built.train.name, built.loss.name, *starts, *(tensor.name for _, tensor in built.outputs)]
    _keep_needed(definition, {_node(name) for name in named})
    content = json.dumps(head, sort_keys=True).encode("utf-8") + b"\n"
    return bytes(content + definition.SerializeToString(deterministic=True))


def import_graph(tf: Any, content: bytes) -> TrainingGraph:
    """Make the graph from the bytes that `export_graph` returned. Nothing is run."""
    line, serialised = content.split(b"\n", 1)
    head = json.loads(line.decode("utf-8"))
    graph, definition = tf.Graph(), tf.GraphDef()
    definition.ParseFromString(serialised)
    with graph.as_default():
        tf.import_graph_def(definition, name="")
    tensor, operation = graph.get_tensor_by_name, graph.get_operation_by_name
    return TrainingGraph(
        graph,
        operation(head["train"]),
        tensor(head["loss"]),
        [operation(name) for name in head["initialise"]],
        tensor(head["images"]),
        tensor(head["labels"]),
        [Layer(name, kind, tuple(shape), parameters) for name, kind, shape, parameters in head["layers"]],
        head["parameters"],
        head["forward_flops"],
        head["training_flops"],
        head["branches"],
        [(name, tensor(output)) for name, output in head["outputs"]],
        [Trained(*map(tensor, names)) for names in head["trained"]],
    )


def _node(name: str) -> str:
    """Return the name of the node that an input, a tensor or a control input (^name) comes from."""
    return name.lstrip("^").split(":")[0]


def _share_starts(definition: Any, starts: Set[str], trained: Set[str]) -> None:
    """Start variables of the same constant from one node. It saves a quarter of the nodes, and so of the start.

    The trained variables keep theirs, because a second pass feeds each another value (workload.first_step).
    """
    nodes = {node.name: node for node in definition.node}
    known: Dict[str, Optional[Tuple[Any, ...]]] = {}
    first: Dict[Tuple[Any, ...], str] = {}

    def constant(name: str) -> Optional[Tuple[Any, ...]]:
        """What a node computes, as a key; None if it is not made of constants only."""
        if name not in known:
            node = nodes[name]
            inputs = [constant(_node(each)) for each in node.input] if node.op in ("Const", "Fill") else [None]
            attributes = sorted((key, node.attr[key].SerializeToString()) for key in node.attr if key[0] != "_")
            known[name] = None if None in inputs else (node.op, tuple(attributes), tuple(inputs))
        return known[name]

    for name in sorted(starts):
        node = nodes[name]
        value = constant(_node(node.input[1])) if node.op == "Assign" and node.input[0] not in trained else None
        if value is not None:
            node.input[1] = first.setdefault(value, node.input[1])


def _keep_needed(definition: Any, wanted: Set[str]) -> None:
    """Remove every node that none of the wanted ones needs, or is to be on the same device as."""
    inputs = {node.name: [*map(_node, node.input), *_colocated(node)] for node in definition.node}
    needed: Set[str] = set()
    waiting: List[str] = list(wanted)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting.extend(inputs[name])
    kept = [node for node in definition.node if node.name in needed]
    nodes = type(definition)(node=kept).node
    del definition.node[:]
    definition.node.extend(nodes)


def _colocated(node: Any) -> List[str]:
    classes = node.attr["_class"].list.s if "_class" in node.attr else []
    return [each[len(b"loc:@") :].decode("utf-8") for each in classes if each.startswith(b"loc:@")]
