"""Layers seen in the names and shapes of weights, where a file tells of no layers.

PyTorch's own names (`encoder.weight_hh_l0_reverse`) leave little open. Others that end alike (`enc_w_hh`) are taken for
the same layers, but then the order of the gates, the place of the reset and the biases are questions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from diptych.convert.files.model_file import Layer, Note, Tensor
from diptych.convert.files.questions import question

GATES = {1: "RNN", 3: "GRU", 4: "LSTM"}
PYTORCH = re.compile(r"(?:(?P<layer>.+)\.)?(?P<part>(?:weight|bias)_(?:ih|hh|hr))(?P<place>_l\d{1,3}(?:_reverse)?)?")
ALIKE = re.compile(
    r"(?:(?P<layer>.*?)[._/])?(?P<part>(?:w|b|weight|bias|kernel)_?(?:ih|hh))(?P<place>_?l?\d{0,3})", re.I
)
DOTTED = re.compile(r"(?P<layer>.+)[./](?P<part>[^./]+)")
JOINED = re.compile(r"(?P<layer>.+)_(?P<part>[^_]+)")
PREFIXES = ("module.", "_orig_mod.", "model.")


def recognise(tensors: Mapping[str, Tensor], framework: str) -> tuple[tuple[Layer, ...], tuple[Note, ...]]:
    """The layers that the names make out, and what their weights leave open.

    Args:
        tensors: the weights.
        framework: who wrote them; pytorch's conventions leave less open.
    """
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        layer, part = _split(name)
        groups.setdefault(layer, {})[part] = tensor
    layers, notes = [], []
    for layer, parts in groups.items():
        kind, questions = _judge(layer, parts, framework)
        layers.append(Layer(layer, kind, tuple(tensor.name for tensor in parts.values())))
        notes += questions
    prefix = next((each for each in PREFIXES if tensors and all(name.startswith(each) for name in tensors)), "")
    if prefix:
        notes.insert(0, Note(f"every name begins with {prefix!r}, which a wrapper added: it is stripped"))
    return tuple(layers), tuple(notes)


def _split(name: str) -> tuple[str, str]:
    """A weight's layer and its own name."""
    for pattern in (PYTORCH, ALIKE, DOTTED, JOINED):
        if found := pattern.fullmatch(name):
            parts = found.groupdict()
            own = parts["part"] + (parts.get("place") or "")
            return (name, own) if own.lower().startswith("emb") else (parts["layer"] or "", own)
    return "", name


def _judge(layer: str, parts: Mapping[str, Tensor], framework: str) -> tuple[str, list[Note]]:
    """A layer's class by its weights, and the questions about it."""
    shapes = {name: tensor.shape for name, tensor in parts.items()}
    recurrent = [(name, shape) for name, shape in shapes.items() if "hh" in name.lower() and len(shape) == 2]
    if recurrent:
        return _judge_recurrent(layer, parts, recurrent)
    weight = next((shape for name, shape in shapes.items() if name.lower() in ("weight", "w", "kernel")), None)
    has_bias = any(name.lower() in ("bias", "b") for name in shapes)
    if "running_mean" in shapes:
        return "BatchNorm1d", []
    if "in_proj_weight" in shapes:
        return "MultiheadAttention", []
    if weight is None:
        embedding = len(parts) == 1 and "emb" in next(iter(parts)).lower() and len(next(iter(shapes.values()))) == 2
        return ("Embedding" if embedding else ""), []
    if len(weight) == 2 and not has_bias:
        likely = "Embedding" if "emb" in layer.lower() else "Linear" if weight[0] < weight[1] else None
        return likely or "", [question("class", layer, text=f"one matrix {weight} without a bias", likely=likely)]
    kinds = {1: "LayerNorm" if has_bias else "", 2: "Linear", 3: "Conv1d", 4: "Conv2d"}
    return kinds.get(len(weight), ""), []


def _judge_recurrent(
    layer: str, parts: Mapping[str, Tensor], recurrent: Sequence[tuple[str, tuple[int, ...]]]
) -> tuple[str, list[Note]]:
    """A recurrent layer's class, from its recurrent matrices."""
    name, shape = recurrent[0]
    rows_are_outputs = shape[0] >= shape[1]
    large, small = max(shape), min(shape)
    kind = GATES.get(large // small if small and large % small == 0 else 0, "")
    own = PYTORCH.fullmatch(name)
    if own and any(part.startswith("weight_hr") for part in parts):
        kind = "LSTM"  # with a projection the recurrent matrix is narrower
    if not kind:
        return "", []
    is_cell = own is not None and own["place"] is None
    two = any(re.search(r"(?i)^b.*hh", part) for part in parts)
    found = []
    if own and rows_are_outputs:
        if kind == "RNN":
            found.append(
                question(
                    "nonlinearity", layer, text="a plain RNN's weights do not show its nonlinearity", likely="tanh"
                )
            )
        return f"{kind}Cell" if is_cell else kind, found
    if kind in ("GRU", "LSTM"):
        gates, ours, theirs = ("gru_gates", "rzn", "zrn") if kind == "GRU" else ("lstm_gates", "ifgo", "ifgo")
        text = f"which gate comes first in the {large} {'rows' if rows_are_outputs else 'columns'}"
        found.append(question(gates, layer, text=text, likely=ours if rows_are_outputs else theirs))
        found.append(
            question("recurrent_activation", layer, text="the gates' activation is not in the file", likely="sigmoid")
        )
    if kind == "GRU":
        text = "two biases, as a GRU has that resets after" if two else "one bias or none does not show where it resets"
        found.append(question("reset", layer, text=text, likely="after" if two else None))
    if kind == "LSTM":
        found.append(question("forget_bias", layer, text="whether something is added to the forget gate", likely="0"))
    if kind == "RNN":
        found.append(
            question("nonlinearity", layer, text="a plain RNN's weights do not show its nonlinearity", likely="tanh")
        )
    return kind, found
