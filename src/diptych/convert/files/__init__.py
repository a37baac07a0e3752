"""Model files of other frameworks, read without any of them, and without running anything that is in them.

    from diptych.convert.files import read_model_file

    model = read_model_file("model.h5")
    for layer in model.layers:
        print(layer.name, layer.kind, [model.tensors[name].shape for name in layer.tensors])
    kernel = model.tensors["lstm/lstm/kernel:0"].read()

Names, shapes and types are known at once; a tensor's numbers are read when they are asked for.
"""

from diptych.convert.files.graph import Graph, Node, Value
from diptych.convert.files.model_file import Layer, ModelFile, Note, Tensor, Training, WrittenBy
from diptych.convert.files.opening import read_model_file
from diptych.convert.files.printable import shown

__all__ = [
    "Graph",
    "Layer",
    "ModelFile",
    "Node",
    "Note",
    "Tensor",
    "Training",
    "Value",
    "WrittenBy",
    "read_model_file",
    "shown",
]
