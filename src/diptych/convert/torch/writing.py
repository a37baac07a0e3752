"""A graph written as a PyTorch module: text of stock layers that needs torch and safetensors only, and a state dict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from diptych.convert import kinds
from diptych.convert.graph import Array, Graph, Node, Ref
from diptych.convert.torch.layers import WRITERS
from diptych.convert.torch.texts import RUN_MASKED, cell_class, is_stock
from diptych.convert.writing import Writer


@dataclass(frozen=True)
class WrittenModule:
    """A module as text and weights.

    Attributes:
        code: the file's text: a class `Model` and a function `load`.
        weights: its state dict.
        names: where each weight of the graph went: its names in the state dict, more than one where it was repeated.
        variables: the local variables of `forward` that hold each value of the graph.
        states: those that hold a recurrent layer's final state, by node.
    """

    code: str
    weights: dict[str, Array]
    names: dict[str, str]
    variables: dict[Ref, str]
    states: dict[str, str]


class ModuleWriter(Writer):
    """Collects a module: what `__init__` makes, what `forward` computes, and where each weight goes."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.members: list[str] = []
        self.classes: dict[str, str] = {}
        self.weights: dict[str, Array] = {}
        self.names: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self.needs: set[str] = set()
        for given in graph.inputs:
            self.variables[Ref(given.name)] = self.variable(given.name)

    def member(self, node: Node) -> str:
        """The attribute that holds a node's layer."""
        return f"self.{node.shares or node.name}"

    def make(self, node: Node, expression: str, weights: dict[str, str]) -> None:
        """A line of `__init__`, unless the layer is another's, and where each of its weights goes."""
        if node.shares:
            return
        self.members.append(f"self.{node.name} = {expression}")
        for name, place in weights.items():
            full = f"{node.name}.{place}" if place else node.name
            self.weights[full] = node.weights[name]
            self.names[f"{node.name}.{name}"] = full


def write_pytorch(graph: Graph, title: str) -> WrittenModule:
    """A graph as a PyTorch module.

    Args:
        graph: the model.
        title: the first line of the file, without the quotes.
    """
    writer = ModuleWriter(graph)
    for node in graph.nodes:
        if isinstance(node.kind, kinds.Recurrent):
            _recurrent(writer, node, node.kind)
        else:
            WRITERS[type(node.kind)](writer, node, node.kind)
    outputs = [writer.variables[ref] for ref in graph.outputs.values()]
    code = _text(writer, title, outputs)
    return WrittenModule(
        code, weights=writer.weights, names=writer.names, variables=writer.variables, states=writer.states
    )


def _recurrent(writer: ModuleWriter, node: Node, kind: kinds.Recurrent) -> None:
    weights = writer.graph.weights_of(node)
    if is_stock(kind, set(weights)):
        _stock(writer, node, kind)
    else:
        _generated(writer, node, kind)
    sequence, state = writer.variables[Ref(node.name, "sequence")], writer.states[node.name]
    if Ref(node.name, "last") in writer.used:
        size = weights["weight_hr"].shape[0] if "weight_hr" in weights else weights["weight_hh"].shape[1]
        last = f"{sequence}[:, {0 if kind.direction == 'backward' else -1}]"
        if kind.direction == "both":
            last = f"torch.cat([{sequence}[:, -1, :{size}], {sequence}[:, 0, {size}:]], dim=1)"
        writer.assign(node, last, "last")
    stock = is_stock(kind, set(weights))
    for place, suffix in enumerate(kind.suffixes):
        for number, name in enumerate(kind.state_names):
            if Ref(node.name, f"{name}{suffix}") in writer.used:
                if stock:
                    whole = f"{state}[{number}]" if kind.cell == "lstm" else state
                    writer.assign(node, f"{whole}[{place}]", f"{name}{suffix}")
                else:
                    writer.assign(node, f"{state}{suffix}[{number}]", f"{name}{suffix}")


def _stock(writer: ModuleWriter, node: Node, kind: kinds.Recurrent) -> None:
    weights = writer.graph.weights_of(node)
    cell = {"lstm": "nn.LSTM", "gru": "nn.GRU", "rnn": "nn.RNN"}[kind.cell]
    projected = "weight_hr" in weights
    hidden = weights["weight_hh"].shape[0] // len(kind.gates)
    options = ["batch_first=True"]
    options += ["bidirectional=True"] if kind.direction == "both" else []
    options += [] if "bias_ih" in weights or "bias_hh" in weights else ["bias=False"]
    options += [f"proj_size={weights['weight_hr'].shape[0]}"] if projected else []
    options += ['nonlinearity="relu"'] if kind.cell == "rnn" and kind.activation.name == "relu" else []
    arguments = ", ".join([str(weights["weight_ih"].shape[1]), str(hidden), *options])
    writer.make(node, f"{cell}({arguments})", {name: _stock_name(name) for name in node.weights})
    for suffix in kind.suffixes if not node.shares else ():
        biases = [f"bias_ih{suffix}" in weights, f"bias_hh{suffix}" in weights]
        if any(biases) and not all(biases):
            missing = "bias_hh" if biases[0] else "bias_ih"
            place = f"{missing}_l0{suffix}"
            writer.members.append(
                f"self.{node.name}.{place}.requires_grad_(False)  # one bias is trained, this is zero"
            )
            there = weights[f"{'bias_ih' if biases[0] else 'bias_hh'}{suffix}"]
            writer.weights[f"{node.name}.{place}"] = np.zeros_like(there)
    backward = kind.direction == "backward"
    turned = ".flip(1)" if backward else ""
    x, state = writer.given(node, "x") + turned, _stock_state(writer, node, kind)
    name, final = writer.variable(node.name), writer.variable(f"{node.name}_state")
    if "mask" in node.inputs:
        writer.needs |= {"run_masked"}
        arguments = ", ".join(filter(None, [writer.member(node), x, writer.given(node, "mask") + turned,
                                            f"state={state}" if state else "",
                                            "zero_masked=True" if kind.zero_masked else ""]))  # fmt: skip
        writer.lines.append(f"{name}, {final} = run_masked({arguments})")
    else:
        writer.lines.append(f"{name}, {final} = {writer.member(node)}({x}{f', {state}' if state else ''})")
    if backward:
        writer.lines.append(f"{name} = {name}.flip(1)")
    writer.variables[Ref(node.name, "sequence")], writer.states[node.name] = name, final


def _stock_name(name: str) -> str:
    """Of a graph's weight in nn.LSTM, nn.GRU and nn.RNN."""
    return f"{name.removesuffix('_reverse')}_l0{'_reverse' if name.endswith('_reverse') else ''}"


def _stock_state(writer: ModuleWriter, node: Node, kind: kinds.Recurrent) -> str:
    """The expression of h0, or of (h0, c0); empty where they are zero."""
    names = [f"{name}0" for name in kind.state_names]
    if not any(f"{name}{suffix}" in node.inputs for name in names for suffix in kind.suffixes):
        return ""
    weights = writer.graph.weights_of(node)
    sizes = {"h0": weights["weight_hh"].shape[1], "c0": weights["weight_hh"].shape[0] // len(kind.gates)}

    def one(name: str, suffix: str) -> str:
        if f"{name}{suffix}" in node.inputs:
            return writer.given(node, f"{name}{suffix}")
        x = writer.given(node, "x")
        return f"{x}.new_zeros({x}.size(0), {sizes[name]})"

    stacked = [f"torch.stack([{', '.join(one(name, suffix) for suffix in kind.suffixes)}])" for name in names]
    return stacked[0] if len(stacked) == 1 else f"({', '.join(stacked)})"


def _generated(writer: ModuleWriter, node: Node, kind: kinds.Recurrent) -> None:
    """Each direction a module of its own, of a class that is written with the module."""
    weights = writer.graph.weights_of(node)
    forward = {name for name in weights if not name.endswith("_reverse")}
    class_name, text = cell_class(kind, forward)
    writer.classes[class_name] = text
    hidden = weights["weight_hh"].shape[0] // len(kind.gates)
    sizes = [weights["weight_ih"].shape[1], hidden]
    sizes += [weights["weight_hr"].shape[0]] if "weight_hr" in weights else []
    owner = node.shares or node.name
    sequences = []
    final = writer.variable(f"{node.name}_state")
    for suffix in kind.suffixes:
        if not node.shares:
            writer.members.append(f"self.{owner}{suffix} = {class_name}({', '.join(map(str, sizes))})")
            for name in forward:
                full = f"{owner}{suffix}.{name}"
                writer.weights[full] = weights[f"{name}{suffix}"]
                writer.names[f"{owner}.{name}{suffix}"] = full
        backward = kind.direction == "backward" or bool(suffix)
        turned = ".flip(1)" if backward else ""
        states = [node.inputs.get(f"{name}0{suffix}") for name in kind.state_names]
        if any(states) and not all(states):
            raise ValueError(f"{node.name}: some of its initial states are given and some are not")
        state = f"({', '.join(writer.variables[one] for one in states if one)},)" if all(states) else ""
        arguments = ", ".join(filter(None, [
            writer.given(node, "x") + turned,
            f"mask={writer.given(node, 'mask')}{turned}" if "mask" in node.inputs else "",
            f"state={state}" if state else "",
            "zero_masked=True" if kind.zero_masked and "mask" in node.inputs else "",
        ]))  # fmt: skip
        name = writer.variable(f"{node.name}{suffix}")
        writer.lines.append(f"{name}, {final}{suffix} = self.{owner}{suffix}({arguments})")
        if backward:
            writer.lines.append(f"{name} = {name}.flip(1)")
        sequences.append(name)
    writer.states[node.name] = final
    if len(sequences) == 1:
        writer.variables[Ref(node.name, "sequence")] = sequences[0]
    else:
        writer.assign(node, f"torch.cat([{', '.join(sequences)}], dim=2)", "sequence")


def _text(writer: ModuleWriter, title: str, outputs: list[str]) -> str:
    packing = "run_masked" in writer.needs
    imports = ["from pathlib import Path", "", "import torch"]
    body = [*writer.members, *writer.lines, *writer.classes.values()]
    imports += ["import torch.nn.functional as F"] if any("F." in line for line in body) else []
    imports += ["from safetensors.torch import load_file", "from torch import nn"]
    imports += ["from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence"] if packing else []
    arguments = ", ".join(["self", *(writer.variables[Ref(given.name)] for given in writer.graph.inputs)])
    shapes = "\n".join(f"            {writer.variables[Ref(g.name)]}: {_describe(g)}." for g in writer.graph.inputs)
    parts = [
        f'"""{title}"""\n',
        "\n".join(imports) + "\n",
        *([f"\n{RUN_MASKED.strip()}\n"] if packing else []),
        *(f"\n{text}\n" for text in writer.classes.values()),
        "\nclass Model(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        + "\n".join(f"        {line}" for line in writer.members)
        + f'\n\n    def forward({arguments}):\n        """\n        Args:\n{shapes}\n        """\n'
        + "\n".join(f"        {line}" for line in writer.lines)
        + f"\n        return {', '.join(outputs)}",
        LOAD.format(double=".double()" if any(one.dtype == np.float64 for one in writer.weights.values()) else ""),
    ]
    return "\n".join(parts) + "\n"


LOAD = '''

def load(path=Path(__file__).with_name("model.safetensors")):
    """The model with its weights, ready to be used."""
    model = Model(){double}
    model.load_state_dict(load_file(path))
    return model.eval()'''


def _describe(given: Any) -> str:
    shape = ", ".join(["B", *("T" if size is None else str(size) for size in given.shape)])
    kind = {"float": "numbers", "ids": "whole numbers", "lengths": "how many steps are real", "mask": "True or False",
            "padding": "True where there is padding"}  # fmt: skip
    limit = f" below {given.limit}" if given.limit else ""
    return f"({shape}), {kind[given.kind]}{limit}"
