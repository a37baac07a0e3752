"""The name, shape and meaning of every weight of a model, from its `ModelConfig`.

Weights are in PyTorch's orientation: a matrix has one row per output. A recurrent layer's gates are stacked along the
rows: r, z, n for a GRU (reset, update, new), i, f, g, o for an LSTM (input, forget, candidate, output). A GRU is of
the reset-after form and has an input and a recurrent bias; LSTM and plain RNN have one bias. See docs/equations.md.

Letters: Vs and Vt the source's and target's vocabulary sizes, E embedding, H a recurrent layer's size, M memory (the
encoder's outputs), A attention, F features (what the output layer sees).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from diptych.config import Cell, ModelConfig

GATES: dict[Cell, str] = {"gru": "rzn", "lstm": "ifgo", "rnn": "n"}
"""The gates of each cell, in the order in which their rows are stacked."""

Kind = Literal["embedding", "input", "recurrent", "bias", "dense"]


@dataclass(frozen=True)
class Parameter:
    """One weight: its name, its shape, what kind of weight it is, and the gates stacked in its rows ("" if none)."""

    name: str
    shape: tuple[int, ...]
    kind: Kind
    gates: str = ""


def specification(
    config: ModelConfig, source_vocabulary_size: int, target_vocabulary_size: int
) -> dict[str, Parameter]:
    """Every weight of the model by name, in a fixed order: embeddings, encoder, bridge, decoder, output."""
    parameters: dict[str, Parameter] = {}

    def add(name: str, shape: tuple[int, ...], kind: Kind, gates: str = "") -> None:
        parameters[name] = Parameter(name, shape, kind=kind, gates=gates)

    def add_recurrent(name: str, input_size: int, size: int) -> None:
        gates = GATES[config.cell]
        rows = len(gates) * size
        add(f"{name}.weight_ih", (rows, input_size), kind="input", gates=gates)
        add(f"{name}.weight_hh", (rows, size), kind="recurrent", gates=gates)
        add(f"{name}.bias_ih", (rows,), kind="bias", gates=gates)
        if config.cell == "gru":
            add(f"{name}.bias_hh", (rows,), kind="bias", gates=gates)

    add("source_embedding.weight", (source_vocabulary_size, config.embedding_size), "embedding")
    if not config.tie_source_target:
        add("target_embedding.weight", (target_vocabulary_size, config.embedding_size), "embedding")

    for layer in range(config.encoder_layers):
        input_size = config.encoder_input_size if layer == 0 else config.memory_size
        add_recurrent(f"encoder.forward_layers.{layer}", input_size, config.encoder_size)
        if config.bidirectional:
            add_recurrent(f"encoder.backward_layers.{layer}", input_size, config.encoder_size)

    if config.bridge == "dense":
        for layer in range(config.decoder_layers):
            for part in ("hidden", "cell") if config.cell == "lstm" else ("hidden",):
                add(f"bridge.{part}.{layer}.weight", (config.decoder_size, config.memory_size), "dense")
                add(f"bridge.{part}.{layer}.bias", (config.decoder_size,), "bias")

    for layer in range(config.decoder_layers):
        input_size = config.decoder_input_size if layer == 0 else config.decoder_size
        add_recurrent(f"decoder.layers.{layer}", input_size, config.decoder_size)
    if config.has_score_layer:
        add("decoder.attention.query.weight", (config.score_size, config.decoder_size), "dense")
        add("decoder.attention.memory.weight", (config.score_size, config.memory_size), "dense")
        add("decoder.attention.score.weight", (1, config.score_size), "dense")
    elif config.attention == "general":
        add("decoder.attention.memory.weight", (config.decoder_size, config.memory_size), "dense")
    if config.attentional_layer:
        seen = config.context_size + config.decoder_size
        add("decoder.attentional.weight", (config.feature_size, seen), "dense")

    if not config.tie_target_output:
        add("output_layer.weight", (target_vocabulary_size, config.feature_size), "dense")
    add("output_layer.bias", (target_vocabulary_size,), "bias")
    if config.copies:
        add("copy_gate.weight", (1, config.feature_size), "dense")
        add("copy_gate.bias", (1,), "bias")
    return parameters


def dropout_shapes(config: ModelConfig, batch: int, source: int, target: int) -> dict[str, tuple[int, ...]]:
    """The shapes of the dropout masks of one batch of B rows, S source and T target positions, by place.

    Places: both embeddings, the input of each recurrent layer but the first, and the output layer's input. In
    variational dropout all positions share a mask: S and T are 1.
    """
    if config.variational_dropout:
        source = target = 1
    shapes: dict[str, tuple[int, ...]] = {"source_embedding": (batch, source, config.embedding_size)}
    for layer in range(1, config.encoder_layers):
        shapes[f"encoder.{layer}"] = (batch, source, config.memory_size)
    shapes["target_embedding"] = (batch, target, config.embedding_size)
    for layer in range(1, config.decoder_layers):
        shapes[f"decoder.{layer}"] = (batch, target, config.decoder_size)
    shapes["output"] = (batch, target, config.feature_size)
    return shapes
