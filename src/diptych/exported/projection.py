"""The output layer of an export for some words alone: its weights from the folder, its product in ONNX Runtime."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import safe_open

from diptych.config import ModelConfig
from diptych.exported.folder import SETTINGS, WEIGHTS
from diptych.exported.runtime import session
from diptych.onnx import message
from diptych.onnx.writer import GraphWriter, model
from diptych.search.stepper import Ids

Array = npt.NDArray[Any]
Chosen = tuple[Array, Array]
"""The output layer's weight (U, F) and bias (U,) of some words alone."""


class Projection:
    """Multiplies features with the weights of some words; in float32, whatever the export's files are in."""

    def __init__(self, folder: Path, threads: int | None, device: str) -> None:
        """Read the output layer of an export."""
        config = ModelConfig(**json.loads((folder / SETTINGS).read_bytes())["model"])
        table = "source_embedding" if config.tie_source_target else "target_embedding"
        weight = table if config.tie_target_output else "output_layer"
        with safe_open(folder / WEIGHTS, framework="numpy") as file:
            self.weight = file.get_tensor(f"{weight}.weight").astype(np.float32, copy=False)
            self.bias = file.get_tensor("output_layer.bias").astype(np.float32, copy=False)
        self._session = session(_graph(), threads, device)

    def choose(self, words: Ids) -> Chosen:
        """The weight and the bias of these words (U,) alone."""
        return self.weight[words], self.bias[words]

    def __call__(self, features: Array, chosen: Chosen) -> Array:
        """Features (N, F) give the log-probabilities (N, U) of the chosen words, as if these were all."""
        weight, bias = chosen
        table: Array = self._session.run(None, {"features": features, "weight": weight, "bias": bias})[0]
        return table


def _graph() -> bytes:
    """An ONNX file of one product, whose weights go in with each run."""
    writer = GraphWriter()
    logits = writer.op("Gemm", ["features", "weight", "bias"], "logits", transB=1)
    table = writer.op("LogSoftmax", [logits], "table", axis=-1)
    sizes: dict[str, list[str | int]] = {
        "features": ["batch", "feature"],
        "weight": ["word", "feature"],
        "bias": ["word"],
        table: ["batch", "word"],
    }
    *inputs, output = (message.value(name, "float32", shape) for name, shape in sizes.items())
    return b"".join(model(writer.graph_of("projection", inputs, [output])).pieces())
