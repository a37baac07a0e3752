"""The recurrent cells of TensorFlow 1 by their weights: kernels on [x; h], gates i, j, f, o, a forget bias at run time.

In an LSTM, j is the candidate g; the forget bias is added at every step and is not in the file, so it is put into the
bias here. A GRU's gates are r, u, and its candidate is computed from [x; r h]: it resets before the product.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from diptych.convert.files.model_file import Layer
from diptych.convert.graph import Array
from diptych.convert.kinds import Function, Recurrent
from diptych.errors import RefusalError

LSTMS = ("BasicLSTMCell", "LSTMCell", "LSTMBlockCell", "LSTMBlockFusedCell")
CELLS = (*LSTMS, "GRUCell", "GRUBlockCell", "BasicRNNCell")
KEYS = ("activation", "forget_bias", "cell_clip")
"""What `--assume` can answer of a cell: the graph around it may say it, its weights do not."""
PEEPHOLES = {"w_i_diag": "peephole_i", "w_f_diag": "peephole_f", "w_o_diag": "peephole_o"}


def read_cell(layer: Layer, own: Mapping[str, Array], assume: Mapping[str, str]) -> tuple[Recurrent, dict[str, Array]]:
    """A cell's formula and weights.

    Raises:
        RefusalError: its forget bias is not known.
    """
    named = {name.removeprefix(layer.name).strip("/"): array for name, array in own.items()}
    activation = Function(assume.get("activation", "tanh"))
    if layer.kind in ("GRUCell", "GRUBlockCell"):
        return Recurrent("gru", activation, reset_after=False), _gru(named)
    kernel, bias = named["kernel"], named["bias"]
    if layer.kind == "BasicRNNCell":
        units = kernel.shape[1]
        return Recurrent("rnn", activation), _split(kernel, bias, units)
    units = kernel.shape[1] // 4
    i, j, f, o = np.split(kernel, 4, axis=1)
    b_i, b_j, b_f, b_o = np.split(bias, 4)
    told: Any = layer.config.get("forget_bias", assume.get("forget_bias"))
    if told is None:
        raise RefusalError(
            f"{layer.name} ({layer.kind}): its forget bias is added at run time and is not in the weights: answer with "
            f"--assume forget_bias=1 (the default of TensorFlow 1) or what `diptych inspect` shows"
        )
    clip: Any = layer.config.get("cell_clip", assume.get("cell_clip"))
    limit = float(clip) if clip is not None and float(clip) > 0 else None
    output = named["projection/kernel"].shape[1] if "projection/kernel" in named else units
    weights = _split(np.concatenate([i, f, j, o], axis=1), np.concatenate([b_i, b_f + float(told), b_j, b_o]), output)
    weights |= {PEEPHOLES[name]: array for name, array in named.items() if name in PEEPHOLES}
    if "projection/kernel" in named:
        weights["weight_hr"] = named["projection/kernel"].T
    return Recurrent("lstm", activation, cell_clip=limit), weights


def _split(kernel: Array, bias: Array, states: int) -> dict[str, Array]:
    """A kernel on [x; h] as two matrices."""
    inputs = kernel.shape[0] - states
    return {"weight_ih": kernel[:inputs].T, "weight_hh": kernel[inputs:].T, "bias_ih": bias}


def _gru(named: Mapping[str, Array]) -> dict[str, Array]:
    gates, candidate = named["gates/kernel"], named["candidate/kernel"]
    kernel = np.concatenate([gates, candidate], axis=1)
    return _split(kernel, np.concatenate([named["gates/bias"], named["candidate/bias"]]), candidate.shape[1])
