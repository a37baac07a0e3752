"""Fit a line by SGD with momentum: by Keras (result), and by PyTorch's form (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
inputs, targets = draw.normal(size=(32, 4)), draw.normal(size=32)
rates = [2**-4] * 10 + [2**-7] * 10


def train(stock):
    weights = keras.Variable(np.zeros(4), dtype="float64")
    velocity, optimizer = np.zeros(4), keras.optimizers.SGD(momentum=0.875)
    for rate in rates:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((tf.linalg.matvec(inputs, weights) - targets) ** 2)
        gradient = tape.gradient(loss, weights.value)
        if stock:
            optimizer.learning_rate = rate
            optimizer.apply_gradients([(gradient, weights)])
        else:
            velocity = 0.875 * velocity + gradient
            weights.assign_sub(rate * velocity)
    return weights.numpy().tolist()


versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": train(stock=True), "bridged": train(stock=False)}))
