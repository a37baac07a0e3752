"""A Keras RNN over a batch of two rows, the second of them padding only."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

layer = keras.layers.SimpleRNN(2)
try:
    states = layer(np.ones((2, 3, 2), "float32"), mask=np.array([[True, True, False], [False, False, False]])).numpy()
    outcome = "a state of zeros" if not states[1].any() else "another state"
except tf.errors.OpError as error:
    outcome = type(error).__name__

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": outcome}))
