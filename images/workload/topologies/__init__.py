"""The six topologies of the article's script by name, each a function that adds its layers to a network.

It must not know how a network is trained, nor in which layout.
"""

from typing import Any, Callable, Dict, NamedTuple

from workload.layers import Network
from workload.topologies import alexnet, googlenet, inception3, resnet, vgg16

CLASSES = 1001  # ImageNet's thousand and one for "background", as in the article's script

Topology = NamedTuple(
    "Topology",
    [
        ("name", str),
        ("image_size", int),  # height and width of the input, which has three channels
        ("add_layers", Callable[[Network, Any], Any]),  # images -> (batch, features), all but the last layer
    ],
)

TOPOLOGIES: Dict[str, Topology] = {
    topology.name: topology
    for topology in (
        Topology("alexnet", alexnet.IMAGE_SIZE, alexnet.add_layers),
        Topology("googlenet", googlenet.IMAGE_SIZE, googlenet.add_layers),
        Topology("inception3", inception3.IMAGE_SIZE, inception3.add_layers),
        Topology("resnet50", resnet.IMAGE_SIZE, resnet.add_resnet50_layers),
        Topology("resnet152", resnet.IMAGE_SIZE, resnet.add_resnet152_layers),
        Topology("vgg16", vgg16.IMAGE_SIZE, vgg16.add_layers),
    )
}


def build_logits(network: Network, topology: Topology, images: Any) -> Any:
    """Add a whole topology and its head, a dense layer without activation; return (batch, CLASSES) logits."""
    features = topology.add_layers(network, network.input(images))
    return network.dense(features, "logits", CLASSES, relu=False)
