"""Dot attention by Keras's layer."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
query, memory = draw.normal(size=(2, 3, 16)), draw.normal(size=(2, 5, 16))
context = keras.layers.Attention(dtype="float64")([query, memory]).numpy()

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": context.tolist()}))
