"""How much of its input one Keras RNN layer with dropout=0.5 drops while training; it passes its inputs through."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

layer = keras.layers.SimpleRNN(
    50, activation="linear", kernel_initializer="identity", recurrent_initializer="zeros", dropout=0.5, seed=1
)
dropped = layer(np.ones((200, 1, 50), "float32"), training=True).numpy() == 0

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": float(dropped.mean())}))
