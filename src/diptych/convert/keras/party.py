"""What the user's Keras model computed, in the names of its graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from diptych.convert.certificate import Party
from diptych.convert.graph import Graph
from diptych.convert.keras.architecture import NamedArrays
from diptych.convert.scratch import mapped_arrays

STATEFUL = (
    "the numbers of the Keras model, which keeps its states to itself: its weights are compared, the formulas judge"
)


def party_of_original(
    graph: Graph, evidence: dict[str, Any], names: dict[str, NamedArrays],
    read: Callable[[dict[str, NamedArrays]], Graph], folder: Path, name: str = "the Keras model",
) -> Party:  # fmt: skip
    """The model's findings by the graph's refs and weights.

    Args:
        graph: the model's.
        evidence: of `running.run_original`; of a stateful model the versions only.
        names: its weights, by layer.
        read: makes a graph of weights as these. Reading only moves numbers, so it takes gradients where they belong.
        folder: with its gradients.
        name: for people.
    """
    if "outputs" not in evidence:
        return Party(
            name,
            outputs=[],
            float32=[],
            values={},
            gradients={},
            stepped=None,
            versions=evidence["versions"],
            missing=(STATEFUL,),
        )
    found = mapped_arrays(folder / "gradients.safetensors")
    gradients = {
        path: [(weight, found.get(f"{path}|{n}", array * 0.0)) for n, (weight, array) in enumerate(arrays)]
        for path, arrays in names.items()
    }
    moved = read(gradients).weights()
    values = {ref: value for path, ref in graph.origins.items() if (value := evidence["values"].get(path)) is not None}
    trained = {
        weight: value for weight, value in moved.items() if weight.rpartition(".")[2] not in ("mean", "variance")
    }
    return Party.told_by(evidence, name, values=values, gradients=trained, stepped=evidence["stepped"])
