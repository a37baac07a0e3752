"""Keras's cross-entropy of the same numbers: by default (result), and told that they are logits (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

logits = np.random.default_rng(1).normal(size=(8, 5))
targets = np.arange(8) % 5


def loss(**options):
    return float(keras.losses.SparseCategoricalCrossentropy(dtype="float64", **options)(targets, logits))


versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": loss(), "bridged": loss(from_logits=True)}))
