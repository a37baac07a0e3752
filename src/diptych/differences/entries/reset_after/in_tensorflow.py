"""One set of weights in a Keras GRU of the before form (result) and of the after form (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
inputs = draw.normal(size=(2, 5, 3))
weight_ih, weight_hh, bias = draw.normal(size=(12, 3)), draw.normal(size=(12, 4)), draw.normal(size=12)
rows = np.r_[4:8, 0:4, 8:12]  # PyTorch's r, z, n as Keras's z, r, h


def outputs(reset_after):
    layer = keras.layers.GRU(4, reset_after=reset_after, return_sequences=True, dtype="float64")
    layer.build(inputs.shape)
    biases = np.stack([bias[rows], np.zeros(12)]) if reset_after else bias[rows]
    layer.set_weights([weight_ih[rows].T, weight_hh[rows].T, biases])
    return layer(inputs).numpy().tolist()


versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": outputs(reset_after=False), "bridged": outputs(reset_after=True)}))
