"""ONNX's LSTM, GRU and RNN nodes, read."""

from __future__ import annotations

from typing import Any

import numpy as np

from diptych.convert import kinds
from diptych.convert.graph import Ref
from diptych.convert.kinds import Function, Recurrent
from diptych.convert.onnx.reader import Reader
from diptych.convert.onnx.values import Constant, Dim, Filled, Stacked, Tensor, Value, known
from diptych.convert.onnx.weights import from_onnx, functions_from_onnx

CELLS: dict[str, Any] = {"LSTM": "lstm", "GRU": "gru", "RNN": "rnn"}
DEFAULTS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
DIRECTIONS: dict[str, Any] = {"forward": "forward", "reverse": "backward", "bidirectional": "both"}


def read_recurrent(reader: Reader) -> list[Value]:
    """A layer of one direction or two: Y, Y_h and, of an LSTM, Y_c.

    Raises:
        RefusalError: neither framework can compute what it says.
    """
    kind, layout = _kind(reader)
    x = reader.tensor(0)
    batch, time = (x.dims[0], x.dims[1]) if layout else (x.dims[1], x.dims[0])
    _tell(batch, "batch")
    _tell(time, "time")
    inner = x if layout else reader.transposed(x, (1, 0, 2))
    w, r, b = (reader.constant(place, what) for place, what in ((1, "W"), (2, "R"), (3, "B")))
    p = reader.constant(7, "P") if kind.cell == "lstm" else None
    if w is None or r is None:
        raise reader.refusal("it has no weights")
    directions, hidden = len(kind.suffixes), r.shape[2]
    if w.shape[0] != directions or r.shape[0] != directions:
        raise reader.refusal(f"its weights are of {w.shape[0]} directions, its direction says {directions}")
    inputs = {"x": inner.ref}
    mask = _mask(reader, inner, time)
    if mask is not None:
        inputs["mask"] = mask
    for place, name in ((5, "h"), (6, "c")):
        if place == 5 or kind.cell == "lstm":
            inputs |= {
                f"{name}0{s}": ref
                for s, ref in zip(kind.suffixes, _initial(reader, place, layout=layout, directions=directions))
            }
    owner = (*reader.node.inputs[1:4], *reader.node.inputs[7:8])
    sequence = reader.add(kind, inputs, from_onnx(kind, w, r=r, b=b, p=p), owner)
    whole = Tensor(sequence, (batch, time, directions * hidden))
    parts = [
        whole if directions == 1 else Tensor(
            reader.apply(kinds.Slice(-1, place * hidden, (place + 1) * hidden), whole).ref, (batch, time, hidden)
        )
        for place in range(directions)
    ]  # fmt: skip
    if layout:
        y = Stacked(2, tuple(parts), whole)
    else:
        y = Stacked(1, tuple(reader.transposed(part, (1, 0, 2)) for part in parts),
                    reader.transposed(whole, (1, 0, 2)))  # fmt: skip
    states = [
        Stacked(layout, tuple(Tensor(Ref(sequence.node, f"{name}{s}"), (batch, hidden)) for s in kind.suffixes))
        for name in kind.state_names
    ]
    return [y, *states]


def _tell(dim: Dim | int, role: str) -> None:
    if isinstance(dim, Dim) and not dim.role:
        dim.role = role


def _kind(reader: Reader) -> tuple[Recurrent, int]:
    """What the attributes say, and the layout."""
    operator = reader.node.operator
    found = reader.attributes(
        "hidden_size", "clip", "output_sequence", direction="forward", activations=None, activation_alpha=[],
        activation_beta=[], layout=0, linear_before_reset=0, input_forget=0,
    )  # fmt: skip
    if "clip" in found:
        raise reader.refusal(
            f"clip = {found['clip']:g} bounds what goes into each activation, which no layer of PyTorch or Keras does"
        )
    if found["input_forget"]:
        raise reader.refusal("input_forget = 1 couples two gates, which no layer of PyTorch or Keras does")
    if found["direction"] not in DIRECTIONS:
        raise reader.refusal(f"direction = {found['direction']!r}: choose among {', '.join(DIRECTIONS)}")
    direction = DIRECTIONS[found["direction"]]
    count = 2 if direction == "both" else 1
    names = found["activations"] or DEFAULTS[operator] * count
    functions = functions_from_onnx(
        reader.where, names, alphas=found["activation_alpha"], betas=found["activation_beta"]
    )
    own = len(DEFAULTS[operator])
    if len(functions) != own * count or (count == 2 and functions[:own] != functions[own:]):
        raise reader.refusal(f"activations = {names}: {own} were expected, the same ones in each direction")
    if operator == "LSTM" and functions[1] != functions[2]:
        raise reader.refusal(f"activations = {names}: that of the candidate and that of the cell's output must be one")
    gate: Function = functions[0] if operator != "RNN" else kinds.SIGMOID
    after = bool(found["linear_before_reset"]) if operator == "GRU" else True
    kind = Recurrent(
        CELLS[operator],
        functions[own - 1],
        gate=gate,
        reset_after=after,
        direction=direction,
        zero_masked=isinstance(_lengths(reader), Tensor | Stacked),
    )
    return kind, int(found["layout"])


def _lengths(reader: Reader) -> Value | None:
    return reader.given(4)


def _mask(reader: Reader, x: Tensor, time: Dim | int) -> Ref | None:
    """The mask of sequence_lens; None where every row is whole."""
    lengths = _lengths(reader)
    if isinstance(lengths, Filled | Constant):
        values = [lengths.value] if isinstance(lengths, Filled) else list(np.ravel(lengths.array))
        if all(one is time or (known(time) is not None and one == known(time)) for one in values):
            return None
        raise reader.refusal(f"sequence_lens is a constant, {values[:8]}: export it as an input")
    if lengths is None:
        return None
    given = reader.as_tensor(lengths, 4)
    _tell(given.dims[0], "batch")
    reader.tell_input(given, "lengths")
    key = "mask", x.ref, given.ref
    if key not in reader.masks:
        inputs = {"x": x.ref, "lengths": given.ref}
        reader.masks[key] = reader.add(kinds.MaskOfLengths(), inputs, wanted=f"{reader.short_name()}_mask")
    return reader.masks[key]


def _initial(reader: Reader, place: int, layout: int, directions: int) -> list[Ref]:
    """The initial state of each direction; none where they are zero."""
    value = reader.given(place)
    if value is None or (isinstance(value, Filled) and not value.value):
        return []
    if isinstance(value, Constant):
        if value.array.dtype != object and not value.array.any():
            return []
        raise reader.refusal(f"its initial state (input {place}) is a constant that is not zero: make it an input")
    if isinstance(value, Filled):
        raise reader.refusal(f"its initial state (input {place}) is {value.value} everywhere: make it an input")
    if isinstance(value, Stacked) and value.axis == layout and len(value.parts) == directions:
        return [part.ref for part in value.parts]
    tensor = reader.as_tensor(value, place)
    _tell(tensor.dims[1 - layout], "batch")
    dims = tuple(dim for axis, dim in enumerate(tensor.dims) if axis != layout)
    return [reader.apply(kinds.Select(layout, number), tensor, dims).ref for number in range(directions)]
