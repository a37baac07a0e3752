"""Train a small Keras LSTM for 200 steps: it has one bias."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
inputs, targets = draw.normal(size=(8, 6, 5)), draw.integers(0, 7, (8, 6))
weight_ih, weight_hh, bias, weight_out = (0.5 * draw.normal(size=s) for s in [(24, 5), (24, 6), (24,), (7, 6)])

lstm = keras.layers.LSTM(6, return_sequences=True, dtype="float64")
dense = keras.layers.Dense(7, use_bias=False, dtype="float64")
model = keras.Sequential([keras.Input((6, 5), dtype="float64"), lstm, dense])
model.set_weights([weight_ih.T, weight_hh.T, bias, weight_out.T])
# Constants that float32 holds exactly, so that rounding plays no part here.
optimizer = keras.optimizers.Adam(2**-6, beta_1=0.875, beta_2=1 - 2**-9, epsilon=1e-8)
start = lstm.cell.bias.numpy()


@tf.function
def train():
    with tf.GradientTape() as tape:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, model(inputs))
        loss = tf.reduce_mean(losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


losses, moved = [], []
for _ in range(200):
    losses.append(float(train()))
    moved.append(float(np.abs(lstm.cell.bias.numpy() - start).max()))
versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": losses, "details": {"the bias moved in one step": moved[0]}}))
