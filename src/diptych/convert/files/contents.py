"""A model file's contents as plain values, for JSON and for a terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diptych.convert.files.finiteness import notes_on_finiteness
from diptych.convert.files.graph import Graph, Value
from diptych.convert.files.model_file import ModelFile, Note, Tensor, Training

FORMATS = {
    "keras": "a whole model, Keras 3's archive",
    "keras-weights": "weights only, Keras 3's HDF5",
    "keras-h5": "a whole model, Keras's HDF5",
    "keras-h5-weights": "weights only, Keras's HDF5",
    "keras-json": "a Keras model's configuration without weights",
    "hdf5": "arrays in HDF5, of no layout of Keras's",
    "saved-model": "TensorFlow's SavedModel",
    "tensorflow-checkpoint": "TensorFlow's checkpoint",
    "tensorflow-graph": "a frozen TensorFlow graph",
    "pytorch": "PyTorch's state dict or checkpoint",
    "safetensors": "weights only, safetensors",
    "npz": "weights only, NumPy's archive",
    "onnx": "an ONNX graph with weights",
    "rtneural-json": "RTNeural's layers with weights",
    "json-state-dict": "a state dict as JSON",
    "diptych-run": "a run of Diptych",
    "diptych-checkpoint": "a checkpoint of Diptych",
}


def contents(model: ModelFile) -> dict[str, Any]:
    """What there is to say of a file; weights that are not finite are looked for.

    Raises:
        RefusalError: a weight's numbers are damaged.
    """
    notes = [*model.notes, *notes_on_finiteness(model.tensors.values())]
    named = {name for layer in model.layers for name in layer.tensors}
    return {
        "path": str(model.path),
        "bytes": _bytes(model.path),
        "format": model.format,
        "format_in_words": FORMATS[model.format],
        "written_by": {"framework": model.written_by.framework, "version": model.written_by.version},
        "parameters": model.parameters,
        "layers": [
            {
                "name": layer.name,
                "class": layer.kind,
                "weights": [_tensor(model.tensors[name]) for name in layer.tensors],
                "config": dict(layer.config),
            }
            for layer in model.layers
        ],
        "other_weights": [_tensor(tensor) for name, tensor in model.tensors.items() if name not in named],
        "graph": _graph(model.architecture) if isinstance(model.architecture, Graph) else None,
        "training": _training(model.training) if model.training else None,
        "questions": [_question(note) for note in notes if note.key],
        "remarks": [{"where": note.where, "text": note.text} for note in notes if not note.key],
    }


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return {"name": tensor.name, "shape": list(tensor.shape), "dtype": tensor.dtype}


def _training(training: Training) -> dict[str, Any]:
    return {
        "optimizer": training.optimizer,
        "config": dict(training.config),
        "step": training.step,
        "slots": [_tensor(slot) for slot in training.slots.values()],
    }


def _question(note: Note) -> dict[str, Any]:
    return {
        "where": note.where,
        "text": note.text,
        "assume": note.key,
        "readings": dict(note.readings),
        "likely": note.likely,
    }


def _graph(graph: Graph) -> dict[str, Any]:
    """How many operators of each kind, what goes in and what comes out."""
    counts: dict[str, int] = {}
    for node in graph.nodes:
        counts[node.operator] = counts.get(node.operator, 0) + 1
    return {
        "versions": dict(graph.versions),
        "inputs": [_value(value) for value in graph.inputs],
        "outputs": [_value(value) for value in graph.outputs],
        "operators": dict(sorted(counts.items(), key=lambda each: (-each[1], each[0]))),
    }


def _value(value: Value) -> dict[str, Any]:
    shape = None if value.shape is None else list(value.shape)
    return {"name": value.name, "dtype": value.dtype, "shape": shape}


def _bytes(path: Path) -> int:
    """The size of a file, or of all files in a folder."""
    if not path.is_dir():
        return os.path.getsize(path)
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())


def questions_together(questions: list[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], list[str]]]:
    """The same question about several layers, once, with the layers."""
    found: dict[tuple[str, str, str], tuple[Mapping[str, Any], list[str]]] = {}
    for each in questions:
        key = (each["assume"], each["text"], str(each["likely"]))
        found.setdefault(key, (each, []))[1].append(each["where"])
    return list(found.values())
