"""A Keras RNN over a sentence padded on the left, with its mask."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
words, weight_ih, weight_hh = draw.normal(size=(1, 3, 3)), draw.normal(size=(4, 3)), draw.normal(size=(4, 4))
padding = np.ones((1, 2, 3))
inputs, mask = np.concatenate([padding, words], axis=1), np.array([[False, False, True, True, True]])

layer = keras.layers.SimpleRNN(4, use_bias=False, dtype="float64")
layer.build(inputs.shape)
layer.set_weights([weight_ih.T, weight_hh.T])
state = layer(inputs, mask=mask).numpy()

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": state.tolist()}))
