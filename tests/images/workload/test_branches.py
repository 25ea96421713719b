"""The number of disjoint branches: the width of the layers' partial order."""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workload.branches import disjoint_branches

Edges = dict[str, list[str]]


def operations(needs: Edges) -> list[Any]:
    """Operations as a graph lists them: each after those that it needs."""
    made: dict[str, Any] = {}
    for name, inputs in needs.items():
        tensors = [SimpleNamespace(op=made[each]) for each in inputs]
        made[name] = SimpleNamespace(name=name, inputs=tensors, control_inputs=[])
    return list(made.values())


def branches(needs: Edges, target: str, silent: tuple[str, ...] = ()) -> list[str]:
    """The branches of a graph in which every operation is a layer but the silent ones."""
    layers = [(name, name) for name in needs if name not in silent]
    return disjoint_branches(operations(needs), layers, target)


def test_a_chain_has_one_branch() -> None:
    """Where every layer needs the one before it, nothing can be computed at the same time."""
    assert len(branches({"a": [], "b": ["a"], "c": ["b"], "d": ["c"]}, "d")) == 1


def test_an_inception_module_has_four() -> None:
    """Four paths between a fork and its join, whatever their lengths."""
    needs = {"x": [], "one": ["x"], "reduce3": ["x"], "three": ["reduce3"], "reduce5": ["x"], "five": ["reduce5"],
             "pool": ["x"], "projection": ["pool"], "concat": ["one", "three", "five", "projection"]}  # fmt: skip
    found = branches(needs, "concat")
    assert len(found) == 4
    assert "one" in found


def test_a_branch_that_forks_again_counts_with_all_its_paths() -> None:
    """The last modules of Inception: one, two that part in two, and a pool make six."""
    needs = {"x": [], "one": ["x"], "three": ["x"], "wide": ["three"], "tall": ["three"], "double": ["x"],
             "double_wide": ["double"], "double_tall": ["double"], "pool": ["x"],
             "concat": ["one", "wide", "tall", "double_wide", "double_tall", "pool"]}  # fmt: skip
    assert sorted(branches(needs, "concat")) == ["double_tall", "double_wide", "one", "pool", "tall", "wide"]


def test_a_shortcut_that_computes_nothing_is_no_branch() -> None:
    """An identity shortcut leaves one branch; a projection on it makes two."""
    identity: Edges = {"x": [], "conv": ["x"], "relu": ["conv"], "add": ["relu", "x"]}
    projection: Edges = {"x": [], "conv": ["x"], "relu": ["conv"], "shortcut": ["x"], "add": ["relu", "shortcut"]}
    assert len(branches(identity, "add", silent=("relu",))) == 1
    assert len(branches(projection, "add", silent=("relu",))) == 2


def test_a_layer_that_nothing_needs_is_no_branch() -> None:
    """Only what the last layer needs is computed."""
    assert len(branches({"x": [], "used": ["x"], "unused": ["x"], "last": ["used"]}, "last")) == 1


def test_a_layer_that_puts_out_its_input_is_that_layer() -> None:
    """Two names of one operation are one layer."""
    layers = [("a", "x"), ("same", "x"), ("b", "y")]
    assert len(disjoint_branches(operations({"x": [], "y": ["x"]}), layers, "y")) == 1


@st.composite
def graphs(draw: st.DrawFn) -> Edges:
    """Any graph of a few operations, in an order in which inputs come first, with one last operation."""
    count = draw(st.integers(1, 8))
    names = [f"n{index}" for index in range(count)]
    needs = {name: [each for each in names[:index] if draw(st.booleans())] for index, name in enumerate(names)}
    return {**needs, "last": names}


@given(graphs(), st.sets(st.integers(0, 7)))
def test_it_is_the_largest_set_without_a_dependency_on_any_graph(needs: Edges, quiet: set[int]) -> None:
    """The count is compared with that of trying every set of layers."""
    silent = tuple(f"n{index}" for index in quiet if f"n{index}" in needs)
    above: dict[str, set[str]] = {}
    for name, inputs in needs.items():
        above[name] = set(inputs).union(*(above[each] for each in inputs))
    layers = [name for name in needs if name not in silent]

    def independent(chosen: tuple[str, ...]) -> bool:
        return not any(one in above[other] or other in above[one] for one, other in combinations(chosen, 2))

    width = max(size for size in range(len(layers) + 1) if any(map(independent, combinations(layers, size))))
    found = branches(needs, "last", silent)
    assert len(found) == width
    assert independent(tuple(found))


@pytest.mark.timeout(20)
def test_a_deep_network_is_counted_at_once() -> None:
    """A thousand residual blocks take no noticeable time, and no recursion."""
    needs: Edges = {"x0": []}
    for index in range(1000):
        needs[f"conv{index}"] = [f"x{index}"]
        needs[f"x{index + 1}"] = [f"conv{index}", f"x{index}"]
    assert len(branches(needs, "x1000")) == 1
