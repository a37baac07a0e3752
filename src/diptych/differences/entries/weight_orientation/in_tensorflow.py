"""The weights of a square PyTorch layer in a Keras one: as they are (result), and transposed (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
inputs, weight, bias = draw.normal(size=(2, 4)), draw.normal(size=(4, 4)), draw.normal(size=4)

layer = keras.layers.Dense(4, dtype="float64")
layer.build(inputs.shape)


def outputs(kernel):
    layer.set_weights([kernel, bias])
    return layer(inputs).numpy().tolist()


versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": outputs(weight), "bridged": outputs(weight.T)}))
