"""The user's own model, run where its framework can run it: a party for the certificate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from diptych.convert.certificate import Party
from diptych.convert.files.model_file import ModelFile, Tensor
from diptych.convert.framework_process import call
from diptych.convert.graph import Array, Graph
from diptych.convert.keras.architecture import NamedArrays
from diptych.convert.keras.party import party_of_original
from diptych.convert.onnx.party import party_of_file
from diptych.convert.scratch import mapped_arrays, save_arrays
from diptych.convert.torch.party import party_of_module

SUFFIXES = {"keras": ".keras", "keras-weights": ".weights.h5", "keras-h5": ".h5", "keras-h5-weights": ".h5"}


class Original(Protocol):
    """The user's model where its framework can run it."""

    def run(self, graph: Graph, folder: Path, threads: int | None) -> Party:
        """Its findings on the trial in a folder."""


class Numbers(Mapping[str, Array]):
    """Tensors of a file, read one at a time, each when it is asked for."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = tensors

    def __getitem__(self, name: str) -> Array:
        return self._tensors[name].read()

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)


@dataclass(frozen=True, eq=False)
class KerasOriginal:
    """A model that Keras 3 wrote.

    Attributes:
        file: of the model.
        config: of its layers.
        weights: the names of each layer's.
        read: makes a graph of a layer's arrays.
    """

    file: ModelFile
    config: dict[str, Any]
    weights: dict[str, list[str]]
    read: Callable[[dict[str, NamedArrays]], Graph]

    def run(self, graph: Graph, folder: Path, threads: int | None) -> Party:
        """Its findings on the trial in a folder."""
        (folder / "original.json").write_text(json.dumps(self.config), encoding="utf-8")
        places = {
            f"{path}|{n}": self.file.tensors[name]
            for path, names in self.weights.items()
            for n, name in enumerate(names)
        }
        save_arrays(folder / "original.safetensors", Numbers(places))
        named = folder / f"original{SUFFIXES[self.file.format]}"  # Keras tells files apart by their names
        named.symlink_to(self.file.path.resolve())
        arguments = {"folder": str(folder), "file": str(named)}
        found = call("tensorflow", "diptych.convert.keras.running:run_original", arguments=arguments, threads=threads)
        arrays = mapped_arrays(folder / "original.safetensors")
        weights = {
            path: [(name, arrays[f"{path}|{n}"]) for n, name in enumerate(names)]
            for path, names in self.weights.items()
        }
        return party_of_original(graph, found, names=weights, read=self.read, folder=folder / "original")


@dataclass(frozen=True, eq=False)
class ModuleOriginal:
    """A PyTorch class of the user's own with its weights."""

    module: str
    weights: Numbers

    def run(self, graph: Graph, folder: Path, threads: int | None) -> Party:
        """Its findings on the trial in a folder."""
        save_arrays(folder / "weights.safetensors", self.weights)
        arguments = {"folder": str(folder), "module": self.module, "layers": list(graph.origins)}
        function = "diptych.convert.torch.users:run_module_of_user"
        evidence = call("pytorch", function, arguments=arguments, threads=threads, module=self.module)
        return party_of_module(graph, evidence, mapped_arrays(folder / "original" / "gradients.safetensors"))


@dataclass(frozen=True, eq=False)
class OnnxOriginal:
    """An ONNX file."""

    path: Path

    def run(self, graph: Graph, folder: Path, threads: int | None) -> Party:
        """Its findings on the trial in a folder."""
        return party_of_file(graph, "the ONNX file", folder=folder, single=self.path, double=self.path, threads=threads)
