"""A bidirectional Keras LSTM's states: as they come (result), and all hidden before all cell states (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
inputs, weights = draw.normal(size=(2, 5, 3)), [draw.normal(size=shape) for shape in [(16, 3), (16, 4)] * 2]

layer = keras.layers.Bidirectional(
    keras.layers.LSTM(4, return_state=True, use_bias=False, dtype="float64"), dtype="float64"
)
layer.build(inputs.shape)
layer.set_weights([weight.T for weight in weights])
_, *states = layer(inputs)
states = [state.numpy().tolist() for state in states]

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": states, "bridged": [states[index] for index in (0, 2, 1, 3)]}))
