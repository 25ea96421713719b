from workload.layers import BatchNorm

IMAGE_SIZE = 48
BATCH_NORM = BatchNorm(decay=0.9, epsilon=1e-5, scale=True)


def add_layers(network, images):
    x = network.conv(images, "conv1", 16, 3, stride=2, batch_norm=BATCH_NORM)
    branch = network.conv(x, "deep", 16, 3, batch_norm=BATCH_NORM)
    branch = network.conv(branch, "expand", 16, 1, batch_norm=BATCH_NORM, relu=False)
    x = network.add_relu(branch, x, "add")
    x = network.operation(lambda tf, x: tf.nn.leaky_relu(x), x, "leaky")
    x = network.conv(x, "wide", 32, (1, 3))
    return network.global_average(x, "average")
