"""Keras's layer normalisation: as it is (result), and with PyTorch's epsilon (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

inputs = 0.03 * np.random.default_rng(1).normal(size=(4, 16))

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(
    json.dumps(
        {
            "versions": versions,
            "result": keras.layers.LayerNormalization(dtype="float64")(inputs).numpy().tolist(),
            "bridged": keras.layers.LayerNormalization(epsilon=1e-5, dtype="float64")(inputs).numpy().tolist(),
        }
    )
)
