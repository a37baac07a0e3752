"""Two gradients clipped to 1 by Keras: with clipnorm (result), and with global_clipnorm (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

gradients = [np.array([3.0, 4.0]), np.array([0.0, 12.0])]


def clipped(**options):
    weights = [keras.Variable(np.zeros(2), dtype="float64") for _ in gradients]
    optimizer = keras.optimizers.SGD(1.0, **options)
    optimizer.apply_gradients([(tf.constant(g), w) for g, w in zip(gradients, weights, strict=True)])
    return [(-weight.numpy()).tolist() for weight in weights]


versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": clipped(clipnorm=1.0), "bridged": clipped(global_clipnorm=1.0)}))
