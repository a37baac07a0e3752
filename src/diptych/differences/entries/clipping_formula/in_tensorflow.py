"""A gradient clipped by Keras: one step of size 1 from zero."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

gradient = np.random.default_rng(1).normal(size=8)
gradient *= 0.02 / np.linalg.norm(gradient)

weights = keras.Variable(np.zeros(8), dtype="float64")
optimizer = keras.optimizers.SGD(1.0, global_clipnorm=0.01)
optimizer.apply_gradients([(tf.constant(gradient), weights)])

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": (-weights.numpy()).tolist()}))
