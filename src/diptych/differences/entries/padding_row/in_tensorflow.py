"""The gradient of a Keras embedding's row 0, of a sum over a row with one pad: as it is (result), masked (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

tokens = np.array([[3, 1, 0]])
layer = keras.layers.Embedding(5, 2, mask_zero=True, dtype="float64")
layer.build()


def gradient(mask):
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(tokens) * mask[:, :, None])
    return tf.convert_to_tensor(tape.gradient(total, layer.trainable_variables[0])).numpy()[0].tolist()


versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(
    json.dumps(
        {"versions": versions, "result": gradient(np.ones((1, 3))), "bridged": gradient((tokens != 0).astype(float))}
    )
)
