"""A model as both frameworks have it: every weight and every tensor, each framework asked in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from diptych.config import RunConfig
from diptych.errors import BackendError
from diptych.panel import BACKENDS, NAMES, is_installed
from diptych.parameters.specification import specification
from diptych.processes.call import call
from diptych.summary.inspection import B, N, S, T, inspect


@dataclass(frozen=True)
class Variable:
    """Where a framework keeps a weight.

    Attributes:
        name: the attributes that lead to it from the model; in brackets its place where two share a variable.
        layer: the kind of layer that it belongs to.
        shape: of the whole variable, in the framework's own orientation.
    """

    name: str
    layer: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Weight:
    """One weight of the specification, how many numbers it has, and where each framework keeps it."""

    name: str
    parameters: int
    variables: dict[str, Variable]


@dataclass(frozen=True)
class Tensor:
    """What comes out of one part of the model: its axes by letter, and its shape in each framework."""

    name: str
    axes: str
    shapes: dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Summary:
    """A model, seen from the frameworks that are installed.

    Attributes:
        name: of the config.
        weights: in the specification's order.
        tensors: of a small batch, from its tokens to its loss, and of one decoding step, in the order of computation.
        sizes: what each letter stands for; a recurrent layer's H is that of its own layer.
        versions: of each framework that was asked.
        missing: which frameworks are not installed.
    """

    name: str
    weights: list[Weight]
    tensors: list[Tensor]
    sizes: dict[str, int]
    versions: dict[str, dict[str, str]]
    missing: list[str]

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(weight.parameters for weight in self.weights)

    def to_json(self) -> dict[str, Any]:
        """All of it for `--json`."""
        return {
            "name": self.name,
            "parameters": self.parameters,
            "sizes": self.sizes,
            "versions": self.versions,
            "missing": self.missing,
            "weights": [
                {
                    "name": each.name,
                    "parameters": each.parameters,
                    "share": each.parameters / self.parameters,
                    **{backend: vars(variable) for backend, variable in each.variables.items()},
                }
                for each in self.weights
            ],
            "tensors": [{"name": each.name, "axes": each.axes.split(), **each.shapes} for each in self.tensors],
        }


def summarize(config: RunConfig, vocabularies: tuple[int, int], device: str = "auto") -> Summary:
    """Ask each framework that is installed what it makes of a config.

    Args:
        config: whose model.
        vocabularies: the source's and the target's size.
        device: "auto", "cpu" or "cuda".

    Raises:
        BackendError: neither framework is installed, or one failed.
    """
    asked = [backend for backend in BACKENDS if is_installed(backend)]
    if not asked:
        raise BackendError(
            f"neither {' nor '.join(NAMES[each] for each in BACKENDS)} is installed: pip install 'diptych[all]'"
        )
    arguments = {
        "model": config.model.model_dump(mode="json"),
        "vocabularies": list(vocabularies),
        "precision": config.training.arithmetic,
    }
    told = {each: call(each, f"{inspect.__module__}:inspect", arguments, device=device) for each in asked}
    weights = []
    for name, parameter in specification(config.model, *vocabularies).items():
        count = 1
        for size in parameter.shape:
            count *= size
        weights.append(Weight(name, count, {each: _variable(told[each]["weights"][name]) for each in asked}))
    tensors = [
        Tensor(tensor["name"], tensor["axes"], {each: tuple(told[each]["tensors"][row]["shape"]) for each in asked})
        for row, tensor in enumerate(told[asked[0]]["tensors"])
    ]
    model = config.model
    sizes = {"B": B, "S": S, "T": T, "N": N, "V": vocabularies[1], "E": model.embedding_size, "M": model.memory_size}
    sizes |= {"H": model.decoder_size, "F": model.feature_size}
    if model.attention != "none":
        sizes["A"] = model.key_size
    versions = {each: told[each]["versions"] for each in asked}
    return Summary(
        config.name,
        weights,
        tensors=tensors,
        sizes=sizes,
        versions=versions,
        missing=[each for each in BACKENDS if each not in asked],
    )


def _variable(told: dict[str, Any]) -> Variable:
    place = "" if told["place"] is None else f"[{told['place']}]"
    return Variable(told["name"] + place, told["layer"], tuple(told["shape"]))
