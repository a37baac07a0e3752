"""Files as Keras 1 and 2 wrote them, and an LSTM of theirs."""

from __future__ import annotations

import json

import h5py
import numpy as np


def keras_file(path, layers, weights, version, listed=False):
    """An .h5 file as Keras 1 and 2 wrote it.

    Args:
        path: of the file.
        layers: each one's class and config.
        weights: by layer, the names and arrays.
        version: of Keras.
        listed: whether the config is a list, as before 2.2.3.
    """
    config = [{"class_name": kind, "config": config} for kind, config in layers]
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = version
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps(
            {"class_name": "Sequential", "config": config if listed else {"name": "s", "layers": config}}
        )
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([config["name"].encode() for _, config in layers])
        for _, config in layers:
            own = group.create_group(config["name"])
            named = weights.get(config["name"], {})
            own.attrs["weight_names"] = np.array([name.encode() for name in named], dtype="S60")
            for name, array in named.items():
                own.create_dataset(name, data=array)
    return path


DRAW = np.random.default_rng(5)
LSTM_WEIGHTS = {
    "lstm/kernel:0": DRAW.normal(size=(3, 16)), "lstm/recurrent_kernel:0": DRAW.normal(size=(4, 16)),
    "lstm/bias:0": DRAW.normal(size=16),
}  # fmt: skip


def lstm(**more):
    return ("LSTM", {"name": "lstm", "units": 4, "batch_input_shape": [None, 5, 3], "activation": "tanh", **more})
