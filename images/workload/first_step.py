"""Sketches what a network computes in its first step: each layer's output, each variable's gradient and update.

The training graph is not changed. Gradients and updates are derived from the optimiser's own variables after one
ordinary step. The module must not know jobs or results.
"""

from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

from workload.fingerprint import Sketches, chunks_of, flat_chunks, height_width_channels, perturbed, sketch
from workload.flops import operations_needed
from workload.training import LEARNING_RATE, RMSPROP_EPSILON, WEIGHT_DECAY, Trained, TrainingGraph

Weights = List[Any]  # the values of every trained variable, float32
First = NamedTuple("First", [("sketches", Sketches), ("weights", Weights)])

# Variables are read in groups of at most this many bytes, because TensorFlow prepares a graph for each run.
GROUP_BYTES = 64 * 2**20


def first_pass(session: Any, built: TrainingGraph, layout: str, step: Callable[[], Any], with_outputs: bool) -> First:
    """Sketch what a session that has just been initialised computes in its first step.

    `step` runs that step. Without outputs only the step itself is run.
    """
    sketches = sketch_outputs(session, built, layout) if with_outputs else {}
    weights = read_weights(session, built)
    step()
    sketches.update(sketch_step(session, built, weights))
    return First(sketches, weights)


def second_pass(
    begin: Callable[[], Any], session: Any, built: TrainingGraph, layout: str, batch: Tuple[Any, Any], first: First
) -> Sketches:
    """Sketch the same step from slightly changed weights and images, to see what rounding of that size changes.

    The weights in `first` are changed in place. A step that draws random numbers is run in a new session, which `begin`
    opens, because there it draws the same numbers as the first pass.
    """
    if draws_random_numbers(built):
        session = begin()
    restart_perturbed(session, built, first.weights, batch)
    sketches = sketch_outputs(session, built, layout)
    session.run(built.train)
    sketches.update(sketch_step(session, built, first.weights))
    return sketches


def sketch_outputs(session: Any, built: TrainingGraph, layout: str) -> Sketches:
    """Run the forward pass alone and sketch every layer's output, in the order of building.

    An output that is fetched cannot be fused with others, so that this is another graph than that of a step.
    """
    values = session.run([tensor for _, tensor in built.outputs])
    found: Sketches = {}
    for position, (name, _) in enumerate(built.outputs):
        key = ("output", name)
        if key in found:  # a user's network may give two layers the same name
            key = ("output", "{} ({})".format(name, position))
        found[key] = sketch(key, flat_chunks(height_width_channels(values[position], layout)))
        values[position] = None
    return found


def read_weights(session: Any, built: TrainingGraph) -> Weights:
    """Read every trained variable, in a run of its own, which does not touch the graph of training."""
    return list(session.run([trained.variable for trained in built.trained]))


def sketch_step(session: Any, built: TrainingGraph, before: Weights) -> Sketches:
    """Sketch the gradient and the update of every variable after exactly one step from the weights `before`.

    RMSProp starts with a mean square of 1 and without momentum, so that after one step momentum = LEARNING_RATE x
    gradient / sqrt(mean square + RMSPROP_EPSILON). The sketched gradient is that of the cross-entropy, without that of
    the weight decay, which can be far larger and would hide a backward pass that returns zero.
    """
    found: Sketches = {}
    for first, last in _groups(before):
        values = session.run([tuple(trained) for trained in built.trained[first:last]])
        for index in range(first, last):
            after = Trained(*values[index - first])
            name = str(built.trained[index].variable.op.name)
            found["gradient", name] = sketch(("gradient", name), _gradient(before[index], after))
            found["update", name] = sketch(("update", name), _update(before[index], after))
        del values, after  # frees their memory before the next group is read
    return found


def restart_perturbed(session: Any, built: TrainingGraph, weights: Weights, batch: Tuple[Any, Any]) -> None:
    """Start training again from slightly changed images and weights.

    The changed values replace those in `weights`, to save memory. They are fed into the operations that start the
    variables, so that no weight is drawn again. Variables that only follow training, such as the averages of batch
    normalisation, are not started again.
    """
    start_of = {operation.inputs[0].op.name: operation for operation in built.initialise}
    held = next(each for each in built.initialise if each.inputs[1].op.name == built.images.op.name)
    session.run(held, feed_dict={built.images: perturbed("images", batch[0])})
    for first, last in _groups(weights):
        starts: List[Any] = []
        feeds: Dict[Any, Any] = {}
        for index in range(first, last):
            trained = built.trained[index]
            weights[index] = perturbed(str(trained.variable.op.name), weights[index])
            feeds[start_of[trained.variable.op.name].inputs[1]] = weights[index]
            starts += [start_of[each.op.name] for each in trained]
        session.run(starts, feed_dict=feeds)


def draws_random_numbers(built: TrainingGraph) -> bool:
    """Return whether a training step draws random numbers, so that a second pass of a session draws other ones."""
    return any("Random" in operation.type for operation in operations_needed([built.train, built.loss.op]))


def _groups(weights: Weights) -> Iterator[Tuple[int, int]]:
    first, size = 0, 0
    for index, values in enumerate(weights):
        size += values.nbytes
        if size >= GROUP_BYTES or index == len(weights) - 1:
            yield first, index + 1
            first, size = index + 1, 0


def _gradient(start: Any, after: Trained) -> Iterator[Any]:
    import numpy

    for weight, mean_square, momentum in chunks_of(start, after.mean_square, after.momentum):
        scale = numpy.sqrt(mean_square.astype(numpy.float64) + RMSPROP_EPSILON) / LEARNING_RATE
        yield momentum * scale - WEIGHT_DECAY * weight.astype(numpy.float64)


def _update(start: Any, after: Trained) -> Iterator[Any]:
    """Yield how much each value decreased: the momentum, which is more precise, where the value moved by that much."""
    import numpy

    for weight, end, momentum in chunks_of(start, after.variable, after.momentum):
        moved = weight.astype(numpy.float64) - end
        rounding = 2.0**-23 * numpy.maximum(numpy.abs(weight), numpy.abs(end))
        yield numpy.where(numpy.abs(moved - momentum) <= rounding, momentum, moved)
