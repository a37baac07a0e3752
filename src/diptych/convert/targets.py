"""The frameworks that a graph can be written for: the files, and what the written program computes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from safetensors.numpy import save_file

from diptych.convert.certificate import Party
from diptych.convert.graph import Graph
from diptych.convert.keras.program_party import arrays_of_layers, doubled_said, party_of_program
from diptych.convert.keras.writing import WrittenProgram, write_keras
from diptych.convert.onnx.party import party_of_file
from diptych.convert.onnx.running import installed
from diptych.convert.onnx.writing import WrittenFile, write_onnx
from diptych.convert.projections import without_projections
from diptych.convert.torch.party import party_of, variables_of
from diptych.convert.torch.writing import WrittenModule, write_pytorch
from diptych.processes.call import call


class Target(Protocol):
    """A graph, written."""

    @property
    def graph(self) -> Graph:
        """As it was written; it may say more than the one that was given."""

    @property
    def code(self) -> str:
        """The program's text; empty where there is none."""

    @property
    def made(self) -> Mapping[str, str]:
        """By node, what it became."""

    def run(self, folder: Path, building: Path, threads: int | None) -> Party:
        """What the program computes on the trial in a folder; its files go to another one."""


@dataclass(frozen=True, eq=False)
class PyTorchTarget:
    """`model.py` and `model.safetensors`."""

    graph: Graph
    written: WrittenModule

    @property
    def code(self) -> str:
        """The module's text."""
        return self.written.code

    @property
    def made(self) -> Mapping[str, str]:
        """By node, the line that makes its layer."""
        return _layers_in(self.code)

    def run(self, folder: Path, building: Path, threads: int | None) -> Party:
        """What the module computes."""
        weights = {name: np.ascontiguousarray(value) for name, value in self.written.weights.items()}
        save_file(weights, folder / "model.safetensors")
        arguments = {"folder": str(folder), "variables": variables_of(self.written)}
        evidence = call("pytorch", "diptych.convert.torch.running:run_written", arguments, threads, "cpu")
        shutil.copyfile(folder / "model.safetensors", building / "model.safetensors")
        return party_of(self.graph, self.written, evidence)


@dataclass(frozen=True, eq=False)
class KerasTarget:
    """`model.py` and `model.keras`."""

    graph: Graph
    written: WrittenProgram

    @property
    def code(self) -> str:
        """The program's text."""
        return self.written.code

    @property
    def made(self) -> Mapping[str, str]:
        """By node, the line that makes its layer."""
        return _layers_in(self.code)

    def run(self, folder: Path, building: Path, threads: int | None) -> Party:
        """What the program computes."""
        arguments = {
            "folder": str(folder),
            "variables": {str(ref): name for ref, name in self.written.variables.items()},
            "arrays": {name: np.ascontiguousarray(array) for name, array in arrays_of_layers(self.written).items()},
        }
        evidence = call("tensorflow", "diptych.convert.keras.running:run_program", arguments, threads, "cpu")
        shutil.copyfile(folder / "model.keras", building / "model.keras")
        return party_of_program(self.graph, self.written, evidence)


@dataclass(frozen=True, eq=False)
class OnnxTarget:
    """`model.onnx`."""

    graph: Graph
    written: WrittenFile
    code: str = ""

    @property
    def made(self) -> Mapping[str, str]:
        """By node, the operators that compute it."""
        return self.written.lines

    def run(self, folder: Path, building: Path, threads: int | None) -> Party:
        """What the runtimes that are installed make of the file."""
        double = folder / "double.onnx"
        with (building / "model.onnx").open("wb") as file, double.open("wb") as wide:
            self.written.save(file)
            if installed():
                write_onnx(self.graph, "float64").save(wide)
        return party_of_file(self.graph, "the written ONNX file", folder, building / "model.onnx", double, threads)


def write_for(to: str, graph: Graph, title: str) -> Target:
    """A graph written for "pytorch", "keras" or "onnx".

    Raises:
        RefusalError: a part of it has no stock form there.
    """
    if to == "pytorch":
        return PyTorchTarget(graph, write_pytorch(graph, f"{title}, converted by Diptych; it needs torch only."))
    if any(weight.dtype == np.float64 for weight in graph.weights().values()):
        sentence = f"float64 weights are rounded to float32 in model.{to}; the certificate's float64 has them whole"
        graph = replace(graph, uncertified=(*graph.uncertified, sentence))
    graph = without_projections(graph)
    if to == "onnx":
        return OnnxTarget(graph, write_onnx(graph))
    written = write_keras(graph, f"{title}, converted by Diptych; it needs Keras 3 only.")
    return KerasTarget(doubled_said(graph, written.doubled), written)


def _layers_in(code: str) -> dict[str, str]:
    """The layers that a program makes, by their names."""
    made: dict[str, str] = {}
    for line in code.splitlines():
        name, equals, expression = line.strip().partition(" = ")
        if equals and ("nn." in expression or "layers." in expression) and "nn.Parameter" not in expression:
            name = name.removeprefix("self.").partition(",")[0].removesuffix("_layer").removesuffix("_last")
            made.setdefault(name, expression)
    return made


def lines_of(graph: Graph, made: Mapping[str, str]) -> list[str]:
    """Layer by layer, what became what."""
    lines = []
    for node in graph.nodes:
        if node.weights:
            shapes = ", ".join(f"{name} {tuple(value.shape)}" for name, value in node.weights.items())
            what = made.get(node.name, f"a written {type(node.kind).__name__}")
            lines.append(f"{node.origin or node.name} -> {what}: {shapes}")
    return lines
