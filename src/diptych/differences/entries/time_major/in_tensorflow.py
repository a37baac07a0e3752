"""A Keras RNN over four rows of four steps."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
inputs, weight_ih, weight_hh = draw.normal(size=(4, 4, 3)), draw.normal(size=(4, 3)), draw.normal(size=(4, 4))

layer = keras.layers.SimpleRNN(4, return_sequences=True, use_bias=False, dtype="float64")
layer.build(inputs.shape)
layer.set_weights([weight_ih.T, weight_hh.T])

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": layer(inputs).numpy().tolist()}))
