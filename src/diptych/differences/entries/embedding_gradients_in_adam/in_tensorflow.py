"""Train a small Keras GRU for 200 steps: with its gradients as they are (result), and made dense (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
inputs = draw.integers(0, 7, (8, 6))
targets = np.roll(inputs, 1, axis=1)  # Say the word before.
embedding, weight_ih, weight_hh, weight_out = (0.5 * draw.normal(size=s) for s in [(7, 5), (18, 5), (18, 6), (7, 6)])
rows = np.r_[6:12, 0:6, 12:18]  # PyTorch's r, z, n as Keras's z, r, h


def train(dense):
    embed = keras.layers.Embedding(7, 5, dtype="float64")
    gru = keras.layers.GRU(6, return_sequences=True, use_bias=False, dtype="float64")
    model = keras.Sequential([embed, gru, keras.layers.Dense(7, use_bias=False, dtype="float64")])
    model.build((None, 6))
    model.set_weights([embedding, weight_ih[rows].T, weight_hh[rows].T, weight_out.T])
    # Constants that float32 holds exactly, so that rounding plays no part here.
    optimizer = keras.optimizers.Adam(2**-6, beta_1=0.875, beta_2=1 - 2**-9, epsilon=1e-8)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, model(inputs))
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        if dense:
            gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return [float(step()) for _ in range(200)]


versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": train(dense=False), "bridged": train(dense=True)}))
