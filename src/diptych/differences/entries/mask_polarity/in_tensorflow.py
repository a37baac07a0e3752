"""One head of Keras's attention over five positions, of which two are padding."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

draw = np.random.default_rng(1)
query, memory = draw.normal(size=(1, 3, 4)), draw.normal(size=(1, 5, 4))
mask = np.array([[[True, True, True, False, False]]])

layer = keras.layers.MultiHeadAttention(1, 4, use_bias=False, dtype="float64")
layer.build(query.shape, memory.shape)
layer.set_weights([np.eye(4).reshape(weight.shape) for weight in layer.get_weights()])
_, weights = layer(query, memory, attention_mask=mask, return_attention_scores=True)

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": weights[0].numpy().tolist()}))
