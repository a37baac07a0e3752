"""How much a new Keras LSTM keeps of its memory in one step: its forget gate with no input and no state."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(1)
layer = keras.layers.LSTM(512, return_state=True)
memory = np.ones((1, 512), "float32")
_, _, kept = layer(np.zeros((1, 1, 4), "float32"), initial_state=[np.zeros((1, 512), "float32"), memory])

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": float(np.mean(kept))}))
