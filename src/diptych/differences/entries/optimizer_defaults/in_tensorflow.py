"""The defaults of Keras's optimizers, under the names that PyTorch gives them."""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf


def defaults(name, **renamed):
    config = getattr(keras.optimizers, name)().get_config()
    return {new: float(f"{float(config[old]):.6g}") for new, old in renamed.items()}


result = {
    "SGD": defaults("SGD", lr="learning_rate", momentum="momentum"),
    "Adam": defaults("Adam", lr="learning_rate", beta1="beta_1", beta2="beta_2", eps="epsilon"),
    "AdamW": defaults("AdamW", lr="learning_rate", eps="epsilon", weight_decay="weight_decay"),
    "RMSprop": defaults("RMSprop", lr="learning_rate", alpha="rho", eps="epsilon"),
    "Adagrad": defaults("Adagrad", lr="learning_rate", initial="initial_accumulator_value", eps="epsilon"),
}
versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
print(json.dumps({"versions": versions, "result": result}))
