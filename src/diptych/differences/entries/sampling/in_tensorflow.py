"""How often each of four words is drawn by TensorFlow from the same numbers."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

logits = np.array([[3.0, 2.0, 1.0, 0.5]])
drawn = tf.random.stateless_categorical(logits, 100_000, seed=[1, 2]).numpy()

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": (np.bincount(drawn[0], minlength=4) / 100_000).tolist()}))
