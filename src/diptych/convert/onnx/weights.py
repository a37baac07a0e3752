"""The weights and activations of ONNX's LSTM, GRU and RNN as a graph has them, and back.

ONNX: W (D, GH, I), R (D, GH, H), B (D, 2GH) = [Wb, Rb]; gates i, o, f, c and z, r, h; peepholes P (D, 3H) in i, o, f.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.convert.kinds import Function, Recurrent
from diptych.errors import RefusalError

Values = npt.NDArray[Any]
ORDER = {"lstm": "iofg", "gru": "zrn", "rnn": "h"}  # g is ONNX's c, n its h
PEEPHOLES = "iof"


def reordered(rows: Values, before: str, after: str) -> Values:
    """Blocks of rows, one for each gate, in another order."""
    blocks = dict(zip(before, np.split(rows, len(before))))
    return np.concatenate([blocks[gate] for gate in after])


def from_onnx(kind: Recurrent, w: Values, r: Values, b: Values | None, p: Values | None) -> dict[str, Values]:
    """A graph's weights of both directions; a second bias that is all zero is left out where it changes nothing."""
    order, found = ORDER[kind.cell], {}
    for place, suffix in enumerate(kind.suffixes):
        found[f"weight_ih{suffix}"] = reordered(w[place], order, kind.gates)
        found[f"weight_hh{suffix}"] = reordered(r[place], order, kind.gates)
        if b is not None:
            first, second = np.split(b[place], 2)
            found[f"bias_ih{suffix}"] = reordered(first, order, kind.gates)
            if b[:, b.shape[1] // 2 :].any() or (kind.cell == "gru" and kind.reset_after):
                found[f"bias_hh{suffix}"] = reordered(second, order, kind.gates)
        if p is not None:
            for gate, values in zip(PEEPHOLES, np.split(p[place], 3)):
                found[f"peephole_{gate}{suffix}"] = values
    return found


def to_onnx(kind: Recurrent, weights: Mapping[str, Values]) -> tuple[Values, Values, Values | None, Values | None]:
    """W, R, B and P; a bias that is missing is zero beside one that is there."""
    order = ORDER[kind.cell]

    def stacked(name: str) -> Values:
        return np.stack([reordered(weights[f"{name}{suffix}"], kind.gates, order) for suffix in kind.suffixes])

    w, r, b, p = stacked("weight_ih"), stacked("weight_hh"), None, None
    biases = [name in weights for name in ("bias_ih", "bias_hh")]
    if any(biases):
        zero = np.zeros((len(kind.suffixes), w.shape[1]), w.dtype)
        b = np.concatenate([stacked(n) if n in weights else zero for n in ("bias_ih", "bias_hh")], axis=1)
    if "peephole_i" in weights:
        p = np.stack([np.concatenate([weights[f"peephole_{g}{end}"] for g in PEEPHOLES]) for end in kind.suffixes])
    return w, r, b, p


# By ONNX's name: this project's, and the defaults of alpha and beta where the function takes them.
FUNCTIONS: dict[str, tuple[str, float | None, float | None]] = {
    "Tanh": ("tanh", None, None), "Sigmoid": ("sigmoid", None, None), "Relu": ("relu", None, None),
    "Softsign": ("softsign", None, None), "Softplus": ("softplus", None, None), "Elu": ("elu", 1.0, None),
    "LeakyRelu": ("leaky_relu", 0.01, None), "HardSigmoid": ("hard_sigmoid", 0.2, 0.5), "Affine": ("linear", 1.0, 0.0),
}  # fmt: skip
NEAR = 1e-6  # ONNX's attributes are float32


def hard_sigmoid(alpha: float, beta: float) -> str | None:
    """Which of the two hard sigmoids has this slope; None where neither has."""
    if abs(beta - 0.5) > NEAR:
        return None
    slopes = {"hard_sigmoid_keras_2": 0.2, "hard_sigmoid": 1 / 6}
    return next((name for name, slope in slopes.items() if abs(alpha - slope) < NEAR), None)


def functions_from_onnx(where: str, names: Sequence[str], alphas: list[float], betas: list[float]) -> list[Function]:
    """The activations; alphas and betas belong to those that take some, in their order.

    Raises:
        RefusalError: one is not converted.
    """
    alphas, betas, found = list(alphas), list(betas), []
    for name in names:
        known = {one.lower(): one for one in FUNCTIONS}.get(name.lower())
        if known is None:
            raise RefusalError(f"{where}: the activation {name} is not converted; these are: {', '.join(FUNCTIONS)}")
        own, alpha, beta = FUNCTIONS[known]
        alpha = alphas.pop(0) if alpha is not None and alphas else alpha
        beta = betas.pop(0) if beta is not None and betas else beta
        found.append(function_of(where, known, own=own, alpha=alpha, beta=beta))
    return found


def function_of(where: str, name: str, own: str, alpha: float | None, beta: float | None) -> Function:
    """One activation with its parameters.

    Raises:
        RefusalError: with these it is another function than any that is converted.
    """
    if name == "HardSigmoid":
        which = hard_sigmoid(alpha or 0.0, beta or 0.0)
        if which is None:
            raise RefusalError(
                f"{where}: HardSigmoid with alpha = {alpha}, beta = {beta}: 0.2 or 1/6 and 0.5 are known"
            )
        return Function(which)
    if name == "Affine" and (alpha, beta) != (1.0, 0.0):
        raise RefusalError(f"{where}: Affine with alpha = {alpha}, beta = {beta} is not converted, only 1 and 0")
    return Function(own, round(float(alpha), 7) if alpha is not None and name in ("Elu", "LeakyRelu") else None)


def function_to_onnx(where: str, function: Function) -> tuple[str, list[float], list[float]]:
    """ONNX's name for an activation of a recurrent layer, its alpha and its beta.

    Raises:
        RefusalError: ONNX has none.
    """
    slope = {"hard_sigmoid_keras_2": 0.2, "hard_sigmoid": 1 / 6}.get(function.name)
    if slope is not None:
        return "HardSigmoid", [slope], [0.5]
    if function.name == "linear":
        return "Affine", [1.0], [0.0]
    for name, (own, alpha, _) in FUNCTIONS.items():
        if own == function.name:
            parameter = alpha if function.parameter is None else function.parameter
            return name, [] if parameter is None else [parameter], []
    raise RefusalError(f"{where}: ONNX's recurrent layers have no activation {function.name!r}")
