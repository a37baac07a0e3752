"""The frameworks that a graph can be written for: the files, and what the written program computes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from diptych.convert import certificate
from diptych.convert.adam import EPSILON, Adam
from diptych.convert.certificate import LIMIT_FLOAT32, Party
from diptych.convert.framework_process import call
from diptych.convert.graph import Array, Graph
from diptych.convert.keras.program_party import arrays_of_layers, doubled_said, party_of_program
from diptych.convert.keras.writing import WrittenProgram, gradients_of, write_keras
from diptych.convert.onnx.party import party_of_file
from diptych.convert.onnx.running import installed
from diptych.convert.onnx.writing import write_onnx
from diptych.convert.projections import without_projections
from diptych.convert.scratch import mapped_arrays, save_arrays
from diptych.convert.torch.adam import state_of, text_of
from diptych.convert.torch.party import party_of, variables_of
from diptych.convert.torch.writing import WrittenModule, write_pytorch


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

    @property
    def adam(self) -> Adam | None:
        """The optimizer's state that goes with it."""

    def run(self, folder: Path, building: Path, threads: int | None) -> Party:
        """What the program computes on the trial in a folder; its files go to another one."""


@dataclass(frozen=True, eq=False)
class PyTorchTarget:
    """`model.py` and `model.safetensors`."""

    graph: Graph
    written: WrittenModule
    adam: Adam | None

    @property
    def code(self) -> str:
        """The module's text."""
        return self.written.code + (text_of(self.adam) if self.adam else "")

    @property
    def made(self) -> Mapping[str, str]:
        """By node, the line that makes its layer."""
        return _layers_in(self.code)

    def run(self, folder: Path, building: Path, threads: int | None) -> Party:
        """What the module computes."""
        save_arrays(folder / "model.safetensors", self.written.weights)
        if self.adam:
            save_arrays(folder / "optimizer.safetensors", state_of(self.adam, self.written))
        arguments = {"folder": str(folder), "variables": variables_of(self.written), "adam": bool(self.adam)}
        evidence = call("pytorch", "diptych.convert.torch.running:run_written", arguments=arguments, threads=threads)
        for file in folder.glob("*.safetensors"):
            if file.stem in ("model", "optimizer"):
                shutil.copyfile(file, building / file.name)
        gradients = mapped_arrays(folder / "written" / "gradients.safetensors")
        party = party_of(self.graph, self.written, evidence=evidence, found=gradients)
        if self.adam is None:
            return party
        places = {name: place for name, place in self.written.names.items() if name in party.gradients}
        stepped = {name: evidence["adam"][place] for name, place in places.items()}
        return with_adam(party, self.graph, adam=self.adam, found=stepped, corrected_first=True)


@dataclass(eq=False)
class KerasTarget:
    """`model.py` and `model.keras`; once they are in a file, the weights are no longer in memory."""

    graph: Graph
    written: WrittenProgram
    adam: Adam | None

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
            "adam": self._averages(self.adam) if self.adam else None,
        }
        save_arrays(folder / "arrays.safetensors", arrays_of_layers(self.written))
        arrays = mapped_arrays(folder / "arrays.safetensors")
        weights = {name: [arrays[f"{name}|{n}"] for n in range(len(one))] for name, one in self.written.weights.items()}
        self.written = replace(self.written, weights=weights)
        evidence = call("tensorflow", "diptych.convert.keras.running:run_program", arguments=arguments, threads=threads)
        shutil.copyfile(folder / "model.keras", building / "model.keras")
        gradients = mapped_arrays(folder / "written" / "gradients.safetensors")
        party = party_of_program(self.graph, self.written, evidence=evidence, found=gradients)
        if self.adam is None:
            return party
        stepped = gradients_of(self.graph, self.written, evidence["adam"])
        for name in self._summed_biases():
            stepped.pop(name, None)
        return with_adam(party, self.graph, adam=self.adam, found=stepped, corrected_first=False)

    def _summed_biases(self, names: tuple[str, ...] = ("bias_ih", "bias_hh")) -> set[str]:
        """The biases, or one of each two, that became their sum."""
        return {
            f"{node}.{name}{suffix}" for node in self.written.doubled for name in names for suffix in ("", "_reverse")
        }

    def _averages(self, adam: Adam) -> dict[str, Any]:
        """Adam's settings and averages, "LAYER|NUMBER"; the sum of two biases has the averages of one."""
        alone = adam.without(self._summed_biases(("bias_hh",)))
        found: dict[str, Any] = dict(adam.settings)
        for key, moments in (("first", alone.first), ("second", alone.second)):
            written = write_keras(self.graph.with_weights(moments), "")
            found[key] = {name: np.ascontiguousarray(array) for name, array in arrays_of_layers(written).items()}
        return found


@dataclass(frozen=True, eq=False)
class OnnxTarget:
    """`model.onnx`; it is made anew when it is run, for until then others need the memory."""

    graph: Graph
    made: Mapping[str, str]
    code: str = ""
    adam: None = None

    def run(self, folder: Path, building: Path, threads: int | None) -> Party:
        """What the runtimes that are installed make of the file."""
        double = folder / "double.onnx"
        with (building / "model.onnx").open("wb") as file:
            write_onnx(self.graph).save(file)
        if installed():
            with double.open("wb") as file:
                write_onnx(self.graph, "float64").save(file)
        return party_of_file(
            self.graph,
            "the written ONNX file",
            folder=folder,
            single=building / "model.onnx",
            double=double,
            threads=threads,
        )


def write_for(to: str, graph: Graph, title: str, adam: Adam | None = None) -> Target:
    """A graph written for "pytorch", "keras" or "onnx".

    Args:
        to: which of them.
        graph: the model.
        title: what it is, for the first line.
        adam: the optimizer's state; an ONNX file has none, nor has what gets other weights than the graph's.

    Raises:
        RefusalError: a part of it has no stock form there.
    """
    if to == "pytorch":
        return PyTorchTarget(graph, write_pytorch(graph, f"{title}, converted by Diptych; it needs torch only."), adam)
    if any(weight.dtype == np.float64 for weight in graph.weights().values()):
        sentence = f"float64 weights are rounded to float32 in model.{to}; the certificate's float64 has them whole"
        graph = replace(graph, uncertified=(*graph.uncertified, sentence))
    expanded = without_projections(graph)
    adam = adam if set(expanded.weights()) == set(graph.weights()) else None
    graph = expanded
    if to == "onnx":
        return OnnxTarget(graph, write_onnx(graph).lines)
    written = write_keras(graph, f"{title}, converted by Diptych; it needs Keras 3 only.")
    return KerasTarget(doubled_said(graph, written.doubled), written, adam)


def with_adam(party: Party, graph: Graph, adam: Adam, found: Mapping[str, Array], corrected_first: bool) -> Party:
    """A party that made one step from Adam's state, too: its weights after it, by name, in float32."""
    weights = {name: value.astype(np.float64) for name, value in graph.weights().items()}
    gradients = {name: party.gradients[name] for name in found}
    expected = adam.stepped(weights, gradients, corrected_first)
    pairs = [(name, found[name].astype(np.float64), expected[name]) for name in found]
    what = f"weights after a step of Adam from its state, {party.name} in float32 and the formula"
    return replace(
        party, checks=(*party.checks, certificate.check(what, pairs, LIMIT_FLOAT32)), missing=(*party.missing, EPSILON)
    )


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
