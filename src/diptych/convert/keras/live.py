"""A Keras model or layer that lives in this process: its graph, and what it computes. It is not changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from diptych.convert.certificate import Party
from diptych.convert.graph import Graph
from diptych.convert.keras.architecture import NamedArrays, read_keras
from diptych.convert.keras.party import party_of_original
from diptych.convert.keras.running import layers_of, run_built
from diptych.errors import RefusalError


def graph_of(model: Any) -> Graph:
    """The graph of a live Keras model.

    Raises:
        RefusalError: it has no weights yet, or cannot be converted exactly.
    """
    if not isinstance(model, keras.Model):
        raise RefusalError(f"expected a Keras model, got {type(model).__name__}; for one layer use diptych.state_dict")
    if not model.built:
        raise RefusalError(f"the Keras model {model.name!r} has no weights yet: call it or give it an Input first")
    return read_keras(json.loads(model.to_json()), weights_of(model), keras.__version__)


def weights_of(model: Any) -> dict[str, NamedArrays]:
    """Every layer's weights, by its path."""
    return {
        path: [(f"{number}", np.asarray(variable)) for number, variable in enumerate(layer.weights)]
        for path, layer in layers_of(model)
    }


def party_of(model: Any, graph: Graph, trial: dict[str, Any], folder: Path) -> Party:
    """What a copy of the model computes on a trial; its gradients are kept in a folder."""
    config, weights = model.to_json(), weights_of(model)
    arrays = {f"{path}|{n}": array for path, named in weights.items() for n, array in named}
    evidence = run_built(config, arrays, trial=trial, folder=folder)

    def read(arrays: dict[str, NamedArrays]) -> Graph:
        return read_keras(json.loads(config), arrays, keras.__version__)

    return party_of_original(graph, evidence, names=weights, read=read, folder=folder)


def graph_of_layer(layer: Any) -> Graph:
    """The graph of a model of one live layer."""
    if not isinstance(layer, keras.layers.Layer) or isinstance(layer, keras.Model):
        raise RefusalError(f"expected a Keras layer, got {type(layer).__name__}; for a model use diptych.to_pytorch")
    if not layer.built:
        raise RefusalError(f"the Keras layer {layer.name!r} has no weights yet: call it first")
    config = keras.saving.serialize_keras_object(layer)
    model = {"class_name": "Sequential", "config": {"name": "one", "layers": [json.loads(json.dumps(config))]}}
    model["config"]["build_input_shape"] = [None, None, None]
    weights = {layer.name: [(f"{n}", np.asarray(variable)) for n, variable in enumerate(layer.weights)]}
    return read_keras(model, weights, keras.__version__)
