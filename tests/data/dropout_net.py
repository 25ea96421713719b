IMAGE_SIZE = 32


def add_layers(network, images):
    x = network.conv(images, "conv1", 16, 3, stride=2)
    x = network.operation(lambda tf, x: tf.nn.dropout(x, keep_prob=0.8), x, "dropout")
    return network.flatten(x, "flatten")
