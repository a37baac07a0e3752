"""SavedModel and LiteRT written, opened again as a stranger would, and asked for the trials' outputs.

Runs in TensorFlow's process.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.config import ModelConfig
from diptych.panel.protocol import Panel

Values = npt.NDArray[Any]
Call = Callable[..., dict[str, Any]]


def write(
    panel: Panel, path: str, model: Mapping[str, Any], sizes: Sequence[int], parameters: Mapping[str, Values],
    trials: Sequence[Mapping[str, Values]], to: str, int8: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Write the files: `outputs`, for each trial log-probabilities (B, T, V) and attention (B, T, S); `versions`.

    Args:
        panel: TensorFlow's.
        path: of the folder.
        model: the config's section.
        sizes: of both vocabularies.
        parameters: by name.
        trials: each with source (B, S), lengths (B,) and tokens (B, T); B is 1 for LiteRT.
        to: "savedmodel" or "litert".
        int8: whether LiteRT's weights are in int8.
    """
    import tensorflow as tf

    logging.getLogger("absl").setLevel(logging.ERROR)  # it warns of each gradient that is left out, as said below
    from diptych.export.tensorflow.graphs import Graphs, without_variables

    own = panel.Model(ModelConfig.model_validate(dict(model)), sizes[0], sizes[1])
    panel.load_parameters(own, parameters)
    graphs = Graphs(own, one=to == "litert")
    encode_graph = graphs.encode.get_concrete_function()
    signatures = {"serving_default": encode_graph, "encode": encode_graph, "step": graphs.step_graph}
    # The panel's gradients belong to its own loops, in training: nobody trains what is exported.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    if to == "savedmodel":
        served = f"{path}/saved_model/1"  # a base path and a version, as TensorFlow Serving wants them
        tf.saved_model.save(graphs, served, signatures, options)
        loaded = tf.saved_model.load(served).signatures
        encode, step = (_served(loaded[name]) for name in ("encode", "step"))
    else:
        with tempfile.TemporaryDirectory(prefix="diptych-") as folder:
            constant = {name: without_variables(signatures[name]) for name in ("encode", "step")}
            tf.saved_model.save(tf.Module(), folder, constant, options)
            converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["encode", "step"])
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]  # no flex operations
            converter.optimizations = [tf.lite.Optimize.DEFAULT] if int8 else []
            Path(path, "model.tflite").write_bytes(converter.convert())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the interpreter has a package of its own, too
            interpreter = tf.lite.Interpreter(model_path=f"{path}/model.tflite")
        encode, step = (interpreter.get_signature_runner(name) for name in ("encode", "step"))
    return {"outputs": [_run(encode, step, trial=trial, to=to) for trial in trials], "versions": panel.versions()}


def _run(encode: Call, step: Call, trial: Mapping[str, Values], to: str) -> dict[str, Values]:
    kind = np.int32 if to == "litert" else np.int64
    given = {"input_ids": trial["source"].astype(kind)}
    state = encode(**given | ({} if to == "litert" else {"input_lengths": trial["lengths"].astype(kind)}))
    found = []
    for place in range(trial["tokens"].shape[1]):
        fed = {name.replace("present_", "past_"): value for name, value in state.items()}
        state = step(input_ids=trial["tokens"][:, place].astype(kind), **fed)
        found.append((state.pop("log_probabilities"), state.pop("attention")))
    tables, looks = zip(*found)
    return {"log_probabilities": np.stack(tables, axis=1), "attention": np.stack(looks, axis=1)}


def _served(signature: Any) -> Call:
    """A signature that takes and gives arrays."""
    import tensorflow as tf

    def call(**given: Values) -> dict[str, Any]:
        found = signature(**{name: tf.constant(value) for name, value in given.items()})
        return {name: value.numpy() for name, value in found.items()}

    return call
