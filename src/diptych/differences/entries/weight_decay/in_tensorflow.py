"""Fit a line by 200 steps of Keras's Adam with weight decay."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
inputs, targets = draw.normal(size=(32, 4)), draw.normal(size=32)
weights = keras.Variable(np.ones(4), dtype="float64")
# Constants that float32 holds exactly, so that rounding plays no part here.
optimizer = keras.optimizers.Adam(2**-6, beta_1=0.875, beta_2=1 - 2**-9, epsilon=1e-8, weight_decay=2**-4)


@tf.function
def train():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((tf.linalg.matvec(inputs, weights) - targets) ** 2)
    optimizer.apply_gradients([(tape.gradient(loss, weights.value), weights)])


for _ in range(200):
    train()
versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": weights.numpy().tolist()}))
