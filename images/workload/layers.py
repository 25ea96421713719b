"""The layers of topologies, built from TensorFlow's graph operations. Each is recorded when it is added.

The module must not know any particular topology or how a network is trained.
"""

from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple, Union

from workload.initial_values import Initialiser, glorot_uniform, ones, scaled_truncated_normal, variable_seed, zeros

Size = Union[int, Tuple[int, int]]

Layer = NamedTuple(
    "Layer",
    [
        ("name", str),
        ("kind", str),
        ("shape", Tuple[int, ...]),  # without the batch; height, width, channels in every layout
        ("parameters", int),  # number of trainable values of this layer
    ],
)

BatchNorm = NamedTuple("BatchNorm", [("decay", float), ("epsilon", float), ("scale", bool)])


class Network:
    """Adds layers to the current graph in one layout, and records what a description and a training step need.

    Attributes:
        layout: how images are stored, "NHWC" or "NCHW".
        layers: every layer in the order of building.
        outputs: each layer's name, with the name of the operation that computes its output.
        tensors: each layer's name, with its output.
        variables: the trainable variables.
        updates: operations that update the averages of batch normalisation; a training step runs them.
    """

    def __init__(self, tf: Any, layout: str, seed: int) -> None:
        self.layout = layout
        self.layers: List[Layer] = []
        self.outputs: List[Tuple[str, str]] = []
        self.tensors: List[Tuple[str, Any]] = []
        self.variables: List[Any] = []
        self.updates: List[Any] = []
        self._tf = tf
        self._seed = seed
        self._channel_axis = 3 if layout == "NHWC" else 1
        self._spatial_axes = (1, 2) if layout == "NHWC" else (2, 3)

    def input(self, images: Any) -> Any:
        """Record the images, which are already in the network's layout, as the first layer."""
        return self._record("input", "input", images)

    def conv(
        self,
        inputs: Any,
        name: str,
        filters: int,
        kernel: Size,
        stride: int = 1,
        padding: str = "SAME",
        batch_norm: Optional[BatchNorm] = None,
        bias: bool = True,
        relu: bool = True,
    ) -> Any:
        """Convolve; then normalise (`batch_norm`) or add a bias (`bias`); then ReLU. `kernel` is height, width."""
        height, width = _pair(kernel)
        channels = self._channels(inputs)
        weights = self.variable(name + "/weights", [height, width, channels, filters], glorot_uniform)
        strides = self._window(stride, stride)
        outputs = self._tf.nn.conv2d(
            inputs, weights, strides=strides, padding=padding, data_format=self.layout, name=name + "/conv"
        )
        parameters = height * width * channels * filters
        if batch_norm is None and bias:
            outputs = self._bias_add(outputs, name, filters)
            parameters += filters
        self._record(name, "conv", outputs, parameters)
        if batch_norm is not None:
            outputs = self._batch_norm(outputs, name + "/batch_norm", batch_norm)
        return self._tf.nn.relu(outputs, name=name + "/relu") if relu else outputs

    def dense(self, inputs: Any, name: str, units: int, relu: bool = True) -> Any:
        """Multiply a (batch, features) tensor by weights, add a bias; then ReLU if asked."""
        features = int(inputs.get_shape()[1])
        weights = self.variable(name + "/weights", [features, units], scaled_truncated_normal(2.0 if relu else 1.0))
        biases = self.variable(name + "/biases", [units], zeros)
        outputs = self._tf.nn.bias_add(self._tf.matmul(inputs, weights, name=name + "/matmul"), biases)
        self._record(name, "dense", outputs, features * units + units)
        return self._tf.nn.relu(outputs, name=name + "/relu") if relu else outputs

    def max_pool(self, inputs: Any, name: str, window: int, stride: int, padding: str = "VALID") -> Any:
        """Take the largest value of each window."""
        return self._pool(self._tf.nn.max_pool, "max_pool", inputs, name, window, stride, padding)

    def average_pool(self, inputs: Any, name: str, window: int, stride: int, padding: str = "VALID") -> Any:
        """Take the mean of each window; at a SAME border, of the values that exist."""
        return self._pool(self._tf.nn.avg_pool, "average_pool", inputs, name, window, stride, padding)

    def global_average(self, inputs: Any, name: str) -> Any:
        """Take the mean over height and width: (batch, channels)."""
        outputs = self._tf.reduce_mean(inputs, axis=list(self._spatial_axes), name=name)
        return self._record(name, "global_average", outputs)

    def pad(self, inputs: Any, name: str, margin: int) -> Any:
        """Surround every image with `margin` rows and columns of zeros."""
        paddings = [[0, 0]] * 4
        for axis in self._spatial_axes:
            paddings[axis] = [margin, margin]
        return self._record(name, "pad", self._tf.pad(inputs, paddings, name=name))

    def concat(self, inputs: Sequence[Any], name: str) -> Any:
        """Join branches along their channels."""
        outputs = self._tf.concat(list(inputs), axis=self._channel_axis, name=name)
        return self._record(name, "concat", outputs)

    def add_relu(self, inputs: Any, shortcut: Any, name: str) -> Any:
        """Add a shortcut to a residual branch; then ReLU."""
        outputs = self._record(name, "add", self._tf.add(inputs, shortcut, name=name))
        return self._tf.nn.relu(outputs, name=name + "/relu")

    def flatten(self, inputs: Any, name: str) -> Any:
        """Make (batch, features), in the order height, width, channel for every layout, so that all share weights."""
        if self.layout == "NCHW" and any(size > 1 for size in self._image_shape(inputs)[:2]):
            inputs = self._tf.transpose(inputs, [0, 2, 3, 1])
        batch, *rest = inputs.get_shape().as_list()
        features = rest[0] * rest[1] * rest[2]
        return self._record(name, "flatten", self._tf.reshape(inputs, [batch, features], name=name))

    def operation(self, function: Callable[..., Any], inputs: Any, name: str) -> Any:
        """Add as one layer what `function(tf, *inputs)` builds from TensorFlow operations; return its output.

        `tf` is TensorFlow's version 1 interface, `inputs` a tensor or a list of tensors. Images are in `layout`. The
        function must make its weights with `variable`, because variables that TensorFlow makes are not known here.
        Random operations are seeded from the layer's name, so that every build draws the same numbers.
        """
        known = len(self.variables)
        given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        graph = self._tf.get_default_graph()
        seed_before, graph.seed = graph.seed, variable_seed(name, self._seed)
        outputs = function(self._tf, *given)
        graph.seed = seed_before
        made = [variable.get_shape().as_list() for variable in self.variables[known:]]
        return self._record(name, "operation", outputs, sum(_product(shape) for shape in made))

    def variable(self, name: str, shape: Sequence[int], start: Initialiser, trainable: bool = True) -> Any:
        """Make a variable whose start depends only on its name and the job's seed (see workload.initial_values)."""
        seed = variable_seed(name, self._seed)

        def initialise(shape: List[int], dtype: Any = None, partition_info: Any = None) -> Any:
            return start(self._tf, list(shape), seed)

        variable = self._tf.get_variable(
            name,
            shape=list(shape),
            dtype=self._tf.float32,
            initializer=initialise,
            trainable=trainable,
            use_resource=False,
        )
        if trainable:
            self.variables.append(variable)
        return variable

    def _pool(self, pool: Any, kind: str, inputs: Any, name: str, window: int, stride: int, padding: str) -> Any:
        outputs = pool(
            inputs,
            ksize=self._window(window, window),
            strides=self._window(stride, stride),
            padding=padding,
            data_format=self.layout,
            name=name,
        )
        return self._record(name, kind, outputs)

    def _bias_add(self, inputs: Any, name: str, channels: int) -> Any:
        biases = self.variable(name + "/biases", [channels], zeros)
        return self._tf.nn.bias_add(inputs, biases, data_format=self.layout, name=name + "/bias_add")

    def _batch_norm(self, inputs: Any, name: str, settings: BatchNorm) -> Any:
        channels = [self._channels(inputs)]
        offset = self.variable(name + "/beta", channels, zeros)
        if settings.scale:
            scale = self.variable(name + "/gamma", channels, ones)
        else:
            scale = self._tf.ones(channels, dtype=self._tf.float32)
        outputs, mean, variance = self._tf.nn.fused_batch_norm(
            inputs, scale, offset, epsilon=settings.epsilon, data_format=self.layout, name=name
        )
        self._track(name + "/moving_mean", zeros, mean, settings.decay)
        self._track(name + "/moving_variance", ones, variance, settings.decay)
        self._record(name, "batch_norm", outputs, channels[0] * (2 if settings.scale else 1))
        return outputs

    def _track(self, name: str, start: Initialiser, batch_value: Any, decay: float) -> None:
        """Add the update average -= (1 - decay) x (average - batch value)."""
        average = self.variable(name, [int(batch_value.get_shape()[0])], start, trainable=False)
        update = average.assign_sub((average - batch_value) * (1.0 - decay))
        self.updates.append(update.op)

    def _window(self, height: int, width: int) -> List[int]:
        window = [1, 1, 1, 1]
        window[self._spatial_axes[0]] = height
        window[self._spatial_axes[1]] = width
        return window

    def _channels(self, tensor: Any) -> int:
        return int(tensor.get_shape()[self._channel_axis])

    def _image_shape(self, tensor: Any) -> Tuple[int, ...]:
        sizes = tensor.get_shape().as_list()
        if len(sizes) == 4 and self.layout == "NCHW":
            sizes = [sizes[0], sizes[2], sizes[3], sizes[1]]
        return tuple(sizes[1:])

    def _record(self, name: str, kind: str, outputs: Any, parameters: int = 0) -> Any:
        self.layers.append(Layer(name, kind, self._image_shape(outputs), parameters))
        self.outputs.append((name, str(outputs.op.name)))
        self.tensors.append((name, outputs))
        return outputs


def _product(sizes: Sequence[int]) -> int:
    product = 1
    for size in sizes:
        product *= size
    return product


def _pair(size: Size) -> Tuple[int, int]:
    return (size, size) if isinstance(size, int) else size
