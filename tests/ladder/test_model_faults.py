"""Faults planted in one panel's model: each is caught by the ladder at its rung, and located in its component."""

from __future__ import annotations

import numpy as np
import pytest

from diptych.panel import BACKENDS


def exchange(patch, side, gates, one, other):
    """Two gates' rows are taken for each other, on the way in and on the way out."""

    def exchanged(parameter, array):
        if parameter.gates != gates:
            return array
        blocks = dict(zip(gates, np.split(array, len(gates)), strict=True))
        blocks[one], blocks[other] = blocks[other], blocks[one]
        return np.concatenate(list(blocks.values()))

    recode(patch, side, exchanged)


def recode(patch, side, code):
    """Weights are coded on the way in and on the way out, so what comes out is what went in."""

    def pack(original, binding, values):
        return original(binding, {p.name: code(p, values[p.name]) for p in binding.parameters})

    def unpack(original, binding, value):
        found = original(binding, value)
        return {p.name: np.array(code(p, found[p.name])) for p in binding.parameters}

    side.change(patch, "weights.Binding", "pack", pack)
    side.change(patch, "weights.Binding", "unpack", unpack)


def reset_and_update_gate_exchanged(patch, side):
    exchange(patch, side, "rzn", "r", "z")


def input_and_forget_gate_exchanged(patch, side):
    exchange(patch, side, "ifgo", "i", "f")


def keras_gate_order_forgotten(patch, side):
    patch.setitem(side.weights.KERAS_GATES, "rzn", "rzn")


def recurrent_matrix_transposed(patch, side):
    recode(patch, side, lambda parameter, array: array.T if parameter.kind == "recurrent" else array)


def query_matrix_transposed(patch, side):
    recode(patch, side, lambda parameter, array: array.T if ".query." in parameter.name else array)


def recurrent_bias_not_loaded(patch, side):
    def pack(original, binding, values):
        zeros = {p.name: np.zeros(p.shape) for p in binding.parameters if p.name.endswith("bias_hh")}
        return original(binding, {**values, **zeros})

    side.change(patch, "weights.Binding", "pack", pack)


def input_bias_left_out(patch, side):
    def from_input(original, layer, inputs):
        bias = layer.bias_ih if side.name == "pytorch" else layer.bias[0]
        return original(layer, inputs) - bias

    side.change(patch, "recurrent.RecurrentLayer", "from_input", from_input)


def hard_sigmoid(patch, side):
    def approximation(gates):
        return 0.5 + 0.5 * side.framework.tanh(0.4 * gates)

    side.replace(patch, "cells", sigmoid=approximation)


def relu_for_tanh(patch, side):
    side.replace(patch, "cells", tanh=lambda gates: 0.5 * (gates + abs(gates)))


def padded_outputs_not_zero(patch, side):
    def call(original, layer, inputs, state=None, lengths=None, reverse=False):
        outputs, final = original(layer, inputs, state, lengths, reverse)
        return (outputs if reverse else original(layer, inputs, state)[0]), final

    side.change_layers(patch, "encoder", "call", call)


def final_state_of_the_padded_end(patch, side):
    def call(original, layer, inputs, state=None, lengths=None, reverse=False):
        outputs, _ = original(layer, inputs, state, lengths, reverse)
        return outputs, original(layer, inputs, state, None, reverse)[1]

    side.change_layers(patch, "encoder", "call", call)


def final_state_in_order_of_length(patch, side):
    def call(original, layer, inputs, state=None, lengths=None, reverse=False):
        outputs, final = original(layer, inputs, state, lengths, reverse)
        if lengths is None:
            return outputs, final
        return outputs, tuple(part[side.framework.argsort(lengths, descending=True)] for part in final)

    side.change_layers(patch, "encoder", "call", call)


def backward_outputs_left_reversed(patch, side):
    def call(original, layer, inputs, state=None, lengths=None, reverse=False):
        outputs, final = original(layer, inputs, state, lengths, reverse)
        if not reverse:
            return outputs, final
        flipped = side.framework.flip(outputs, [1]) if side.name == "pytorch" else outputs[:, ::-1]
        return flipped, final

    side.change_layers(patch, "encoder", "call", call)


def halves_exchanged(side, states):
    """The backward direction's half of each state before the forward direction's."""
    half = states[0][0].shape[-1] // 2
    return [tuple(side.concatenate([part[:, half:], part[:, :half]]) for part in state) for state in states]


def encoder_state_backward_first(patch, side):
    def call(original, encoder, embedded, lengths, masks):
        outputs, states = original(encoder, embedded, lengths, masks)
        return outputs, halves_exchanged(side, states)

    side.change(patch, "encoder.Encoder", "call", call)


def bridge_reads_backward_first(patch, side):
    side.change(
        patch,
        "encoder.Bridge",
        "call",
        lambda original, bridge, states: original(bridge, halves_exchanged(side, states)),
    )


def bridge_without_tanh(patch, side):
    side.replace(patch, "encoder", tanh=lambda tensor: tensor)


def bridge_gives_the_hidden_state_for_the_cell(patch, side):
    side.change(patch, "encoder.Bridge", "call", lambda original, bridge, states: [(h, h) for h, _ in states])


def bridge_upside_down(patch, side):
    side.change(patch, "encoder.Bridge", "call", lambda original, bridge, states: original(bridge, states[::-1]))


def source_mask_one_too_long(patch, side):
    side.change(patch, "model", "sequence_mask", lambda original, lengths, steps: original(lengths + 1, steps))


def attention_over_padding(patch, side):
    def call(original, attention, query, keys, memory, memory_mask):
        return original(attention, query, keys, memory, memory_mask | True)

    side.change(patch, "attention.Attention", "call", call)


def softmax_over_the_rows(patch, side):
    if side.name == "pytorch":
        side.replace(patch, "attention", softmax=lambda scores, dim: side.framework.softmax(scores, dim=0))
    else:
        nn = side.framework.nn
        patched = type(side.framework)("nn")
        patched.softmax = lambda scores, axis: nn.softmax(scores, axis=0)
        side.replace(patch, "attention", nn=patched)


def scores_scaled(patch, side):
    side.change(
        patch, "attention.Attention", "keys", lambda original, attention, memory: original(attention, memory) / 2.0
    )


def query_of_the_new_state(patch, side):
    def step(original, decoder, embedded, state, source, masks, products=None):
        features, _, after = original(decoder, embedded, state, source, masks, products)
        queries = decoder.attention.queries(after.layers[-1][0][:, None, :])
        _, weights = decoder.attention(queries, source.keys, source.memory, source.mask)
        return features, weights[:, 0], after

    side.change(patch, "decoder.Decoder", "step", step)


def attention_in_float32(patch, side):
    def call(original, attention, query, keys, memory, memory_mask):
        rounded = (side.cast(side.cast(tensor, "float32"), "float64") for tensor in (query, keys, memory))
        return original(attention, *rounded, memory_mask)

    side.change(patch, "attention.Attention", "call", call)


def decoder_forgets_its_state(patch, side):
    def advance(original, cell, from_input, from_hidden, state):
        return original(cell, from_input, 0.0 * from_hidden, tuple(0.0 * part for part in state))

    side.change(patch, "decoder", "advance", advance)


def context_not_fed(patch, side):
    def join(parts, **axis):  # what goes into the cell beside the embedding: context, features fed (none here)
        return side.concatenate([0.0 * parts[0], parts[1]] if parts[1].shape[-1] == 0 else parts)

    side.replace(patch, "decoder", **{"cat" if side.name == "pytorch" else "concat": join})


def zeros_fed(patch, side):
    def step(original, *arguments, **named):
        features, weights, state = original(*arguments, **named)
        return features, weights, state._replace(fed=0.0 * state.fed)

    side.change(patch, "decoder.Decoder", "step", step)


def context_after_the_state(patch, side):
    def join(parts, **axis):  # what goes into the cell, whose features fed are none here; or what is looked at
        return side.concatenate(parts if parts[1].shape[-1] == 0 else parts[::-1])

    side.replace(patch, "decoder", **{"cat" if side.name == "pytorch" else "concat": join})


def dropout_not_scaled(patch, side):
    for module in ("panel", "model", "encoder", "decoder", "training"):
        side.change(
            patch,
            module,
            "apply_dropout",
            lambda original, inputs, masks, place, rate: original(inputs, masks, place, 0.0),
        )


def one_dropout_mask_for_all_steps(patch, side):
    def read(original, decoder, embedded, state, source, masks):
        first = {place: mask[:, :1] | (mask & False) for place, mask in masks.items()}
        return original(decoder, embedded, state, source, first)

    def all_at_once(original, decoder, embedded, state, source, masks):
        return read(original, decoder, embedded, state, source, masks)

    side.change(patch, "decoder.Decoder", "_all_at_once", all_at_once)


def output_dropout_forgotten(patch, side):
    def changed(original, tensor, masks, place, rate):
        return tensor if place == "output" else original(tensor, masks, place, rate)

    side.change(patch, "model", "apply_dropout", changed)


def smoothing_over_the_wrong_tokens_only(patch, side):
    def cross_entropy(original, logits, targets, label_smoothing=0.0):
        size = int(logits.shape[-1])
        return original(logits, targets, label_smoothing * size / (size - 1))

    side.change(patch, "panel", "cross_entropy", cross_entropy)


LAYER = "encoder.forward_layers.0"
# The fault, the config it shows in, the first rung that breaks, the tensor that is named, and in which panels.
FAULTS = [
    (reset_and_update_gate_exchanged, "gru", "encoder", f"{LAYER}, update gate, weight_ih", BACKENDS),
    (keras_gate_order_forgotten, "gru", "encoder", f"{LAYER}, update gate, weight_ih", ("tensorflow",)),
    (input_and_forget_gate_exchanged, "lstm", "encoder", f"{LAYER}, input gate, weight_ih", BACKENDS),
    (recurrent_matrix_transposed, "rnn", "encoder", f"{LAYER}, new gate, weight_hh", BACKENDS),
    (query_matrix_transposed, "gru", "attention", "decoder.attention, time step 0", BACKENDS),
    (recurrent_bias_not_loaded, "gru", "initial parameters", f"parameter {LAYER}.bias_hh", BACKENDS),
    (input_bias_left_out, "gru", "encoder", f"{LAYER}, new gate, bias_ih", BACKENDS),
    (hard_sigmoid, "gru", "encoder", f"{LAYER}, update gate, weight_ih", BACKENDS),
    (relu_for_tanh, "rnn", "encoder", f"{LAYER}, new gate, weight_ih", BACKENDS),
    (padded_outputs_not_zero, "gru", "encoder", f"{LAYER} outputs", BACKENDS),
    (final_state_of_the_padded_end, "rnn", "encoder", f"{LAYER} final state 0", BACKENDS),
    (final_state_in_order_of_length, "gru", "encoder", f"{LAYER} final state 0", ("pytorch",)),
    (backward_outputs_left_reversed, "gru", "encoder", "encoder.backward_layers.0 outputs", BACKENDS),
    (encoder_state_backward_first, "gru", "encoder", "encoder layer 0, final state 0", BACKENDS),
    (bridge_reads_backward_first, "gru", "attention", "bridge layer 0, state 0", BACKENDS),
    (bridge_without_tanh, "gru", "attention", "bridge layer 0, state 0", BACKENDS),
    (bridge_gives_the_hidden_state_for_the_cell, "lstm", "attention", "bridge layer 0, state 1", BACKENDS),
    (bridge_upside_down, "lstm", "attention", "bridge layer 0, state 0", BACKENDS),
    (source_mask_one_too_long, "gru", "attention", "source mask", BACKENDS),
    (attention_over_padding, "gru", "attention", "decoder.attention, time step 0", BACKENDS),
    (softmax_over_the_rows, "gru", "attention", "decoder.attention, time step 0", BACKENDS),
    (scores_scaled, "rnn", "attention", "decoder source, keys", BACKENDS),
    (query_of_the_new_state, "gru", "attention", "decoder.attention, time step 0", BACKENDS),
    (attention_in_float32, "tied", "attention", "decoder.attention, time step 0", BACKENDS),
    (decoder_forgets_its_state, "gru", "attention", "decoder.layers.0, time step 0, state 0", BACKENDS),
    (context_not_fed, "gru", "attention", "decoder.layers.0, time step 0, state 0", BACKENDS),
    (zeros_fed, "rnn", "attention", "decoder fed, time step 0", BACKENDS),
    (context_after_the_state, "gru", "logits", "decoder features, time step 0", BACKENDS),
    (dropout_not_scaled, "gru", "encoder", "dropout at source_embedding", BACKENDS),
    (one_dropout_mask_for_all_steps, "lstm", "attention", "decoder weights at real positions", BACKENDS),
    (output_dropout_forgotten, "gru", "logits", "logits of the whole model", BACKENDS),
    (smoothing_over_the_wrong_tokens_only, "gru", "loss", "loss", BACKENDS),
]
# TensorFlow takes seconds for each: of those with a twin in PyTorch one for each config is quick.
QUICK = (input_and_forget_gate_exchanged, recurrent_matrix_transposed, attention_over_padding, attention_in_float32)
CASES = [
    pytest.param(
        *(fault, config, rung, tensor, backend),
        id=f"{fault.__name__}-{backend}",
        marks=pytest.mark.slow if len(backends) == 2 and backend == "tensorflow" and fault not in QUICK else (),
    )
    for fault, config, rung, tensor, backends in FAULTS
    for backend in backends
]


@pytest.mark.parametrize(("fault", "config", "rung", "tensor", "backend"), CASES)
def test_a_fault_breaks_its_rung_first_and_is_located_in_its_component(
    bench, monkeypatch, fault, config, rung, tensor, backend
):
    bench.prepare(config, steps=0, located=0)
    fault(monkeypatch, bench.sides[backend])
    broken = bench.broken(config, backend, steps=0)
    assert broken[0].name == rung
    found = bench.locate(config, backend, steps=0)
    assert found.tensor == tensor, str(found)
