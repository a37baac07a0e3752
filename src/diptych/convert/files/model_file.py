"""What is in a model file, whichever framework wrote it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt

from diptych.convert.files.graph import Graph


@dataclass(frozen=True)
class WrittenBy:
    """Who wrote a file, as far as the file says.

    Attributes:
        framework: keras, tf.keras, tensorflow, pytorch, numpy, safetensors, rtneural, diptych, or what an ONNX file
            names as its producer.
        version: the framework's, for instance 2.2.4-tf; None where the file does not say.
    """

    framework: str
    version: str | None = None

    def __str__(self) -> str:
        return f"{self.framework} {self.version}" if self.version else f"{self.framework}, version not in the file"


@dataclass(frozen=True, eq=False)
class Tensor:
    """An array in a file: its shape and type are known, its numbers are not read yet.

    Attributes:
        name: as the file has it, unchanged; `shown` makes it fit to be printed.
        dtype: of the numbers in the file: float32, float64, float16, bfloat16, int64 and so on.
        shape: as the file has it.
        load: reads the numbers.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    load: Callable[[], npt.NDArray[Any]] = field(repr=False)

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return math.prod(self.shape)

    def read(self) -> npt.NDArray[Any]:
        """The numbers, in `shape` and the machine's byte order; bfloat16 comes as float32, exactly.

        Raises:
            RefusalError: the file was cut short, or stores them in a way that is not read.
        """
        return self.load()


@dataclass(frozen=True)
class Layer:
    """A layer, or what the weights' names make look like one.

    Attributes:
        name: as the file has it; of a layer within a layer, the path.
        kind: its class, for instance LSTM; "" where neither the file nor the names tell.
        tensors: its weights' names in `ModelFile.tensors`, in the file's order.
        config: its configuration as the file has it; empty where the file has none.
    """

    name: str
    kind: str
    tensors: tuple[str, ...]
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """Something to know before a file is converted: a question that the file leaves open, or a remark.

    Attributes:
        text: what is so, or what is not known.
        where: the layer or tensor that it is about; "" for the whole file.
        key: of a question, what `--assume KEY=VALUE` answers; "" for a remark.
        readings: of a question, each possible value and what it would mean.
        likely: the value that the file's origin suggests; None where nothing does.
    """

    text: str
    where: str = ""
    key: str = ""
    readings: Mapping[str, str] = field(default_factory=dict)
    likely: str | None = None


@dataclass(frozen=True)
class Training:
    """What a file has for training to go on.

    Attributes:
        optimizer: its class, for instance Adam; "" where the file does not say.
        config: its settings, as the file has them.
        slots: its arrays (moments, counters) by their names in the file.
        step: how many steps were made; None where the file does not say.
        order: the names of the weights that the optimizer moves, in its order, where the file says it.
    """

    optimizer: str
    config: Mapping[str, Any] = field(default_factory=dict)
    slots: Mapping[str, Tensor] = field(default_factory=dict)
    step: int | None = None
    order: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A model file's contents.

    Attributes:
        path: the file, or the folder of a SavedModel or of a run.
        format: one of the names in `contents.FORMATS`.
        written_by: which framework, and which version.
        tensors: the weights by name, in the file's order; the optimizer's are in `training`.
        layers: the weights by layer, layers without weights included where the file tells of them.
        architecture: Keras's configuration as plain JSON values, or the graph of ONNX or TensorFlow; None if the file
            has weights only.
        training: the optimizer's state; None if there is none.
        notes: questions that the file leaves open, and remarks.
    """

    path: Path
    format: str
    written_by: WrittenBy
    tensors: Mapping[str, Tensor]
    layers: tuple[Layer, ...] = ()
    architecture: dict[str, Any] | Graph | None = None
    training: Training | None = None
    notes: tuple[Note, ...] = ()

    @property
    def parameters(self) -> int:
        """How many real numbers the weights have together; counters, ids and shapes are not among them."""
        return sum(each.size for each in self.tensors.values() if each.dtype.startswith(("float", "bfloat", "complex")))
