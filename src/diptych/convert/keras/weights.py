"""The weights of one layer as Keras keeps them and as a graph does: which rows, columns and gates become which.

Keras (columns): LSTM i, f, c, o and GRU z, r, h; kernels (I, GH) and (H, GH). A graph (rows): i, f, g, o and r, z, n.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert.kinds import BatchNormalization, Convolution, Dense, Embedding, Kind, LayerNormalization, Recurrent
from diptych.errors import RefusalError

Values = npt.NDArray[Any]


def _swapped(rows: Values) -> Values:
    """r and z in each other's place; the same way there and back."""
    first, second, third = np.split(rows, 3)
    return np.concatenate([second, first, third])


def recurrent_from_keras(kind: Recurrent, arrays: Sequence[Values]) -> dict[str, Values]:
    """One direction's kernel, recurrent kernel and, where there is one, bias; a GRU that resets after has two in it."""
    kernel, recurrent, *bias = arrays
    found = {"weight_ih": kernel.T, "weight_hh": recurrent.T}
    if bias and bias[0].ndim == 2:
        found |= {"bias_ih": bias[0][0], "bias_hh": bias[0][1]}
    elif bias:
        found["bias_ih"] = bias[0]
    return {name: _swapped(value) for name, value in found.items()} if kind.cell == "gru" else found


def recurrent_to_keras(kind: Recurrent, weights: dict[str, Values]) -> list[Values]:
    """What `recurrent_from_keras` was given; two biases of an LSTM or plain RNN become their sum."""
    if kind.cell == "gru":
        weights = {name: _swapped(value) for name, value in weights.items()}
    found = [weights["weight_ih"].T, weights["weight_hh"].T]
    biases = [weights[name] for name in ("bias_ih", "bias_hh") if name in weights]
    if biases and kind.cell == "gru" and kind.reset_after:
        missing = np.zeros_like(biases[0])
        found.append(np.stack([weights.get("bias_ih", missing), weights.get("bias_hh", missing)]))
    elif biases:
        # In float64: a sum in float32 would be rounded before it is certified.
        found.append(np.asarray(np.sum(biases, axis=0, dtype=np.float64)) if len(biases) > 1 else biases[0])
    return found


def cudnn_arrays(cell: str, arrays: Sequence[Values]) -> list[Values]:
    """The arrays of CuDNNLSTM or CuDNNGRU as those of LSTM and GRU, both biases kept.

    cuDNN reads each gate's kernel (I, H) as a matrix (H, I) of the same numbers in the same order, and the recurrent
    one as its transpose; the bias holds that of the input and then that of the state.
    """
    gates = 4 if cell == "lstm" else 3
    kernel, recurrent, bias = arrays
    kernels = [gate.reshape(gate.shape[::-1]).T for gate in np.split(kernel, gates, axis=1)]
    recurrents = [gate.T for gate in np.split(recurrent, gates, axis=1)]
    return [np.concatenate(kernels, axis=1), np.concatenate(recurrents, axis=1), bias.reshape(2, -1)]


def keras_1_arrays(cell: str, named: dict[str, Values]) -> list[Values]:
    """The arrays that Keras 1 kept for each gate (W_i, U_i, b_i, and so on) in the layout of Keras 2.

    Args:
        cell: "lstm" or "gru".
        named: by the end of their names.
    """
    gates = "ifco" if cell == "lstm" else "zrh"
    return [np.concatenate([named[f"{letter}_{gate}"] for gate in gates], axis=-1) for letter in "WUb"]


def from_keras(kind: Kind, arrays: Sequence[Values], flags: dict[str, bool] | None = None) -> dict[str, Values]:
    """A layer's weights, in the order in which Keras keeps them, as a graph's.

    Args:
        kind: the layer.
        arrays: those that `layer.get_weights()` gives.
        flags: of a normalisation, whether it has a `weight` and a `bias`.
    """
    flags = flags or {}
    if isinstance(kind, Recurrent):
        count = len(arrays) // len(kind.suffixes)
        return {
            f"{name}{suffix}": value
            for place, suffix in enumerate(kind.suffixes)
            for name, value in recurrent_from_keras(kind, arrays[place * count : (place + 1) * count]).items()
        }
    if isinstance(kind, Embedding):
        return {"weight": arrays[0]}
    if isinstance(kind, Dense):
        return {"weight": arrays[0].T} | ({"bias": arrays[1]} if len(arrays) > 1 else {})
    if isinstance(kind, Convolution):
        return {"weight": arrays[0].transpose(2, 1, 0)} | ({"bias": arrays[1]} if len(arrays) > 1 else {})
    if isinstance(kind, LayerNormalization | BatchNormalization):
        names = [name for name in ("weight", "bias") if flags.get(name, True)]
        names += ["mean", "variance"] if isinstance(kind, BatchNormalization) else []
        return dict(zip(names, arrays, strict=True))
    raise RefusalError(f"{type(kind).__name__} has no weights in Keras, got {len(arrays)}")


def to_keras(kind: Kind, weights: dict[str, Values]) -> list[Values]:
    """What `from_keras` was given."""
    if isinstance(kind, Recurrent):
        found: list[Values] = []
        for suffix in kind.suffixes:
            ends = {name for name in weights if name.endswith("_reverse") == bool(suffix)}
            found += recurrent_to_keras(kind, {name.removesuffix("_reverse"): weights[name] for name in ends})
        return found
    if isinstance(kind, Dense):
        return [weights["weight"].T, *([weights["bias"]] if "bias" in weights else [])]
    if isinstance(kind, Convolution):
        return [weights["weight"].transpose(2, 1, 0), *([weights["bias"]] if "bias" in weights else [])]
    return [weights[name] for name in ("weight", "bias", "mean", "variance", "scale") if name in weights]
