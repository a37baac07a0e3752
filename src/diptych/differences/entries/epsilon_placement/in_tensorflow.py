"""Train a small Keras GRU for 200 steps of Adam with its default epsilon."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
words = draw.integers(0, 7, (8, 6))
inputs, targets = np.eye(7)[words], np.roll(words, 1, axis=1)  # Say the word before.
weight_ih, weight_hh, weight_out = (0.5 * draw.normal(size=s) for s in [(18, 7), (18, 6), (7, 6)])

gru = keras.layers.GRU(6, return_sequences=True, use_bias=False, dtype="float64")
dense = keras.layers.Dense(7, use_bias=False, dtype="float64")
model = keras.Sequential([keras.Input((6, 7), dtype="float64"), gru, dense])
rows = np.r_[6:12, 0:6, 12:18]  # PyTorch's r, z, n as Keras's z, r, h
model.set_weights([weight_ih[rows].T, weight_hh[rows].T, weight_out.T])
# Constants that float32 holds exactly, so that rounding plays no part here.
optimizer = keras.optimizers.Adam(2**-6, beta_1=0.875, beta_2=1 - 2**-9)


@tf.function
def train():
    with tf.GradientTape() as tape:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, model(inputs))
        loss = tf.reduce_mean(losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": [float(train()) for _ in range(200)]}))
