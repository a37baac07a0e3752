"""What a Keras layer makes of float64 inputs: as it is (result), and made for float64 (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

inputs = np.ones((2, 3))


def outcome(**options):
    return keras.layers.Dense(4, **options)(inputs).dtype.name


versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": outcome(), "bridged": outcome(dtype="float64")}))
