"""Five uniform numbers after seeding with 1: by TensorFlow (result), and by NumPy (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(1)
drawn = tf.random.uniform([5], dtype=tf.float64).numpy()
shared = tf.constant(np.random.Generator(np.random.Philox(key=1)).random(5)).numpy()

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": drawn.tolist(), "bridged": shared.tolist()}))
