"""Five steps of a decoder with attention: called as the tutorial calls it (result), and with its state (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
memory, words = tf.constant(draw.normal(size=(2, 4, 3))), tf.constant(draw.normal(size=(2, 5, 3)))
w_query, w_memory, v = draw.normal(size=(3, 3)), draw.normal(size=(3, 3)), draw.normal(size=(3, 1))
weight_ih, weight_hh = draw.normal(size=(9, 6)), draw.normal(size=(9, 3))
rows = np.r_[3:6, 0:3, 6:9]  # PyTorch's r, z, n as Keras's z, r, h

gru = keras.layers.GRU(3, return_sequences=True, return_state=True, use_bias=False, dtype="float64")
gru.build((2, 1, 6))
gru.set_weights([weight_ih[rows].T, weight_hh[rows].T])


def decode(keep_state):
    state, outputs = tf.zeros((2, 3), tf.float64), []
    for t in range(5):
        scores = tf.tanh(state[:, None] @ w_query + memory @ w_memory) @ v
        context = tf.reduce_sum(tf.nn.softmax(scores, axis=1) * memory, axis=1)
        x = tf.concat([context, words[:, t]], axis=-1)[:, None]
        output, state = gru(x, initial_state=state) if keep_state else gru(x)
        outputs.append(output[:, 0].numpy().tolist())
    return outputs


versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": decode(keep_state=False), "bridged": decode(keep_state=True)}))
