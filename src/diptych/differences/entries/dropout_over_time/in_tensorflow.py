"""How many features a Keras RNN's dropout treats alike at all ten steps; the RNN passes its inputs through."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
inputs, keep = np.ones((20, 10, 50), "float32"), draw.random((20, 10, 50)) >= 0.5
layer = keras.layers.SimpleRNN(
    50, activation="linear", kernel_initializer="identity", recurrent_initializer="zeros", dropout=0.5, seed=1,
    return_sequences=True,
)  # fmt: skip


def alike(kept):
    return float(np.mean(kept.all(axis=1) | ~kept.any(axis=1)))


passing = keras.layers.SimpleRNN(
    50, activation="linear", kernel_initializer="identity", recurrent_initializer="zeros", return_sequences=True
)
versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(
    json.dumps(
        {
            "versions": versions,
            "result": alike(layer(inputs, training=True).numpy() != 0),
            "bridged": alike(passing(inputs * keep * 2).numpy() != 0),
        }
    )
)
