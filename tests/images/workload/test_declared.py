"""What each topology's module declares, held against what is expected of it; nothing here needs TensorFlow."""

from __future__ import annotations

import pkgutil

import pytest
from workload.job import TOPOLOGY_NAMES
from workload.topologies import TOPOLOGIES

from runner.topologies import BUILT_IN
from tests.images.workload import topologies
from tests.images.workload.expected_layers import expected_of


def test_every_topology_has_its_expected_layers_and_nothing_else_has() -> None:
    """One module in images/workload/topologies/ and one in tests/images/workload/topologies/."""
    assert {module.name for module in pkgutil.iter_modules(topologies.__path__)} == set(TOPOLOGY_NAMES)


def test_the_runner_knows_what_the_workload_can_build() -> None:
    """One reads the modules' text, the other runs them."""
    read = {name: topology.image_size for name, topology in BUILT_IN.items()}
    assert read == {name: topology.image_size for name, topology in TOPOLOGIES.items()}


def test_the_figures_topologies_stand_in_its_order() -> None:
    """Positions in the article's Figure 1 are 1, 2, 3 and so on, none of them twice."""
    positions = [topology.figure_1_position for topology in BUILT_IN.values() if topology.figure_1_position is not None]
    assert positions == list(range(1, len(positions) + 1))


@pytest.mark.parametrize("topology", TOPOLOGY_NAMES)
def test_the_declared_image_size_and_normalisation_are_those_of_the_expected_layers(topology: str) -> None:
    """The first layer is the images; batch normalisation anywhere decides how far losses may be apart."""
    layers = expected_of(topology).layers
    size = BUILT_IN[topology].image_size
    assert layers[0] == ("input", [size, size, 3])
    assert BUILT_IN[topology].batch_normalised is any(kind == "batch_norm" for kind, _ in layers)


@pytest.mark.parametrize("topology", TOPOLOGY_NAMES)
def test_a_topology_with_a_shortcut_names_one_to_leave_out(topology: str) -> None:
    """What a build made wrong on purpose changes must be in the network."""
    expected = expected_of(topology)
    assert (expected.parts.shortcut is not None) is any(kind == "add" for kind, _ in expected.layers)
