"""The built-in topologies by name: every module in this folder is one, and the module's name is the topology's.

A module declares, each as a constant with a literal value, so that a program that cannot import it can read it:

    TITLE               the name as the article writes it
    FIGURE_1_POSITION   its position in the article's Figure 1, counted from 1; left out if it is not in that figure
    IMAGE_SIZE          height and width of the input, which has three channels
    BATCH_NORMALISED    whether it has batch normalisation, which decides how close two builds' losses must be
    DISJOINT_BRANCHES   the largest number of its layers of which none needs another's output
    TRAINING_GFLOPS     floating-point operations of one training step for one image, in units of 10^9, within 1%
    FIXED_MEMORY_GB     with the next: the largest peak memory of a launch, in units of 10^9 bytes, of all stacks and
    MEMORY_GB_PER_IMAGE variants, as a straight line over the batch size; measured at batch sizes 4 and 32
                        (of alexnet and googlenet on tf-2.14's stock build alone, and raised by a tenth)

`--describe NAME` counts branches and operations from the graph. The function add_layers(network, images) adds all
layers but the last one and returns (batch, features). Code that several topologies share is in families/. A module must
not know how a network is trained or in which layout.
"""

import importlib
import pkgutil
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from workload.layers import Network

CLASSES = 1001  # ImageNet's thousand and one for "background", as in the article's script

Topology = NamedTuple(
    "Topology",
    [
        ("name", str),
        ("image_size", int),  # height and width of the input, which has three channels
        ("add_layers", Callable[[Network, Any], Any]),  # images -> (batch, features), all but the last layer
    ],
)


def _by_letters_and_number(name: str) -> Tuple[str, int, str]:
    """Return a sorting key by which resnet50 comes before resnet152."""
    return name.rstrip("0123456789"), len(name), name


def _names() -> List[str]:
    return sorted((module.name for module in pkgutil.iter_modules(__path__)), key=_by_letters_and_number)


def _topology(name: str) -> Topology:
    module: Any = importlib.import_module("{}.{}".format(__name__, name))
    return Topology(name, module.IMAGE_SIZE, module.add_layers)


TOPOLOGIES: Dict[str, Topology] = {name: _topology(name) for name in _names()}


def build_logits(network: Network, topology: Topology, images: Any) -> Any:
    """Add a whole topology and its head, a dense layer without activation; return (batch, CLASSES) logits."""
    features = topology.add_layers(network, network.input(images))
    return network.dense(features, "logits", CLASSES, relu=False)
