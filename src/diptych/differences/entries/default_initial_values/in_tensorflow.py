"""The spread of a Keras model's initial weights: its own (result), and the same NumPy values in both (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(1)
layers = {
    "embedding": keras.layers.Embedding(2000, 128),
    "gru": keras.layers.GRU(128),
    "dense": keras.layers.Dense(500),
}
layers["embedding"].build()
layers["gru"].build((None, None, 128))
layers["dense"].build((None, 128))


def spread():
    names = ["embedding", "gru input", "gru recurrent", "gru biases", "dense", "dense bias"]
    values = [array for layer in layers.values() for array in layer.get_weights()]
    return {name: float(value.std()) for name, value in zip(names, values, strict=True)}


result = spread()
for layer in layers.values():
    layer.set_weights([np.resize([-0.1, 0.1], value.shape) for value in layer.get_weights()])

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": result, "bridged": spread()}))
