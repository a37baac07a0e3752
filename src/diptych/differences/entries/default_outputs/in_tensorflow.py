"""The shapes of what a Keras RNN returns: by default (result), and with everything asked for (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

inputs = np.ones((2, 5, 3), "float32")


def shapes(**options):
    returned = keras.layers.GRU(4, **options)(inputs)
    return [list(part.shape) for part in (returned if isinstance(returned, (list, tuple)) else [returned])]


outputs, state = shapes(return_sequences=True, return_state=True)
versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": shapes(), "bridged": [outputs, [1, *state]]}))
