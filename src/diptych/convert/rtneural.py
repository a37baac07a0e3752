"""RTNeural's JSON: Keras's layers and weights in another wrapping, run step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from diptych.convert.graph import Graph
from diptych.convert.keras.architecture import read_keras
from diptych.errors import RefusalError

CLASSES = {"gru": "GRU", "lstm": "LSTM", "dense": "Dense", "time-distributed-dense": "Dense"}


def read_rtneural(model: dict[str, Any], path: Path) -> Graph:
    """The graph of a model that RTNeural's exporter wrote: recurrent layers keep their sequence."""
    layers, weights = [], {}
    for number, layer in enumerate(model["layers"]):
        kind = layer.get("type")
        if kind not in CLASSES:
            raise RefusalError(
                f"{path}: layer {number}: type {kind!r} is not converted; these are: {', '.join(CLASSES)}"
            )
        name = f"{kind.replace('-', '_')}_{number}"
        config: dict[str, Any] = {"name": name, "units": layer["shape"][-1]}
        if kind in ("gru", "lstm"):
            config |= {"return_sequences": True, "recurrent_activation": "sigmoid"}
            config |= {"reset_after": True} if kind == "gru" else {}
        config["activation"] = layer.get("activation") or "linear"
        layers.append({"class_name": CLASSES[kind], "config": config})
        weights[name] = [(str(place), np.array(array, np.float64)) for place, array in enumerate(layer["weights"])]
    shape = [None, None, model["in_shape"][-1]]
    layers.insert(0, {"class_name": "InputLayer", "config": {"name": "inputs", "batch_shape": shape}})
    return read_keras({"class_name": "Sequential", "config": {"layers": layers}}, weights, "3.0")
