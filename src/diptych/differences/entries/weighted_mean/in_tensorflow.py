"""Keras's cross-entropy with weights of 0 for padding: by default (result), and divided by the weights (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

logits = np.random.default_rng(1).normal(size=(8, 5))
targets = np.array([1, 2, 3, 4, 0, 0, 0, 0])


def loss(**options):
    function = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64", **options)
    return float(function(targets, logits, sample_weight=(targets != 0).astype(float)))


versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": loss(), "bridged": loss(reduction="mean_with_sample_weight")}))
