"""Builds a topology's training step as a static graph and opens a session on it.

It must not know job files or results, how steps are timed, or what is observed of the process.
"""

from typing import Any, List, NamedTuple, Tuple, cast

from workload.branches import disjoint_branches
from workload.flops import count_flops, operations_needed
from workload.layers import Layer, Network
from workload.stepping import StepCall
from workload.synthetic import CHANNELS
from workload.topologies import Topology, build_logits

LEARNING_RATE = 0.001
RMSPROP_DECAY = 0.9
RMSPROP_MOMENTUM = 0.9
RMSPROP_EPSILON = 1.0
WEIGHT_DECAY = 4e-5

# Tensors that refer to a variable; the last two are RMSProp's.
Trained = NamedTuple("Trained", [("variable", Any), ("mean_square", Any), ("momentum", Any)])

TrainingGraph = NamedTuple(
    "TrainingGraph",
    [
        ("graph", Any),
        ("train", Any),  # operation: one update of every variable
        ("loss", Any),  # scalar tensor: the loss for the weights before the update
        ("initialise", List[Any]),  # one operation for each variable; its inputs: the variable and its start
        ("images", Any),  # a placeholder, as "labels" is; only the initialisation reads them
        ("labels", Any),
        ("layers", List[Layer]),
        ("parameters", int),
        ("forward_flops", int),  # of a whole batch
        ("training_flops", int),
        ("branches", List[str]),  # layers that could be computed at the same time
        ("outputs", List[Tuple[str, Any]]),  # each layer's name and its output
        ("trained", List[Trained]),  # the variables that the loss depends on
    ],
)


class ForeignVariablesError(Exception):
    """The graph has trainable variables that the network did not make, so that no step would change them."""


def build_training_graph(tf: Any, topology: Topology, batch_size: int, layout: str, seed: int) -> TrainingGraph:
    """Build forward pass, loss, gradients and update in a new graph. Nothing is run.

    Raises:
        ForeignVariablesError: a trainable variable was not made by the network.
    """
    graph = tf.Graph()
    with graph.as_default():
        image_shape = [batch_size, topology.image_size, topology.image_size, CHANNELS]
        if layout == "NCHW":
            image_shape = [image_shape[axis] for axis in (0, 3, 1, 2)]
        fed_images, images = _held_constant(tf, "images", tf.float32, image_shape)
        fed_labels, labels = _held_constant(tf, "labels", tf.int32, [batch_size])
        network = Network(tf, layout, seed)
        logits = build_logits(network, topology, images)
        _require_own(tf, network)
        forward = graph.get_operations()
        forward_flops = count_flops(forward)
        branches = disjoint_branches(forward, network.outputs, logits.op.name)
        loss = _add_loss(tf, logits, labels, network.variables)
        train, trained = _add_update(tf, loss, network)
        return TrainingGraph(
            graph,
            train,
            loss,
            [variable.initializer for variable in tf.global_variables()],
            fed_images,
            fed_labels,
            network.layers,
            sum(layer.parameters for layer in network.layers),
            forward_flops,
            count_flops(operations_needed([train, loss.op])),
            branches,
            network.tensors,
            trained,
        )


def _held_constant(tf: Any, name: str, dtype: Any, shape: List[int]) -> Tuple[Any, Any]:
    """Return a placeholder and the untrained variable that it starts.

    The graph optimisers could fold a constant, and a constant would make the graph large. A feed would be copied in
    every step.
    """
    fed = tf.placeholder(dtype, shape, name=name + "_fed")
    variable = tf.get_variable(name, initializer=fed, trainable=False, use_resource=False)
    return fed, variable


def _add_loss(tf: Any, logits: Any, labels: Any, variables: List[Any]) -> Any:
    """Return mean cross-entropy + WEIGHT_DECAY x sum of squares / 2 over all trainable variables."""
    cross_entropy = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    sum_of_squares = tf.add_n([tf.nn.l2_loss(variable) for variable in variables])
    return tf.add(cross_entropy, WEIGHT_DECAY * sum_of_squares, name="loss")


def _add_update(tf: Any, loss: Any, network: Network) -> Tuple[Any, List[Trained]]:
    """Return the operation that updates every variable and every moving average, and the optimiser's variables.

    A reference variable is changed in place. No update may therefore start before all gradients and the loss have been
    computed from the old values. (GATE_OP would ensure that too, but it also runs the gradient by the images.)
    """
    optimizer = tf.train.RMSPropOptimizer(
        LEARNING_RATE, decay=RMSPROP_DECAY, momentum=RMSPROP_MOMENTUM, epsilon=RMSPROP_EPSILON
    )
    gradients = optimizer.compute_gradients(loss, var_list=network.variables, gate_gradients=optimizer.GATE_GRAPH)
    with tf.control_dependencies([loss]):
        update = optimizer.apply_gradients(gradients)
    slot = optimizer.get_slot
    trained = [
        Trained(*(each.op.outputs[0] for each in (variable, slot(variable, "rms"), slot(variable, "momentum"))))
        for gradient, variable in gradients
        if gradient is not None
    ]
    return tf.group(update, *network.updates, name="train"), trained


def _require_own(tf: Any, network: Network) -> None:
    own = {variable.op.name for variable in network.variables}
    foreign = sorted(variable.op.name for variable in tf.trainable_variables() if variable.op.name not in own)
    if foreign:
        raise ForeignVariablesError(
            "{} was made by TensorFlow itself. Its start would differ between builds, and no step would train it. "
            "Make it with network.variable".format(", ".join(foreign))
        )


def open_session(
    tf: Any,
    training_graph: TrainingGraph,
    batch: Tuple[Any, Any],
    intra_op_threads: int,
    inter_op_threads: int,
    graph_optimisation: bool = True,
) -> Any:
    """Open a session and initialise every variable. With 0 threads TensorFlow chooses the number.

    Without `graph_optimisation` neither Grappler (layout, remapper, arithmetic and the rest) nor the older optimiser of
    common subexpressions and constants changes the graph. Intel's own pass, which inserts its kernels, still runs.
    """
    config = tf.ConfigProto(
        intra_op_parallelism_threads=intra_op_threads, inter_op_parallelism_threads=inter_op_threads
    )
    if not graph_optimisation:
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        config.graph_options.optimizer_options.opt_level = tf.OptimizerOptions.L0
    session = tf.Session(graph=training_graph.graph, config=config)
    images, labels = batch
    session.run(training_graph.initialise, feed_dict={training_graph.images: images, training_graph.labels: labels})
    return session


def step_call(session: Any, training_graph: TrainingGraph) -> StepCall:
    """Return a function of no arguments that runs one training step and returns (None, loss)."""
    return cast(StepCall, session.make_callable([training_graph.train, training_graph.loss]))
