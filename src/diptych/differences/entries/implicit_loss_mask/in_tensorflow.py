"""The loss of a Keras decoder on two padded sentences: as compiled (result), and with a mask of its own (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
embedding, weight_ih, weight_hh, weight_out = (draw.normal(size=s) for s in [(8, 5), (6, 5), (6, 6), (8, 6)])
ids = np.array([[1, 5, 6, 7, 4, 2], [1, 7, 5, 2, 0, 0]])  # 1 begins a sentence, 2 ends it, 0 is padding.
inputs, targets = ids[:, :-1], ids[:, 1:]

model = keras.Sequential(
    [
        keras.layers.Embedding(8, 5, mask_zero=True, dtype="float64"),
        keras.layers.SimpleRNN(6, return_sequences=True, use_bias=False, dtype="float64"),
        keras.layers.Dense(8, use_bias=False, dtype="float64"),
    ]
)
model.build(inputs.shape)
model.set_weights([embedding, weight_ih.T, weight_hh.T, weight_out.T])
model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64"))
losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, model(inputs)).numpy()

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(
    json.dumps(
        {
            "versions": versions,
            "result": float(model.test_on_batch(inputs, targets)),
            "bridged": float(losses[targets != 0].mean()),
        }
    )
)
