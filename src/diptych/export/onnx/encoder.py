"""The encoder and the bridge (docs/equations.md, 4 and 5): a native GRU, LSTM or RNN node for each layer."""

from __future__ import annotations

import numpy as np

from diptych.config import Cell, ModelConfig
from diptych.export.onnx import names
from diptych.export.onnx.products import ModelWriter
from diptych.onnx import message
from diptych.onnx.message import Message
from diptych.onnx.writer import model
from diptych.parameters.specification import GATES

ONNX_GATES: dict[Cell, str] = {"gru": "zrn", "lstm": "iofg", "rnn": "n"}
"""The gates in ONNX's order, by the specification's letters."""
INT32 = 6


def encoder_file(writer: ModelWriter, config: ModelConfig) -> Message:
    """encoder_model.onnx, see `diptych.export.onnx.names`."""
    made = write_encoder(writer, config)
    rename(writer, made)
    dtype = writer.dtype.name
    outputs = memory_values(config, dtype) + [
        message.value(names.present(name), dtype, ["batch", names.state_size(config, name)])
        for name in names.state_names(config)
    ]
    return model(writer.graph_of("encoder", inputs(), outputs))


def inputs() -> list[Message]:
    """Sources and their lengths."""
    return [message.value(names.IDS, "int64", ["batch", "source"]), message.value(names.LENGTHS, "int64", ["batch"])]


def memory_values(config: ModelConfig, dtype: str) -> list[Message]:
    """What a decoder needs of the source, with its sizes."""
    keys = ["source", config.key_size] if config.has_score_layer else [config.key_size, "source"]
    sizes = {names.VALUES: ["source", config.memory_size], names.KEYS: keys, names.MASK: ["source"]}
    return [
        message.value(name, "bool" if name == names.MASK else dtype, ["batch", *sizes[name]])  # type: ignore[misc]
        for name in names.memory_names(config)
    ]


def rename(writer: ModelWriter, made: dict[str, str]) -> None:
    """Give tensors the names by which they leave the graph."""
    for name, tensor in made.items():
        writer.nodes.append(message.node("Identity", [tensor], outputs=[name], name=f"{name}_out", attributes={}))


def write_encoder(writer: ModelWriter, config: ModelConfig) -> dict[str, str]:
    """What the encoder gives, by the names under which it leaves the graph: the tensors."""
    op, constant = writer.op, writer.constant
    lengths = op("Cast", [names.LENGTHS], "lengths", to=INT32)
    outputs = writer.embedded(names.IDS, "source_embedding.weight")
    outputs = op("Transpose", [outputs], "embedded", perm=[1, 0, 2])  # (S, B, E)
    states = []
    for layer in range(config.encoder_layers):
        outputs, state = _layer(writer, config, layer=layer, x=outputs, lengths=lengths)
        states.append(state)
    made = {}
    if config.attention != "none":
        made[names.VALUES] = memory = op("Transpose", [outputs], "memory", perm=[1, 0, 2])  # (B, S, M)
        made[names.KEYS] = _keys(writer, config, memory)
        size = op("Gather", [op("Shape", [names.IDS], "source_shape"), constant(1)], "source_length")
        places = op("Range", [constant(0), size, constant(1)], "places")
        made[names.MASK] = op("Less", [places, op("Unsqueeze", [names.LENGTHS, constant([1])], "ends")], "mask")
    first = _bridge(writer, config, states)
    made |= {names.present(name): tensor for name, tensor in zip(names.state_names(config), first)}
    if config.input_feeding:
        made[names.present(names.FED)] = _zeros(writer, config.feature_size)
    return made


def _layer(writer: ModelWriter, config: ModelConfig, layer: int, x: str, lengths: str) -> tuple[str, list[str]]:
    """The outputs (S, B, M) of a layer, zeros at padding, and its final state: parts (B, M), forward then backward."""
    kinds = ("forward", "backward") if config.bidirectional else ("forward",)
    weights = writer.weights
    stacked = {
        part: np.stack([_in_order(config.cell, weights[f"encoder.{kind}_layers.{layer}.{part}"]) for kind in kinds])
        for part in ("weight_ih", "weight_hh", "bias_ih", *(("bias_hh",) if config.cell == "gru" else ()))
    }
    biases = np.concatenate([stacked["bias_ih"], stacked.get("bias_hh", np.zeros_like(stacked["bias_ih"]))], axis=1)
    name = f"encoder.{layer}"
    given = [
        x,
        *(writer.stored(f"{name}.{part}", stacked[part]) for part in ("weight_ih", "weight_hh")),
        writer.weight(f"{name}.bias", biases),
        lengths,
    ]
    attributes = {"hidden_size": config.encoder_size} | ({"direction": "bidirectional"} if config.bidirectional else {})
    if config.cell == "gru":
        attributes["linear_before_reset"] = 1
    wanted = [f"{name}.Y", f"{name}.Y_h", *([f"{name}.Y_c"] if config.cell == "lstm" else [])]
    y, *finals = writer.ops(config.cell.upper(), given, wanted, **attributes)
    turned = writer.op("Transpose", [y], f"{name}.turned", perm=[0, 2, 1, 3])  # (S, B, directions, H)
    outputs = writer.op("Reshape", [turned, writer.constant([0, 0, -1])], f"{name}.outputs")
    states = []
    for final in finals:
        by_row = writer.op("Transpose", [final], f"{final}.by_row", perm=[1, 0, 2])
        states.append(writer.op("Reshape", [by_row, writer.constant([0, -1])], f"{final}.state"))
    return outputs, states


def _in_order(cell: Cell, rows: np.ndarray) -> np.ndarray:
    """Rows of gates in ONNX's order."""
    gates = dict(zip(GATES[cell], np.split(rows, len(GATES[cell]))))
    return np.concatenate([gates[gate] for gate in ONNX_GATES[cell]])


def _keys(writer: ModelWriter, config: ModelConfig, memory: str) -> str:
    """What scores need of the memory, in the shape that a step multiplies."""
    keys = memory
    if config.attention != "dot":
        weight = writer.stored("decoder.attention.memory.weight", writer.weights["decoder.attention.memory.weight"])
        keys = writer.op("MatMul", [memory, writer.op("Transpose", [weight], "key_columns", perm=[1, 0])], "keys")
    return keys if config.has_score_layer else writer.op("Transpose", [keys], "keys_by_size", perm=[0, 2, 1])


def _bridge(writer: ModelWriter, config: ModelConfig, states: list[list[str]]) -> list[str]:
    """The decoder's first states, in the order of `state_names`."""
    first = []
    for layer in range(config.decoder_layers):
        state = states[min(layer, len(states) - 1)]
        for part, tensor in zip(("hidden", "cell"), state):
            if config.bridge == "zero":
                first.append(_zeros(writer, config.decoder_size))
            elif config.bridge == "copy":
                first.append(tensor)
            else:
                name = f"bridge.{part}.{layer}"
                weight = writer.stored(f"{name}.weight", writer.weights[f"{name}.weight"])
                bias = writer.weight(f"{name}.bias", writer.weights[f"{name}.bias"])
                dense = writer.op("Gemm", [tensor, weight, bias], f"{name}.product", transB=1)
                first.append(writer.op("Tanh", [dense], name))
    return first


def _zeros(writer: ModelWriter, size: int) -> str:
    """(B, size) of zeros."""
    rows = writer.op("Shape", [names.LENGTHS], "rows")
    shape = writer.op("Concat", [rows, writer.constant([size])], "zeros_shape", axis=0)
    return writer.op("Expand", [writer.real(0), shape], "zeros")
