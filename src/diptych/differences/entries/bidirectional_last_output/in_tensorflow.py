"""What a bidirectional Keras RNN returns for each row."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
inputs, weights = draw.normal(size=(2, 5, 3)), [draw.normal(size=shape) for shape in [(4, 3), (4, 4)] * 2]

layer = keras.layers.Bidirectional(keras.layers.SimpleRNN(4, use_bias=False, dtype="float64"), dtype="float64")
layer.build(inputs.shape)
layer.set_weights([weight.T for weight in weights])

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": layer(inputs).numpy().tolist()}))
