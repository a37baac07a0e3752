"""The gradient of the same loss, taken twice, the second time."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

weight = tf.Variable(2.0)
for _ in range(2):
    with tf.GradientTape() as tape:
        loss = weight**2
    gradient = tape.gradient(loss, weight)

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": float(gradient)}))
