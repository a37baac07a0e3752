"""A denormal float32 number, multiplied until it would be one, in TensorFlow (result, and bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

result = (keras.ops.full([8], 1e-40, "float32") * 1e30 * 1e10).numpy().tolist()
print(
    json.dumps(
        {"versions": {"tensorflow": tf.__version__, "keras": keras.__version__}, "result": result, "bridged": result}
    )
)
