"""A model's numbers in a file that is mapped: TensorFlow computes with them where they are, so they fill no memory."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from diptych.convert.graph import Array

ALIGNMENT = 64  # bytes: elsewhere TensorFlow's vector code may not read


LARGE = 1 << 12
"""Numbers from which on a weight is left blank."""


@contextmanager
def blank_weights() -> Iterator[None]:
    """Within it, layers make large weights of zeros that were never written: they fill no memory, and take no time.

    So a model is built that is given its weights afterwards; drawing an orthogonal matrix alone takes longer than all
    of the rest.
    """
    own = keras.layers.Layer.add_weight
    signature = inspect.signature(own)

    def add_weight(*arguments: Any, **named: Any) -> Any:
        given = signature.bind(*arguments, **named)
        usual = given.arguments.get("initializer")

        def values(shape: Any, dtype: Any = None, **more: Any) -> Any:
            kind = np.dtype(dtype or keras.config.floatx()) if dtype != "bfloat16" else None
            if kind is None or kind.kind != "f" or math.prod(shape) < LARGE:
                return keras.initializers.get("zeros" if usual is None else usual)(shape, dtype=dtype, **more)
            pages = np.zeros(math.prod(shape) * kind.itemsize + ALIGNMENT, np.uint8)
            start = -pages.ctypes.data % ALIGNMENT
            return _tensor(pages[start : start + math.prod(shape) * kind.itemsize].view(kind).reshape(shape))

        given.arguments["initializer"] = values
        return own(*given.args, **given.kwargs)

    keras.layers.Layer.add_weight = add_weight
    try:
        yield
    finally:
        keras.layers.Layer.add_weight = own


def _tensor(array: Array) -> Any:
    """A tensor of an array's own memory."""
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__()) if array.size else tf.constant(array)


class Lent:
    """Variables whose numbers are in a file."""

    def __init__(self, path: Path, variables: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Give each variable the array of its name, in the variable's type.

        Args:
            path: of the file, a new one.
            variables: Keras's, of real numbers.
            arrays: of their shapes.

        Raises:
            OSError: there is no room for them.
        """
        self._variables = variables
        self._places = _new_arrays(path, {name: (one.dtype, tuple(one.shape)) for name, one in variables.items()})
        for name, place in self._places.items():
            place[...] = arrays[name]
            self._lend(name)

    def keep(self, name: str) -> None:
        """Bring a variable that has changed, and may have moved, back into the file."""
        self._places[name][...] = np.asarray(self._variables[name].value)
        self._lend(name)

    def give(self) -> None:
        """Let the variables have their numbers for good: the file is no longer needed."""
        for name, variable in self._variables.items():
            variable.assign(tf.constant(self._places[name]))

    def _lend(self, name: str) -> None:
        self._variables[name].assign(_tensor(self._places[name]))


def _new_arrays(path: Path, forms: Mapping[str, tuple[str, tuple[int, ...]]]) -> dict[str, Array]:
    """Arrays in a file, each where TensorFlow can read it."""
    starts, end = {}, 0
    for name, (dtype, shape) in forms.items():
        starts[name] = end
        end += -(-np.dtype(dtype).itemsize * math.prod(shape) // ALIGNMENT) * ALIGNMENT
    with path.open("wb") as file:
        file.truncate(max(end, ALIGNMENT))
        if hasattr(os, "posix_fallocate"):  # a mapped file that finds the disk full later ends the process
            os.posix_fallocate(file.fileno(), 0, max(end, ALIGNMENT))
    whole = np.asarray(np.memmap(path, np.uint8, "r+"))
    return {
        name: whole[starts[name] : starts[name] + np.dtype(dtype).itemsize * math.prod(shape)]
        .view(dtype)
        .reshape(shape)
        for name, (dtype, shape) in forms.items()
    }
