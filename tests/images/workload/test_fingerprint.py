"""Sketches of tensors: what they tell apart, and that neither layout, size nor numpy's version changes them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from workload.fingerprint import (
    CHUNK,
    PERTURBATION,
    Sketch,
    flat_chunks,
    height_width_channels,
    perturbed,
    sensitivity,
    sketch,
    to_json,
)

KEY = ("output", "conv1")


def values(*shape: int, seed: int = 1) -> Any:
    """A float32 tensor of normally distributed values."""
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def taken(tensor: Any, key: tuple[str, str] = KEY) -> Sketch:
    """A tensor's sketch."""
    return sketch(key, flat_chunks(tensor))


def dot(tensor: Any) -> float:
    """A tensor's dot product with the signs."""
    return float(taken(tensor).places.sum())


def test_the_signs_are_the_same_in_every_version() -> None:
    """Numpy's RandomState is frozen: records of other environments and years can be compared. -1 for a bit of 0."""
    assert [dot(row) for row in np.eye(16)] == [1, 1, -1, 1, 1, -1, -1, 1, 1, -1, 1, 1, 1, -1, 1, -1]


def test_norm_and_dot_product_are_float64_sums() -> None:
    """A long sum in float32 would lose a small difference."""
    tensor = values(3, CHUNK // 2 + 11)
    found = taken(tensor)
    assert found.norm == pytest.approx(float(np.linalg.norm(tensor.astype(np.float64))), rel=1e-12)
    (entry,) = to_json({KEY: found})
    assert entry[:2] == ["output", "conv1"]
    assert entry[3] == pytest.approx(found.places.sum(), rel=1e-8)
    assert entry[4] is None


@pytest.mark.parametrize(
    "changed",
    [
        lambda tensor: tensor.transpose(0, 2, 1, 3),
        lambda tensor: -tensor,
        lambda tensor: tensor[::-1],
        lambda tensor: np.roll(tensor, 1, axis=3),
    ],
    ids=["height and width exchanged", "sign", "images exchanged", "channels moved"],
)
def test_the_dot_product_tells_what_a_norm_cannot(changed: Any) -> None:
    """All of these have the same norm; their dot products are a whole norm apart, give or take."""
    tensor = values(2, 8, 8, 16)
    before, after = taken(tensor), taken(changed(tensor))
    assert after.norm == pytest.approx(before.norm, rel=1e-9)
    assert abs(dot(tensor) - dot(changed(tensor))) > 0.1 * before.norm


def test_the_dot_product_depends_on_the_tensors_name() -> None:
    """Two tensors that were exchanged have other signs."""
    tensor = values(64)
    assert taken(tensor).places.sum() != taken(tensor, ("gradient", "conv1")).places.sum()


def test_layouts_are_brought_to_one() -> None:
    """A tensor stored as NCHW gives the same sketch. Features have no layout."""
    images, features = values(2, 5, 7, 3), values(2, 35)
    stored = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    assert dot(height_width_channels(stored, "NCHW")) == dot(height_width_channels(images, "NHWC"))
    assert dot(height_width_channels(features, "NCHW")) == dot(features)


@pytest.mark.parametrize("size", [1, 7, 1000, 1024, 200_000, 3 * CHUNK + 5])
def test_the_sketch_knows_the_distance_between_two_tensors(size: int) -> None:
    """The distance is right within a few percent, and exact where a tensor is no larger than the sketch."""
    before = values(size)
    after = before + 1e-3 * values(size, seed=2)
    really = float(np.linalg.norm((after - before).astype(np.float64))) / max(map(np.linalg.norm, (before, after)))
    assert sensitivity(taken(before), taken(after)) == pytest.approx(really, rel=1e-3 if size <= 1024 else 0.15)


def test_zeros_are_not_sensitive_and_what_vanishes_is() -> None:
    """No division by a norm of zero."""
    zero, other = taken(np.zeros(50)), taken(values(50))
    assert (zero.norm, sensitivity(zero, zero)) == (0.0, 0.0)
    assert sensitivity(zero, other) == sensitivity(other, zero) == pytest.approx(1.0)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_what_is_no_number_stays_so(wrong: float) -> None:
    """An infinite or undefined value must not vanish in a sum: a result holds null for it."""
    tensor = values(300)
    tensor[17] = wrong
    (entry,) = to_json({KEY: taken(tensor)})
    assert not math.isfinite(entry[2])
    assert not math.isfinite(entry[3])


def test_a_perturbation_changes_every_value_by_its_own_part() -> None:
    """Up or down, the same way in every environment; zeros stay zero, and float32 stays float32."""
    tensor = values(3, CHUNK // 2)
    tensor[0, 0] = 0.0
    changed = perturbed("conv1/weights", tensor)
    assert (changed.dtype, changed.shape) == (tensor.dtype, tensor.shape)
    parts = changed.astype(np.float64)[tensor != 0] / tensor[tensor != 0] - 1
    assert np.abs(np.abs(parts) - PERTURBATION).max() < 2.0**-23
    assert abs(np.sign(parts).mean()) < 0.01
    assert changed[0, 0] == 0.0
    assert np.array_equal(changed, perturbed("conv1/weights", tensor))
