"""A masked Keras RNN over two padded sentences: as it is (result), and with padded outputs set to zero (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
inputs, weight_ih, weight_hh = draw.normal(size=(2, 5, 3)), draw.normal(size=(4, 3)), draw.normal(size=(4, 4))
mask = np.arange(5) < np.array([[5], [2]])

layer = keras.layers.SimpleRNN(4, return_sequences=True, dtype="float64")
layer.build(inputs.shape)
layer.set_weights([weight_ih.T, weight_hh.T, np.zeros(4)])
outputs = layer(inputs, mask=mask).numpy()
both_ways = keras.layers.Bidirectional(keras.layers.SimpleRNN(4, return_sequences=True))(inputs, mask=mask).numpy()

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(
    json.dumps(
        {
            "versions": versions,
            "result": outputs.tolist(),
            "bridged": (outputs * mask[:, :, None]).tolist(),
            "details": {"largest padded output of a Bidirectional RNN": float(np.abs(both_ways[1, 2:]).max())},
        }
    )
)
