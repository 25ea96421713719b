"""The built-in topologies as TensorFlow builds them: layers, shapes, parameters and floating-point operations."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import workload
from workload.job import TOPOLOGY_NAMES

from runner.topologies import BUILT_IN
from tests.images.workload.expected_layers import expected_of

Descriptions = dict[tuple[str, str], dict[str, Any]]

# Every description in one process, since importing TensorFlow takes longer than building a graph.
DESCRIBE_ALL = """
import json, sys
sys.path.insert(0, sys.argv[1])
from workload.describe import describe_topology
from workload.tensorflow_compat import load_tensorflow
from workload.topologies import TOPOLOGIES
tf = load_tensorflow()
print(json.dumps([describe_topology(tf, TOPOLOGIES[name], layout, 2) for name, layout in json.loads(sys.argv[2])]))
"""
WANTED = [(name, layout) for name in TOPOLOGY_NAMES for layout in ("NHWC", "NCHW")]

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def descriptions(stack_python: Callable[[str], str]) -> Descriptions:
    """Describe every topology, by name and layout."""
    folder = str(Path(workload.__file__).parent.parent)
    done = subprocess.run(
        [stack_python("stock"), "-c", DESCRIBE_ALL, folder, json.dumps(WANTED)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return {(found["topology"], found["layout"]): found for found in json.loads(done.stdout)}


@pytest.mark.parametrize("topology", TOPOLOGY_NAMES)
def test_every_layer_has_the_defined_kind_and_shape(descriptions: Descriptions, topology: str) -> None:
    layers = descriptions[topology, "NHWC"]["layers"]
    assert [(layer["kind"], layer["shape"]) for layer in layers] == expected_of(topology).layers


@pytest.mark.parametrize("topology", TOPOLOGY_NAMES)
def test_parameters(descriptions: Descriptions, topology: str) -> None:
    """The trainable parameters are as many as published or computed by hand, and are the sum over the layers."""
    description = descriptions[topology, "NHWC"]
    assert description["parameters"] == expected_of(topology).parameters
    assert sum(layer["parameters"] for layer in description["layers"]) == description["parameters"]


@pytest.mark.parametrize("topology", TOPOLOGY_NAMES)
def test_layouts_describe_the_same_network(descriptions: Descriptions, topology: str) -> None:
    nhwc, nchw = (descriptions[topology, layout] for layout in ("NHWC", "NCHW"))
    assert {**nchw, "layout": "NHWC"} == nhwc


@pytest.mark.parametrize("topology", TOPOLOGY_NAMES)
def test_training_costs_three_forward_passes_less_the_gradient_by_the_images(
    descriptions: Descriptions, topology: str
) -> None:
    """Every convolution and product runs forward and as two gradients, but nothing asks for the images' gradient."""
    description = descriptions[topology, "NHWC"]
    first = next(layer for layer in description["layers"] if layer["kind"] == "conv")
    height, width, channels = first["shape"]
    weights = first["parameters"] - (0 if expected_of(topology).normalises_first else channels)
    images_gradient = 2 * height * width * weights
    assert description["training_flops_per_image"] == 3 * description["forward_flops_per_image"] - images_gradient


@pytest.mark.parametrize("topology", TOPOLOGY_NAMES)
def test_the_branches_that_plan_shows_are_those_of_the_graph(descriptions: Descriptions, topology: str) -> None:
    """What `plan` shows without TensorFlow is what is counted from the graph."""
    description = descriptions[topology, "NHWC"]
    assert description["disjoint_branches"] == len(description["branch_layers"])
    assert description["disjoint_branches"] == BUILT_IN[topology].disjoint_branches


@pytest.mark.parametrize("topology", TOPOLOGY_NAMES)
def test_training_gflops(descriptions: Descriptions, topology: str) -> None:
    """What the runner estimates durations by is what is counted from the graph, to within 1%."""
    flops = descriptions[topology, "NHWC"]["training_flops_per_image"]
    assert BUILT_IN[topology].training_gflops == pytest.approx(flops / 1e9, rel=0.01)


def test_forward_flops_of_vgg16(descriptions: Descriptions) -> None:
    """VGG-16 does 15.47 billion multiply-accumulates an image, as computed by hand from its layers."""
    blocks = [(224, 3, 64), (224, 64, 64), (112, 64, 128), (112, 128, 128), (56, 128, 256), (56, 256, 256)]
    blocks += [(56, 256, 256), (28, 256, 512), (28, 512, 512), (28, 512, 512)] + [(14, 512, 512)] * 3
    convolutions = sum(size * size * before * after * 9 for size, before, after in blocks)
    products = 25088 * 4096 + 4096 * 4096 + 4096 * 1001
    assert descriptions["vgg16", "NHWC"]["forward_flops_per_image"] == 2 * (convolutions + products)
