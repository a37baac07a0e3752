"""A PyTorch module that lives in this process, traced by `torch.fx` with its stock layers as leaves, as a graph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import fx
from torch.nn.utils import rnn

from diptych.convert.graph import Graph
from diptych.convert.torch.functions import FUNCTIONS, METHODS
from diptych.convert.torch.lengths import check_examples, with_open_lengths
from diptych.convert.torch.modules import MODULES
from diptych.convert.torch.symbols import Builder, Constant, Size, Value
from diptych.errors import RefusalError


class Tracer(fx.Tracer):
    """Leaves are what `torch.nn` has; packing is called as it is."""

    def __init__(self) -> None:
        super().__init__(
            autowrap_modules=(math, rnn), autowrap_functions=(rnn.pack_padded_sequence, rnn.pad_packed_sequence)
        )


def graph_of(module: Any, inputs: Sequence[Any] | None = None) -> Graph:
    """The graph of a module.

    Args:
        module: in any mode; read as it is in evaluation mode. It is not changed.
        inputs: examples of what it takes, in its order; only their shapes and types count. None: derived from the
            layers that take them.

    Raises:
        RefusalError: the module cannot be traced, or a part of it cannot be converted exactly.
    """
    for name, one in module.state_dict().items():
        if one.dtype in (torch.float16, torch.bfloat16):
            raise RefusalError(
                f"{type(module).__name__}: {name} is {str(one.dtype).removeprefix('torch.')}: the class computes in "
                f"half precision, where no two frameworks agree; convert it in float32"
            )
    traced = trace(module)
    builder = Builder(dict(module.named_modules()))
    examples = list(inputs or ())
    taken = [node for node in traced.nodes if node.op == "placeholder"]
    if len(examples) > len(taken):
        raise RefusalError(
            f"{len(examples)} examples of inputs are given, but forward of {type(module).__name__} takes "
            f"{len(taken)} ({', '.join(node.name for node in taken)}): give one for each, in their order"
        )
    outputs: Any = None
    for node in traced.nodes:
        if node.op == "placeholder":
            if node.args and node.args[0] is None and not examples:  # an argument that may be left out
                builder.symbols[node.name] = Constant(None)
                continue
            example = examples.pop(0) if examples else None
            shape = tuple(example.shape) if torch.is_tensor(example) else None
            whole = "ids" if torch.is_tensor(example) and not example.is_floating_point() else "float"
            kind = "mask" if torch.is_tensor(example) and example.dtype == torch.bool else whole
            builder.symbols[node.name] = builder.input(node.name, shape, kind)
        elif node.op == "output":
            outputs = builder.known(node.args[0])
        else:
            builder.symbols[node.name] = _read(builder, node)
    graph = builder.graph(_named(outputs))
    if inputs:
        check_examples(graph, builder.examples)
    return with_open_lengths(graph, builder.states)


def trace(module: Any) -> Any:
    """The module's graph as `torch.fx` sees it.

    Raises:
        RefusalError: what it does depends on the numbers that it is given, or on what cannot be traced.
    """
    tracer = Tracer()
    was_training = module.training
    try:
        module.eval()
        # A GraphModule is not made of it: it would register packing as wrapped, once and for all.
        return tracer.trace(module)
    except Exception as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RefusalError(
            f"{type(module).__name__}: torch.fx cannot trace its forward: {first}. Loops over the data and branches on "
            f"it cannot be converted; convert the parts, for instance one step of a decoder"
        ) from error
    finally:
        module.train(was_training)


def _read(builder: Builder, node: Any) -> Any:
    """What one line of the traced module gives."""
    arguments = [builder.known(one) for one in node.args]
    options = {name: builder.known(one) for name, one in node.kwargs.items()}
    where = f"line {node.name!r} of the traced module"
    builder.where = where
    if node.op == "call_module":
        layer = builder.modules[node.target]
        kind = type(layer)
        if kind not in MODULES:
            raise RefusalError(f"{node.target}: a layer of class {kind.__name__!r} cannot be converted")
        builder.where = node.target
        return MODULES[kind](builder, node.target, layer, arguments, options)
    if node.op == "get_attr":
        if str(node.target).startswith("_tensor_constant"):
            raise RefusalError(
                "a tensor that forward makes with fixed sizes, such as torch.zeros(1, 4, 8) for an initial state, "
                "bakes in the batch size: leave a state of zeros out, or take the sizes from an input (x.size(0))"
            )
        raise RefusalError(
            f"{node.target}: a parameter or buffer that forward uses by itself cannot be converted; put it in a layer"
        )
    table, name = (METHODS, node.target) if node.op == "call_method" else (FUNCTIONS, node.target)
    if name not in table:
        called = name if isinstance(name, str) else getattr(name, "__name__", str(name))
        raise RefusalError(f"{where}: {called} is not converted")
    return table[name](builder, node.name, arguments, options)


def _named(outputs: Any) -> dict[str, Value]:
    found: list[Value] = []

    def walk(value: Any) -> None:
        if isinstance(value, list | tuple):
            for one in value:
                walk(one)
        elif isinstance(value, Value):
            found.append(value)
        elif hasattr(value, "as_value"):
            found.append(value.as_value())
        elif not isinstance(value, Constant | Size) and value is not None:
            raise RefusalError(f"an output of type {type(value).__name__} cannot be converted")

    walk(outputs)
    if not found:
        raise RefusalError("the module has no output that could be converted")
    return {"output" if len(found) == 1 else f"output_{number}": value for number, value in enumerate(found)}


def graph_of_layer(layer: Any) -> Graph:
    """The graph of one stock layer."""
    if type(layer) not in MODULES:
        raise RefusalError(f"expected a stock layer of PyTorch, got {type(layer).__name__}; for a module use to_keras")
    builder = Builder({"layer": layer}, checks=False)
    builder.where = "layer"
    outputs = MODULES[type(layer)](builder, "layer", layer, [builder.input("x", (1, 1, 1), False)], {})
    return builder.graph(_named(outputs))
