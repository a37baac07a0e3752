"""One step of one recurrent layer, shown one weight of one gate after the other, so that each is seen by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.config import Cell
from diptych.panel import Panel
from diptych.parameters.specification import GATES
from diptych.randomness import generator

GATE_NAMES = {
    "r": "reset", "z": "update", "n": "new", "i": "input", "f": "forget", "g": "candidate", "o": "output"
}  # fmt: skip
# An order in which every gate changes the state as soon as it has weights: what a gate opens for comes before it.
VISIBLE: dict[Cell, str] = {"gru": "nzr", "lstm": "gifo", "rnn": "n"}
ROWS = 4

Probes = Iterator[tuple[str, npt.NDArray[Any]]]


def probe(panel: Panel, model: Any, weights: bool = True) -> Probes:
    """One step of each recurrent layer from a random state: without weights, then with one more weight at a time.

    What a layer computes without weights depends on nothing that has a name. The model's weights are lost.

    Args:
        panel: a backend's module.
        model: one of its models.
        weights: whether to go on after the step without weights.

    Yields:
        What was added last, and the step's output and state side by side: (4, 2 H) or, for an lstm, (4, 3 H).
    """
    bound: dict[str, list[Any]] = {}
    for binding in panel.bindings(model):
        if binding.parameters[0].gates:
            bound.setdefault(binding.parameters[0].name.rpartition(".")[0], []).append(binding)
    for path, bindings in bound.items():
        steps = _probe_layer(panel, find(model, path), path=path, bindings=bindings, cell=model.config.cell)
        yield next(steps)
        if weights:
            yield from steps


def _probe_layer(panel: Panel, layer: Any, path: str, bindings: Sequence[Any], cell: Cell) -> Probes:
    parameters = {parameter.name: parameter for binding in bindings for parameter in binding.parameters}
    shown = {name: np.zeros(parameter.shape) for name, parameter in parameters.items()}
    inputs_size, size = (parameters[f"{path}.{name}"].shape[1] for name in ("weight_ih", "weight_hh"))
    random = generator(1, "probe", path)
    inputs = panel.to_tensor(random.standard_normal((ROWS, 1, inputs_size)))
    state = tuple(panel.to_tensor(random.standard_normal((ROWS, size))) for _ in range(2 if cell == "lstm" else 1))

    def step() -> npt.NDArray[Any]:
        for binding in bindings:
            panel.assign(binding.variable, binding.pack(shown))
        outputs, after = layer(inputs, state)
        return np.concatenate([panel.to_array(part) for part in (outputs[:, 0], *after)], axis=-1)

    yield f"{path}, without weights", step()
    for gate in VISIBLE[cell]:
        rows = slice(GATES[cell].index(gate) * size, (GATES[cell].index(gate) + 1) * size)
        for name in shown:
            shown[name][rows] = random.standard_normal(shown[name][rows].shape)
            yield f"{path}, {GATE_NAMES[gate]} gate, {name.rpartition('.')[2]}", step()


def find(model: Any, path: str) -> Any:
    """A component by the name that its weights begin with."""
    for part in path.split("."):
        model = model[int(part)] if part.isdigit() else getattr(model, part)
    return model
