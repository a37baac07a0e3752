"""A PyTorch GRU's weights in a Keras GRU: transposed only (result), and with the gates put in order (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
inputs = draw.normal(size=(2, 5, 3))
weight_ih, weight_hh = draw.normal(size=(12, 3)), draw.normal(size=(12, 4))
biases = draw.normal(size=(2, 12))

layer = keras.layers.GRU(4, return_sequences=True, dtype="float64")
layer.build(inputs.shape)


def outputs(gates):
    rows = np.concatenate([np.arange(4 * gate, 4 * gate + 4) for gate in gates])
    layer.set_weights([weight_ih[rows].T, weight_hh[rows].T, biases[:, rows]])
    return layer(inputs).numpy().tolist()


versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": outputs([0, 1, 2]), "bridged": outputs([1, 0, 2])}))
