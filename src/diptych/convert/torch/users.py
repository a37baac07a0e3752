"""A PyTorch class of the user's own, in PyTorch's process: made, given its weights, read as a graph, and run."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file

from diptych.convert.scratch import mapped_arrays, save_arrays
from diptych.convert.stored import to_plain
from diptych.convert.torch.running import run_original
from diptych.convert.torch.tracing import graph_of
from diptych.errors import RefusalError


def read_module_of_user(
    folder: str, module: str, inputs: list[str], averages: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """The graph of a user's class with the weights that lie in a folder; and Adam's averages by its names.

    Args:
        folder: with `weights.safetensors`; the graph's are written there as `graph.safetensors`.
        module: "package.module:Class".
        inputs: examples of what it takes, as texts.
        averages: "first" and "second", by the numbers of the parameters, in the module's order.

    Returns:
        The graph as plain values, and under "averages" the same two by the graph's weights; None where they do not fit
        the parameters.
    """
    made, said = _made(module, mapped_arrays(Path(folder, "weights.safetensors")))
    examples = [_example(one) for one in inputs] or None
    read = graph_of(made, examples)
    save_arrays(Path(folder, "graph.safetensors"), read.weights())
    graph = to_plain(read)
    found = {"graph": graph | {"assumptions": [*said, *graph["assumptions"]]}, "averages": None}
    parameters = list(made.parameters())
    moved: dict[str, dict[str, Any]] = {}
    for which, numbered in averages.items():
        arrays = [torch.from_numpy(np.array(value)) for value in numbered.values()]
        if [one.shape for one in arrays] != [one.shape for one in parameters]:
            return found
        with torch.no_grad():
            for parameter, array in zip(parameters, arrays):
                parameter.copy_(array)
        # Reading only moves numbers, so the averages go where the weights do.
        named = graph_of(made, examples).weights()
        moved[which] = {name: one for name, one in named.items() if not name.endswith((".mean", ".variance"))}
    return found | {"averages": moved or None}


def run_module_of_user(folder: str, module: str, layers: list[str]) -> dict[str, Any]:
    """What it computes on the trial in a folder; the gradients are in `gradients.safetensors` in `original` there."""
    made, _ = _made(module, mapped_arrays(Path(folder, "weights.safetensors")))
    own = Path(folder, "original")
    own.mkdir()
    evidence = run_original(made, load_file(Path(folder, "trial.safetensors")), layers=layers, folder=own)
    del evidence["gradients"]
    return evidence


def _made(module: str, weights: dict[str, Any]) -> tuple[Any, list[str]]:
    """An instance of "package.module:Class" with its weights, and what was done to their names."""
    place, _, name = module.partition(":")
    if not name:
        raise RefusalError(f"--module {module!r}: expected package.module:Class")
    sys.path.append(os.getcwd())
    try:
        found = getattr(importlib.import_module(place), name)
        made = found()
    except Exception as error:  # it is the user's own program
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise RefusalError(
            f"--module {module}: {first}. It must be importable from here and need no arguments; write a function of "
            f"no arguments that makes it, and name that"
        ) from error
    if not isinstance(made, torch.nn.Module):
        raise RefusalError(f"--module {module} makes a {type(made).__name__}; expected an nn.Module")
    own, said = made.state_dict(), []
    prefix = next(iter(weights)).partition(".")[0] + "." if weights else ""
    if prefix and not set(weights) <= set(own) and all(one.startswith(prefix) for one in weights):
        weights = {one.removeprefix(prefix): value for one, value in weights.items()}
        said.append(f"the prefix {prefix!r} was taken off every name")
    missing, left = sorted(set(own) - set(weights)), sorted(set(weights) - set(own))
    if missing or left:
        raise RefusalError(
            f"--module {module} does not fit the weights: it lacks {', '.join(left[:5]) or 'none'}; the file lacks "
            f"{', '.join(missing[:5]) or 'none'}"
        )
    for one, value in weights.items():
        if tuple(own[one].shape) != tuple(value.shape):
            raise RefusalError(f"--module {module}: {one} has shape {tuple(own[one].shape)}, in the file {value.shape}")
    if any(own[one].dtype == torch.float32 and value.dtype == np.float64 for one, value in weights.items()):
        said.append(f"float64 weights are rounded to float32, in which {module} computes")
    made.load_state_dict({one: torch.from_numpy(value) for one, value in weights.items()})
    return made, said


def _example(text: str) -> Any:
    shape, _, kind = text.partition(":")
    try:
        sizes = tuple(int(size) for size in shape.split(",") if size)
    except ValueError:
        raise RefusalError(f"--input {text!r}: expected sizes such as 2,7 or 2,7:int") from None
    types = {"": torch.float32, "float": torch.float32, "int": torch.long, "bool": torch.bool}
    if kind not in types:
        raise RefusalError(f"--input {text!r}: {kind!r} is not a type; choose int, bool or float")
    return torch.zeros(sizes, dtype=types[kind])
