"""Makes the synthetic batch that a launch trains on, once, from the job's seed. It is the same in every environment.

The module must not know TensorFlow. It knows layouts only to store the images in one.
"""

from typing import Any, Tuple

IMAGE_STANDARD_DEVIATION = 0.1  # as in the article's script
CHANNELS = 3


def make_batch(batch_size: int, image_size: int, classes: int, layout: str, seed: int) -> Tuple[Any, Any]:
    """Return images and labels drawn from numpy's RandomState(seed).

    Images are float32, (batch, height, width, channels) transposed for the layout NCHW, truncated normal at two
    standard deviations. Labels are int32, (batch,), uniform over the classes.
    """
    import numpy

    generator = numpy.random.RandomState(seed)
    labels = generator.randint(0, classes, size=batch_size).astype(numpy.int32)
    images = numpy.empty((batch_size, image_size, image_size, CHANNELS), dtype=numpy.float32)
    for index in range(batch_size):  # image by image, so that peak memory is that of the training
        images[index] = _truncated_normal(numpy, generator, images.shape[1:]) * IMAGE_STANDARD_DEVIATION
    if layout == "NCHW":
        images = numpy.ascontiguousarray(images.transpose(0, 3, 1, 2))
    return images, labels


def _truncated_normal(numpy: Any, generator: Any, shape: Tuple[int, ...]) -> Any:
    values = generator.standard_normal(shape)
    outside = numpy.abs(values) > 2.0
    while outside.any():
        values[outside] = generator.standard_normal(int(outside.sum()))
        outside = numpy.abs(values) > 2.0
    return values
