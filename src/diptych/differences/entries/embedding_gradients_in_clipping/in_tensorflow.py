"""The norm of an embedding's gradient after Keras clipped it to 1: as it is (result), and made dense (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

tokens = np.array([3] * 9 + [4])


def clipped_norm(dense):
    layer = keras.layers.Embedding(5, 1, embeddings_initializer="zeros", dtype="float64")
    layer.build()
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(tokens))
    gradient = tape.gradient(total, layer.trainable_variables[0])
    optimizer = keras.optimizers.SGD(1.0, global_clipnorm=1.0)
    optimizer.apply_gradients([(tf.convert_to_tensor(gradient) if dense else gradient, layer.trainable_variables[0])])
    return float(np.linalg.norm(layer.get_weights()[0]))  # One step of size 1 from zero: the clipped gradient itself.


versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": clipped_norm(dense=False), "bridged": clipped_norm(dense=True)}))
