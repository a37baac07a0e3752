"""Train a small Keras RNN for 200 steps of Adam with its default epsilon."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
inputs, targets = draw.normal(size=(8, 6, 5)), draw.integers(0, 7, (8, 6))
weight_ih, weight_hh, weight_out = (0.5 * draw.normal(size=s) for s in [(6, 5), (6, 6), (7, 6)])
inputs[:, :, 4] *= 1e-6  # One feature is faint, and so are the gradients of its weights.

rnn = keras.layers.SimpleRNN(6, return_sequences=True, use_bias=False, dtype="float64")
dense = keras.layers.Dense(7, use_bias=False, dtype="float64")
model = keras.Sequential([keras.Input((6, 5), dtype="float64"), rnn, dense])
model.set_weights([weight_ih.T, weight_hh.T, weight_out.T])
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
