"""How much a new Keras dropout layer drops when it is called."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(1)
dropped = keras.layers.Dropout(0.5)(np.ones((100, 100), "float32")).numpy() == 0

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": float(dropped.mean())}))
