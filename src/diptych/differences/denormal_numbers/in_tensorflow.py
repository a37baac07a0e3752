"""A denormal float32 number, multiplied until it would be one, in TensorFlow (result, and bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

result = (tf.fill([8], tf.constant(1e-40)) * 1e30 * 1e10).numpy().tolist()
print(json.dumps({"versions": {"tensorflow": tf.__version__}, "result": result, "bridged": result}))
