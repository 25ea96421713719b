"""Reduces a tensor to its norm and its dot product with fixed random signs, summed in float64, and compares two passes.

It must not know TensorFlow, layers or jobs.
"""

import zlib
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

# The number of places into which the signed values are summed. The dot product is the sum over the places. The distance
# between two tensors equals that between their places within a few percent (a count sketch: Charikar, Chen and
# Farach-Colton, "Finding frequent items in data streams", 2002). The tensors of the first pass therefore need not be
# kept until the second.
PLACES = 1024
CHUNK = 128 * PLACES  # values at a time: this fits into a core's cache, and large weights need not be copied whole

# The sensitivity of a tensor to rounding is measured: every weight and every image value is changed by this fraction of
# itself, up or down at random. It is 16 times the rounding error of float32 (2**-24), about that of a long sum.
PERTURBATION = 2.0**-20

# Digits that are kept: fingerprints of different builds are compared, and these differ in the last digits anyway.
DIGITS = "{:.9g}"
SENSITIVITY_DIGITS = "{:.3g}"

Sketch = NamedTuple("Sketch", [("norm", float), ("places", Any)])  # places: (PLACES,) float64
Key = Tuple[str, str]  # what it is ("output", "gradient" or "update"), and the layer's or variable's name
Sketches = Dict[Key, Sketch]


def sketch(key: Key, chunks: Iterable[Any]) -> Sketch:
    """Sum up a tensor, which is given as flat arrays of CHUNK values each; the last one may be shorter.

    The signs depend only on the key and on each value's position, and are the same in every version of numpy.
    """
    import numpy

    generator = _generator(":".join(key))
    squares, places = 0.0, numpy.zeros(PLACES)
    for chunk in chunks:
        values = numpy.asarray(chunk, dtype=numpy.float64)
        squares += float(numpy.einsum("i,i", values, values))  # numpy.dot would start threads of its own
        signed = numpy.zeros(-(-values.size // PLACES) * PLACES)
        numpy.multiply(values, _signs(generator, values.size), out=signed[: values.size])
        places += signed.reshape(-1, PLACES).sum(axis=0)
    return Sketch(float(numpy.sqrt(squares)), places)


def chunks_of(*tensors: Any) -> Iterator[Tuple[Any, ...]]:
    """Yield the values of tensors of one shape in the order of their indices, CHUNK of each at a time."""
    flat = [tensor.reshape(-1) for tensor in tensors]
    for start in range(0, flat[0].size, CHUNK):
        yield tuple(each[start : start + CHUNK] for each in flat)


def flat_chunks(tensor: Any) -> Iterator[Any]:
    """Yield the values of one tensor in the same way."""
    return (chunk for (chunk,) in chunks_of(tensor))


def height_width_channels(values: Any, layout: str) -> Any:
    """Bring a batch of images from its layout to (batch, height, width, channels); anything else stays as it is."""
    return values.transpose(0, 2, 3, 1) if layout == "NCHW" and values.ndim == 4 else values


def perturbed(name: str, values: Any) -> Any:
    """Return the values, each changed by PERTURBATION of itself, up or down by random signs that depend on the name."""
    import numpy

    generator = _generator("perturbed:" + name)
    changed = numpy.empty(values.shape, dtype=values.dtype)
    for before, after in chunks_of(values, changed):
        after[:] = before * (1.0 + PERTURBATION * _signs(generator, before.size))
    return changed


def sensitivity(before: Sketch, after: Sketch) -> float:
    """Return how much the perturbation changed a tensor, relative to its norm; 0 if it is zero in both passes."""
    import numpy

    scale = max(before.norm, after.norm)
    return float(numpy.sqrt(numpy.square(after.places - before.places).sum())) / scale if scale != 0.0 else 0.0


def to_json(found: Sketches, again: Optional[Sketches] = None) -> List[List[Any]]:
    """Return one list for each tensor: its kind, name, norm, dot product, and sensitivity or None.

    `again` has the sketches of the second pass, with perturbed weights and images.
    """
    entries: List[List[Any]] = []
    for key, first in found.items():
        numbers = [float(DIGITS.format(value)) for value in (first.norm, float(first.places.sum()))]
        changed = None if again is None else float(SENSITIVITY_DIGITS.format(sensitivity(first, again[key])))
        entries.append([key[0], key[1], numbers[0], numbers[1], changed])
    return entries


def _generator(name: str) -> Any:
    import numpy

    return numpy.random.RandomState(zlib.crc32(name.encode("utf-8")))


def _signs(generator: Any, size: int) -> Any:
    import numpy

    bits = numpy.frombuffer(generator.bytes(-(-size // 8)), dtype=numpy.uint8)
    return numpy.unpackbits(bits)[:size] * 2.0 - 1.0
