"""Weights without a class: layers that a file's names and shapes show, run one after the other or each by itself.

What the names cannot tell (the order of gates, the reset form, the gates' activation) is asked, and answered by
`--assume KEY=VALUE`; what is not answered is refused with the choices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diptych.convert.files.graph import Graph as FrozenGraph
from diptych.convert.files.model_file import Layer, ModelFile, Note
from diptych.convert.graph import Array, Graph, Input, Node, Ref, unique_name
from diptych.convert.keras.weights import from_keras
from diptych.convert.kinds import Dense, Embedding, Function, Kind, LayerNormalization, Recurrent
from diptych.convert.tf1.cells import CELLS as CELLS_OF_TF1
from diptych.convert.tf1.steps import read_cell
from diptych.errors import RefusalError

CELLS = {"LSTM": "lstm", "GRU": "gru", "RNN": "rnn", "SimpleRNN": "rnn"}
PLACE = re.compile(r"(weight|w|kernel|bias|b)_(ih|hh)(?:_l(\d+))?(_reverse)?$")


def read_parts(file: ModelFile, names: Sequence[str], assume: Mapping[str, str]) -> Graph:
    """A graph of a file's layers.

    Args:
        file: with weights only.
        names: the layers that are run one after the other, a recurrent one handing on its whole sequence; of none,
            every layer by itself, with an input of its own.
        assume: answers, by key.

    Raises:
        RefusalError: a layer is not there or of no kind that is converted, or a question is open.
    """
    known = {layer.name: layer for layer in file.layers if layer.tensors and layer.name}
    if unknown := [name for name in names if name not in known]:
        raise RefusalError(f"{file.path} has no layer {unknown[0]!r}; it has: {', '.join(known)}")
    chosen = [known[name] for name in names] or list(known.values())
    _check_answers(file, [layer.name for layer in chosen], assume)
    inputs: list[Input] = []
    nodes: list[Node] = []
    outputs: dict[str, Ref] = {}
    value: Ref | None = None
    for layer in chosen:
        own = {name: file.tensors[name].read() for name in layer.tensors}
        for kind, weights, label in _layers(file, layer, own=own, assume=assume):
            taken = [*(node.name for node in nodes), *(given.name for given in inputs)]
            if value is None:
                given = _input(unique_name("x" if names else f"{label}_input", taken), kind, weights)
                inputs.append(given)
                value = Ref(given.name)
            name = unique_name(label, [*taken, inputs[-1].name])
            nodes.append(Node(name, kind, {"x": value}, weights=weights, origin=layer.name))
            value = Ref(name, "sequence" if isinstance(kind, Recurrent) else "output")
        assert value is not None
        if not names:
            outputs[layer.name], value = value, None
    if value is not None:
        outputs = {"output": value}
    how = (
        f"the layers run in the order {', '.join(names)}"
        if names
        else "each layer stands by itself: nothing says how they are joined"
    )
    said = [how, *(f"{key} = {answer}" for key, answer in assume.items())]
    return Graph(tuple(inputs), tuple(nodes), outputs, assumptions=tuple(said))


def _check_answers(file: ModelFile, names: list[str], assume: Mapping[str, str]) -> None:
    open_notes = [note for note in file.notes if note.key and (not note.where or note.where in names)]
    keys = {note.key: note for note in open_notes}
    for key, answer in assume.items():
        if key not in keys:
            raise RefusalError(f"--assume {key} means nothing for {file.path}; open are: {', '.join(keys) or 'none'}")
        if answer not in keys[key].readings:
            raise RefusalError(f"--assume {key}={answer}: choose among: {', '.join(keys[key].readings)}")
    for key, note in keys.items():
        if key not in assume:
            raise RefusalError(f"{file.path}: {note.where}: {note.text}: answer with {_choices(key, note)}")


def _choices(key: str, note: Note) -> str:
    return " or ".join(f"--assume {key}={value} ({meaning})" for value, meaning in note.readings.items())


def _input(name: str, kind: Kind, weights: Mapping[str, Array]) -> Input:
    if isinstance(kind, Embedding):
        return Input(name, (None,), kind="ids", limit=weights["weight"].shape[0])
    width = weights["weight_ih"].shape[1] if isinstance(kind, Recurrent) else weights["weight"].shape[-1]
    return Input(name, (None, width))


def _layers(
    file: ModelFile, layer: Layer, own: dict[str, Array], assume: Mapping[str, str]
) -> list[tuple[Kind, dict[str, Array], str]]:
    """A layer's kind, weights and name, or those of each layer of a stack."""
    arrays = list(own.values())
    of_keras = file.format.startswith("keras")
    if isinstance(file.architecture, FrozenGraph) and layer.kind in CELLS_OF_TF1:
        return [(*read_cell(file.architecture, layer.name), layer.name)]
    if layer.kind in CELLS:
        kind = _recurrent(layer, own, assume)
        if of_keras:
            return [(kind, from_keras(kind, arrays), layer.name)]
        return _stack(file, layer, kind=kind, own=own, assume=assume)
    if layer.kind == "Embedding":
        return [(Embedding(), {"weight": arrays[0]}, layer.name)]
    if layer.kind in ("Linear", "Dense"):
        weights = from_keras(Dense(), arrays) if of_keras else dict(zip(("weight", "bias"), _matrix_first(arrays)))
        return [(Dense(), weights, layer.name)]
    if layer.kind in ("LayerNorm", "LayerNormalization"):
        return [(LayerNormalization(1e-3 if of_keras else 1e-5), dict(zip(("weight", "bias"), arrays)), layer.name)]
    raise RefusalError(
        f"{file.path}: {layer.name} is a {layer.kind or 'layer of no known kind'}, which is not converted alone"
    )


def _matrix_first(arrays: list[Array]) -> list[Array]:
    return sorted(arrays, key=lambda array: -array.ndim)


def _recurrent(layer: Layer, own: Mapping[str, Array], assume: Mapping[str, str]) -> Recurrent:
    gate = {"hard_sigmoid": "hard_sigmoid_keras_2"}.get(assume.get("recurrent_activation", ""), "sigmoid")
    if assume.get("hard_sigmoid") == "keras3":
        gate = "hard_sigmoid"
    activation = Function(assume.get("activation", assume.get("nonlinearity", "tanh")))
    two = any(array.ndim == 2 and array.shape[0] == 2 for name, array in own.items() if "bias" in name)
    after = assume.get("reset", "after" if two or not any("kernel" in name for name in own) else "before") == "after"
    both = any("_reverse" in name for name in own)
    cell: Any = CELLS[layer.kind]
    return Recurrent(
        cell,
        activation,
        gate=Function(gate),
        reset_after=after if cell == "gru" else True,
        direction="both" if both else "forward",
    )


def _stack(
    file: ModelFile, layer: Layer, kind: Recurrent, own: Mapping[str, Array], assume: Mapping[str, str]
) -> list[tuple[Kind, dict[str, Array], str]]:
    depths: dict[int, dict[str, Array]] = {}
    for name, array in own.items():
        found = PLACE.search(name)
        if not found:
            raise RefusalError(
                f"{file.path}: {name} is in the layer {layer.name}, but is no weight of a recurrent layer"
            )
        what = "weight" if found[1] in ("weight", "w", "kernel") else "bias"
        value = _ordered(array, kind, assume)
        depths.setdefault(int(found[3] or 0), {})[f"{what}_{found[2]}{found[4] or ''}"] = value
    made: list[tuple[Kind, dict[str, Array], str]] = []
    for depth, weights in sorted(depths.items()):
        forget = float(assume.get("forget_bias", 0))
        if forget and kind.cell == "lstm":
            units = weights["weight_hh"].shape[1]
            weights["bias_ih"] = weights["bias_ih"] + forget * (np.arange(4 * units) // units == 1)
        made.append((kind, weights, layer.name if len(depths) == 1 else f"{layer.name}_{depth}"))
    return made


def _ordered(array: Array, kind: Recurrent, assume: Mapping[str, str]) -> Array:
    """The rows in a graph's order of gates."""
    key = {"gru": "gru_gates", "lstm": "lstm_gates"}.get(kind.cell, "")
    order = assume.get(key, kind.gates)
    blocks = dict(zip(order, np.split(array, len(order))))
    return np.concatenate([blocks[gate] for gate in kind.gates])
