"""The learning rates of eight steps of a Keras schedule: boundary 3 (result), and boundary 2 (bridged)."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf


def rates(boundary):
    optimizer = keras.optimizers.SGD(keras.optimizers.schedules.PiecewiseConstantDecay([boundary], [1.0, 0.125]))
    weight, moves = keras.Variable(0.0), []
    for _ in range(8):
        before = float(weight)
        optimizer.apply_gradients([(tf.constant(1.0), weight)])
        moves.append(before - float(weight))
    return moves


versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": rates(3), "bridged": rates(2)}))
