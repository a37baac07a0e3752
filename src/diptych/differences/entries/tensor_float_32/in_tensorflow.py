"""Whether TensorFlow rounds float32 to TF32 by default: as it is (result), and switched off (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf


def flags():
    on = tf.config.experimental.tensor_float_32_execution_enabled()  # One switch for all of them.
    return {"matrix products": on, "convolutions": on, "fused RNNs": on}


result = flags()
tf.config.experimental.enable_tensor_float_32_execution(False)
bridged = flags()
tf.config.experimental.enable_tensor_float_32_execution(result["matrix products"])

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": result, "bridged": bridged}))
