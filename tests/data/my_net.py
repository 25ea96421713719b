from workload.layers import BatchNorm

IMAGE_SIZE = 64  # height and width; three channels


def add_layers(network, images):
    x = network.conv(images, "conv1", 32, 3, stride=2, batch_norm=BatchNorm(decay=0.9, epsilon=1e-5, scale=True))
    wide = network.conv(x, "wide", 48, 5)
    deep = network.conv(network.conv(x, "deep_reduce", 16, 1), "deep", 48, 3)
    x = network.concat([wide, deep], "concat")
    x = network.operation(lambda tf, x: tf.nn.leaky_relu(x), x, "leaky")  # anything that TensorFlow has
    return network.global_average(x, "average")  # (batch, features)
