"""A backward Keras RNN: as it is (result), and with its outputs flipped back (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
inputs, weight_ih, weight_hh = draw.normal(size=(2, 5, 3)), draw.normal(size=(4, 3)), draw.normal(size=(4, 4))

layer = keras.layers.SimpleRNN(4, return_sequences=True, go_backwards=True, use_bias=False, dtype="float64")
layer.build(inputs.shape)
layer.set_weights([weight_ih.T, weight_hh.T])
outputs = layer(inputs).numpy()

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": outputs.tolist(), "bridged": outputs[:, ::-1].tolist()}))
