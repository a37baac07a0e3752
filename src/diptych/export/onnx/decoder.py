"""One step of the decoder (docs/equations.md, 1 to 3 and 6 to 13): a product for each matrix, states in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from diptych.config import ModelConfig
from diptych.export.onnx import names
from diptych.export.onnx.encoder import memory_values, rename
from diptych.export.onnx.products import ModelWriter
from diptych.onnx import message
from diptych.onnx.message import Message
from diptych.onnx.writer import model


def decoder_file(writer: ModelWriter, config: ModelConfig, vocabulary_size: int) -> Message:
    """decoder_model.onnx, see `diptych.export.onnx.names`."""
    dtype, states = writer.dtype.name, names.state_names(config)
    given = {name: name for name in names.memory_names(config)} | {name: names.past(name) for name in states}
    features, attention, after = write_step(writer, config, tokens=names.IDS, given=given)
    logits = write_logits(writer, config, features)
    made = {
        names.LOG_PROBABILITIES: writer.op("LogSoftmax", [logits], "log_softmax", axis=-1),
        names.FEATURES: features,
    }
    outputs = [message.value(names.LOG_PROBABILITIES, dtype, ["batch", vocabulary_size])]
    outputs.append(message.value(names.FEATURES, dtype, ["batch", config.feature_size]))
    if attention:
        made[names.ATTENTION] = attention
        outputs.append(message.value(names.ATTENTION, dtype, ["batch", "source"]))
    rename(writer, made | {names.present(name): after[name] for name in states})

    def values(name_of: Any) -> list[Message]:
        return [message.value(name_of(name), dtype, ["batch", names.state_size(config, name)]) for name in states]

    inputs = [message.value(names.IDS, "int64", ["batch"]), *memory_values(config, dtype), *values(names.past)]
    return model(writer.graph_of("decoder", inputs, [*outputs, *values(names.present)]))


def write_step(
    writer: ModelWriter, config: ModelConfig, tokens: str, given: Mapping[str, str]
) -> tuple[str, str, dict[str, str]]:
    """Read one target token.

    Args:
        writer: of the graph.
        config: the model's.
        tokens: (N,) the tensor of the token ids.
        given: the tensors of the memory and of the state before the step, see `memory_names` and `state_names`.

    Returns:
        The tensors of the features (N, F) and of the attention's weights (N, S), "" without attention, and those of the
        state after the step.
    """
    embedded, fed = writer.embedded(tokens, _table(config)), [given[names.FED]] if config.input_feeding else []
    seen, weights = [embedded], ""
    last = f"{config.decoder_layers - 1}.hidden"
    context: list[str] = []
    if config.attends_first:  # the query is the state before this step
        found, weights = _attend(writer, config, state=given[last], given=given)
        seen.append(found)
        context = [found]
    seen += fed
    output = writer.op("Concat", seen, "decoder.input", axis=-1) if len(seen) > 1 else embedded
    after: dict[str, str] = {}
    for layer in range(config.decoder_layers):
        parts = [name for name in names.state_names(config) if name.startswith(f"{layer}.")]
        states = _recurrent_step(
            writer, config, name=f"decoder.layers.{layer}", x=output, state=[given[name] for name in parts]
        )
        after |= dict(zip(parts, states))
        output = states[0]
    if config.attention != "none" and not config.attends_first:  # the query is the state after this step
        found, weights = _attend(writer, config, state=output, given=given)
        context = [found]
    features = writer.op("Concat", [*context, output], "seen", axis=-1) if context else output
    if config.attentional_layer:
        features = writer.op("Tanh", [writer.product(features, "decoder.attentional.weight")], "attentional")
    if config.input_feeding:
        after[names.FED] = features
    return features, weights, after


def write_logits(writer: ModelWriter, config: ModelConfig, features: str) -> str:
    """The tensor of the logits (N, V) of features (N, F)."""
    return writer.product(features, output_weight(config), "output_layer.bias")


def output_weight(config: ModelConfig) -> str:
    """The name of the output layer's matrix."""
    return _table(config) if config.tie_target_output else "output_layer.weight"


def _table(config: ModelConfig) -> str:
    return "source_embedding.weight" if config.tie_source_target else "target_embedding.weight"


def _recurrent_step(writer: ModelWriter, config: ModelConfig, name: str, x: str, state: list[str]) -> list[str]:
    """One layer's state after a step, from its input (N, I) and the state before."""
    op, hidden = writer.op, state[0]
    from_input = writer.product(x, f"{name}.weight_ih", f"{name}.bias_ih")
    if config.cell == "gru":
        from_hidden = writer.product(hidden, f"{name}.weight_hh", f"{name}.bias_hh")
        size = config.decoder_size
        sizes = writer.constant([2 * size, size])
        gates_input, new_input = writer.ops("Split", [from_input, sizes], [f"{name}.in_gates", f"{name}.in_n"], axis=-1)
        gates_hidden, new_hidden = writer.ops(
            "Split", [from_hidden, sizes], [f"{name}.hidden_gates", f"{name}.hidden_n"], axis=-1
        )
        gates = op("Sigmoid", [op("Add", [gates_input, gates_hidden], f"{name}.gates")], f"{name}.open")
        reset, update = writer.ops("Split", [gates, writer.constant([size, size])], [f"{name}.r", f"{name}.z"], axis=-1)
        new = op(
            "Tanh", [op("Add", [new_input, op("Mul", [reset, new_hidden], f"{name}.rn")], f"{name}.n")], f"{name}.new"
        )
        # n + z * (h - n) is (1 - z) * n + z * h
        rest = op("Mul", [update, op("Sub", [hidden, new], f"{name}.difference")], f"{name}.kept")
        return [op("Add", [new, rest], f"{name}.h")]
    total = op("Add", [from_input, writer.product(hidden, f"{name}.weight_hh")], f"{name}.gates")
    if config.cell == "rnn":
        return [op("Tanh", [total], f"{name}.h")]
    wanted = [f"{name}.{gate}" for gate in "ifgo"]
    i, f, g, o = writer.ops("Split", [total, writer.constant([config.decoder_size] * 4)], wanted, axis=-1)
    kept = op("Mul", [op("Sigmoid", [f], f"{name}.forget"), state[1]], f"{name}.kept")
    added = op("Mul", [op("Sigmoid", [i], f"{name}.let_in"), op("Tanh", [g], f"{name}.candidate")], f"{name}.added")
    cell = op("Add", [kept, added], f"{name}.c")
    return [op("Mul", [op("Sigmoid", [o], f"{name}.let_out"), op("Tanh", [cell], f"{name}.shown")], f"{name}.h"), cell]


def _attend(writer: ModelWriter, config: ModelConfig, state: str, given: Mapping[str, str]) -> tuple[str, str]:
    """The context (N, M) and the weights (N, S) of a state (N, H)."""
    op, one = writer.op, writer.constant([1])
    keys, values, mask = (given[name] for name in (names.KEYS, names.VALUES, names.MASK))
    if config.has_score_layer:
        query = op("Unsqueeze", [writer.product(state, "decoder.attention.query.weight"), one], "query")
        hidden = op("Tanh", [op("Add", [query, keys], "attention.sum")], "attention.hidden")  # (N, S, A)
        weight = writer.weight("decoder.attention.score", writer.weights["decoder.attention.score.weight"].T)
        scores = op("Squeeze", [op("MatMul", [hidden, weight], "scores"), writer.constant([2])], "attention.scores")
    else:
        product = op("MatMul", [op("Unsqueeze", [state, one], "query"), keys], "scores")  # (N, 1, S)
        scores = op("Squeeze", [product, one], "attention.scores")
    allowed = op("Where", [mask, scores, writer.real(-np.inf)], "attention.allowed")
    weights = op("Softmax", [allowed], "attention.weights", axis=-1)
    looked = op("MatMul", [op("Unsqueeze", [weights, one], "attention.row"), values], "attention.looked")
    return op("Squeeze", [looked, one], "context"), weights
