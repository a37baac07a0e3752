"""TorchScript written, opened again as a stranger would, and asked for the trials' outputs.

Runs in PyTorch's process.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.config import ModelConfig
from diptych.panel.protocol import Panel

Values = npt.NDArray[Any]


def write(
    panel: Panel, path: str, model: Mapping[str, Any], sizes: Sequence[int], parameters: Mapping[str, Values],
    trials: Sequence[Mapping[str, Values]],
) -> dict[str, Any]:  # fmt: skip
    """Write the file: `outputs`, for each trial log-probabilities (B, T, V) and attention (B, T, S); `versions`.

    Args:
        panel: PyTorch's.
        path: of the file.
        model: the config's section.
        sizes: of both vocabularies.
        parameters: by name.
        trials: each with source (B, S), lengths (B,) and tokens (B, T).
    """
    import torch

    from diptych.export.torch.module import scripted

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # module.py says why it is TorchScript
        scripted(ModelConfig.model_validate(dict(model)), (sizes[0], sizes[1]), parameters).save(path)
        loaded = torch.jit.load(path, map_location="cpu")
    outputs = []
    with torch.no_grad():
        for trial in trials:
            source, lengths, tokens = (
                torch.from_numpy(trial[name].astype(np.int64)) for name in ("source", "lengths", "tokens")
            )
            state, found = loaded.encode(source, lengths), []
            for step in range(tokens.shape[1]):
                table, weights, state = loaded.step(tokens[:, step], state)
                found.append((table.numpy(), weights.numpy()))
            tables, looks = zip(*found)
            outputs.append({"log_probabilities": np.stack(tables, axis=1), "attention": np.stack(looks, axis=1)})
    return {"outputs": outputs, "versions": panel.versions()}
