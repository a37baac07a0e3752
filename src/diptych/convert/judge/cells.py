"""One step of each recurrent cell, from its formula, and a whole layer as a loop of steps.

LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000), gates i, f, g, o:
    c' = f * c + i * g,  h' = o * tanh(c')
GRU (Cho et al. 2014), gates r, z, n; h' = (1 - z) * n + z * h with
    reset after:   n = tanh(W x + b + r * (U h + b'))
    reset before:  n = tanh(W x + b + U (r * h) + b')
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert.judge.activations import apply, clipped
from diptych.convert.kinds import Recurrent

Values = npt.NDArray[Any]
States = dict[str, Values]


def weights_of_direction(weights: Mapping[str, Values], suffix: str) -> dict[str, Values]:
    """One direction's weights, their suffix taken off."""
    if suffix:
        return {name.removesuffix(suffix): value for name, value in weights.items() if name.endswith(suffix)}
    return {name: value for name, value in weights.items() if not name.endswith("_reverse")}


def step(kind: Recurrent, w: Mapping[str, Values], x: Values, state: States) -> tuple[Values, States]:
    """One step: x (B, I) and the state in, the output (B, H) and the new state out."""
    given = product(x, w["weight_ih"]) + w.get("bias_ih", 0.0)
    if kind.cell == "gru":
        return _gru(kind, w, given=given, h=state["h"])
    recurrent = product(state["h"], w["weight_hh"]) + w.get("bias_hh", 0.0)
    if kind.cell == "rnn":
        h = apply(kind.activation, given + recurrent)
        return h, {"h": h}
    i, f, g, o = np.split(given + recurrent, 4, axis=-1)
    c = state["c"]
    i = apply(kind.gate, i + w.get("peephole_i", 0.0) * c)
    f = apply(kind.gate, f + w.get("peephole_f", 0.0) * c)
    c = f * c + i * apply(kind.activation, g)
    if kind.cell_clip is not None:
        c = clipped(c, -kind.cell_clip, kind.cell_clip)
    o = apply(kind.gate, o + w.get("peephole_o", 0.0) * c)
    h = o * apply(kind.activation, c)
    if "weight_hr" in w:
        h = product(h, w["weight_hr"])
        if kind.projection_clip is not None:
            h = clipped(h, -kind.projection_clip, kind.projection_clip)
    return h, {"h": h, "c": c}


def product(x: Values, matrix: Values) -> Values:
    """x @ matrix.T; of complex numbers and a real matrix by their parts, or NumPy would make the matrix complex."""
    if x.dtype.kind != "c" or matrix.dtype.kind == "c":
        return np.asarray(x @ matrix.T)
    found = np.empty((*x.shape[:-1], matrix.shape[0]), np.complex128)
    found.real, found.imag = x.real @ matrix.T, x.imag @ matrix.T
    return found


def _gru(kind: Recurrent, w: Mapping[str, Values], given: Values, h: Values) -> tuple[Values, States]:
    size = h.shape[-1]
    matrix, bias = w["weight_hh"], w.get("bias_hh", np.zeros(3 * size))
    gates = apply(kind.gate, given[..., : 2 * size] + product(h, matrix[: 2 * size]) + bias[: 2 * size])
    r, z = gates[..., :size], gates[..., size:]
    if kind.reset_after:
        inner = r * (product(h, matrix[2 * size :]) + bias[2 * size :])
    else:
        inner = product(r * h, matrix[2 * size :]) + bias[2 * size :]
    n = apply(kind.activation, given[..., 2 * size :] + inner)
    h = (1 - z) * n + z * h
    return h, {"h": h}


def run_direction(
    kind: Recurrent, w: Mapping[str, Values], x: Values, mask: Values | None, state: States, backward: bool
) -> tuple[Values, Values, States]:
    """One direction over x (B, T, I): outputs aligned with x, the last output, the final state."""
    outputs: list[Values] = [np.zeros(0)] * x.shape[1]
    before = np.zeros((x.shape[0], w["weight_hr"].shape[0] if "weight_hr" in w else w["weight_hh"].shape[1]), x.dtype)
    last = before
    for time in reversed(range(x.shape[1])) if backward else range(x.shape[1]):
        output, new = step(kind, w, x=x[:, time], state=state)
        if mask is not None:
            real = mask[:, time, None]
            new = {name: np.where(real, value, state[name]) for name, value in new.items()}
            output = np.where(real, output, np.zeros_like(before) if kind.zero_masked else before)
        outputs[time] = last = before = output
        state = new
    return np.stack(outputs, axis=1), last, state
