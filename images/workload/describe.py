"""Describes a topology as the workload builds it: layers, parameters, floating-point operations. Nothing is trained.

It must not know jobs or results.
"""

from typing import Any, Dict

from workload.topologies import Topology
from workload.training import build_training_graph


def describe_topology(tf: Any, topology: Topology, layout: str, batch_size: int) -> Dict[str, Any]:
    """Return layers, parameters, FLOPs for each image, and branches. Shapes are height, width, channels."""
    built = build_training_graph(tf, topology, batch_size, layout, seed=0)
    return {
        "topology": topology.name,
        "image_size": topology.image_size,
        "layout": layout,
        "batch_size": batch_size,
        "layers": [
            {
                "name": layer.name,
                "kind": layer.kind,
                "shape": list(layer.shape),
                "parameters": layer.parameters,
            }
            for layer in built.layers
        ],
        "parameters": built.parameters,
        "forward_flops_per_image": built.forward_flops // batch_size,
        "training_flops_per_image": built.training_flops // batch_size,
        "disjoint_branches": len(built.branches),
        "branch_layers": built.branches,
    }
