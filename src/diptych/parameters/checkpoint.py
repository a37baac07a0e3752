"""A checkpoint: the weights, the optimizer's state and the place in training, as safetensors and JSON.

    step-00000500/model.safetensors       every weight, by its name in the specification
                  optimizer.safetensors   the optimizer's state, as "first_moment.NAME" and so on
                  state.json              where training stands
                  MANIFEST.json           size and SHA-256 of the three

Reading checks the manifest before anything else, and then each weight's name, shape and type. Nothing is pickled, so
reading a stranger's checkpoint runs no code of theirs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load as parse_tensors
from safetensors.numpy import save as format_tensors

from diptych.errors import CheckpointError
from diptych.parameters.specification import Parameter
from diptych.storage.json_text import read_at_most
from diptych.storage.manifest import parse_object, read_files, write_files

Arrays = dict[str, npt.NDArray[Any]]

MODEL, OPTIMIZER, STATE = "model.safetensors", "optimizer.safetensors", "state.json"
LARGEST_STATE = 1 << 20
KINDS = 4
"""An optimizer remembers at most so many numbers of each weight."""


@dataclass(frozen=True)
class Checkpoint:
    """What training can be continued from.

    Attributes:
        parameters: every weight, float32 or float64.
        optimizer: the optimizer's state, named KIND.NAME after the weight it belongs to; empty if it has none.
        state: where training stands, as JSON.
    """

    parameters: Arrays
    optimizer: Arrays = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)


def write_checkpoint(folder: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint so that `folder` holds either all of it or what was there before.

    Raises:
        CheckpointError: a number is not finite (nothing is written), or the disk refuses.
    """
    folder = Path(folder)
    for arrays, what in ((checkpoint.parameters, "parameter"), (checkpoint.optimizer, "optimizer state")):
        for name, values in arrays.items():
            count = int(np.size(values) - np.isfinite(values).sum())
            if count:
                raise CheckpointError(
                    f"will not write {folder}: {what} {name!r} has {count} of {np.size(values)} numbers that are not "
                    f"finite; continue from an earlier checkpoint with a lower learning rate or a smaller clip_norm"
                )
    try:
        state = json.dumps(checkpoint.state, indent=2, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"will not write {folder}: {STATE} holds a value that JSON cannot ({error})") from error
    contents = {
        MODEL: format_tensors(_in_c_order(checkpoint.parameters)),
        OPTIMIZER: format_tensors(_in_c_order(checkpoint.optimizer)),
        STATE: state.encode(),
    }
    write_files(folder, contents)


def read_checkpoint(folder: str | Path, expected: Mapping[str, Parameter] | None = None) -> Checkpoint:
    """Read a checkpoint and check it: whole and unaltered, and of the model that `expected` specifies.

    Raises:
        CheckpointError: a file is missing, cut short or altered, or a weight is missing, unknown or of another shape.
    """
    folder = Path(folder)
    contents = read_files(folder, (MODEL, OPTIMIZER, STATE), _largest(expected))
    parameters = _parse(folder / MODEL, contents[MODEL])
    optimizer = _parse(folder / OPTIMIZER, contents[OPTIMIZER])
    state = parse_object(folder / STATE, contents[STATE])
    if expected is not None:
        _check_parameters(folder / MODEL, parameters, expected)
        _check_optimizer(folder / OPTIMIZER, optimizer, expected)
        parameters = {name: parameters[name] for name in expected}  # a file has an order of its own
    return Checkpoint(parameters, optimizer, state)


def read_tensors(path: Path, largest: int) -> Arrays:
    """The arrays of a safetensors file, float32 or float64; nothing in it is executed.

    Raises:
        CheckpointError: there is no such file, it has more bytes than `largest`, or it is something else.
    """
    try:
        return _parse(path, read_at_most(path, largest))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


def _largest(expected: Mapping[str, Parameter] | None) -> dict[str, int]:
    """How many bytes each file may have: of a model of which nothing is expected the weights may have any number."""
    if expected is None:
        return {STATE: LARGEST_STATE}
    # Every number in float64, and what safetensors writes of each array before them.
    arrays = sum(8 * math.prod(parameter.shape) + 1024 for parameter in expected.values()) + (1 << 16)
    return {MODEL: arrays, OPTIMIZER: KINDS * arrays, STATE: LARGEST_STATE}


def _in_c_order(arrays: Arrays) -> Arrays:
    """Arrays whose bytes lie in the order that safetensors writes."""
    return {name: np.asarray(values, order="C") for name, values in arrays.items()}


def _parse(path: Path, data: bytes) -> Arrays:
    """The arrays in the bytes of a safetensors file."""
    try:
        return dict(parse_tensors(data))
    except (SafetensorError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is not a safetensors file of float32 or float64 arrays: {error}") from error


def _check_parameters(path: Path, parameters: Arrays, expected: Mapping[str, Parameter]) -> None:
    """Every expected weight is there, in its shape, all in float32 or all in float64, and no other."""
    problems = [f"{name} is missing" for name in expected if name not in parameters]
    problems += [f"{name} is unknown" for name in parameters if name not in expected]
    for name in parameters.keys() & expected.keys():
        problems += _misfits(name, parameters[name], expected[name])
    if len({values.dtype for values in parameters.values()}) > 1:
        problems.append("the parameters are not all of one type")
    _raise(path, problems)


def _check_optimizer(path: Path, optimizer: Arrays, expected: Mapping[str, Parameter]) -> None:
    """Every array of the optimizer's state belongs to a weight and has its shape."""
    problems = []
    for name, values in optimizer.items():
        weight = expected.get(name.partition(".")[2])
        problems += [f"{name} is unknown"] if weight is None else _misfits(name, values, weight)
    _raise(path, problems)


def _misfits(name: str, values: npt.NDArray[Any], weight: Parameter) -> list[str]:
    """What is wrong with one array: nothing, or one sentence."""
    if values.shape != weight.shape:
        return [f"{name} has shape {values.shape}, expected {weight.shape}"]
    if values.dtype not in (np.float32, np.float64):
        return [f"{name} is {values.dtype}, expected float32 or float64"]
    if not np.isfinite(values).all():
        return [f"{name} has numbers that are not finite"]
    return []


def _raise(path: Path, problems: list[str]) -> None:
    if problems:
        shown = "; ".join(problem[:200] for problem in sorted(problems)[:5]) + (
            f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        )
        raise CheckpointError(
            f"{path} is not of this model: {shown}. Use the checkpoint with the config it was trained with"
        )
