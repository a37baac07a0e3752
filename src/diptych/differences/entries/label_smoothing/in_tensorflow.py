"""Keras's sparse cross-entropy with what smoothing it takes (result), and one-hot targets with smoothing (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import inspect

import keras
import numpy as np
import tensorflow as tf

logits = 2 * np.random.default_rng(1).normal(size=(8, 5))
targets = np.arange(8) % 5
sparse, one_hot = keras.losses.SparseCategoricalCrossentropy, keras.losses.CategoricalCrossentropy

takes_smoothing = "label_smoothing" in inspect.signature(sparse).parameters
smoothing = {"label_smoothing": 0.1} if takes_smoothing else {}
stock = sparse(from_logits=True, dtype="float64", **smoothing)(targets, logits)
bridged = one_hot(from_logits=True, dtype="float64", label_smoothing=0.1)(np.eye(5)[targets], logits)

versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": float(stock), "bridged": float(bridged)}))
