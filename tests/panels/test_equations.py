"""The reference, the judge of the other two, against docs/equations.md written out for one sentence, step by step."""

from __future__ import annotations

import numpy as np
import pytest

MODELS = {
    f"{cell} {attention}": {"cell": cell, "attention": attention, "encoder_layers": 2, "decoder_layers": 2}
    for cell in ("gru", "lstm", "rnn")
    for attention in ("none", "additive", "dot", "general", "concat")
} | {
    "fed": {"attention": "general", "input_feeding": True, "bidirectional": False, "bridge": "copy"},
    "fed before": {"attention": "additive", "input_feeding": True, "attentional_layer": False, "bridge": "zero"},
    "deeper below": {"cell": "lstm", "encoder_layers": 3, "decoder_layers": 2},
    "deeper above": {"cell": "lstm", "encoder_layers": 1, "decoder_layers": 3},
    "tied": {"tie_target_output": True, "tie_source_target": True},
}


def sigma(x):
    return 1.0 / (1.0 + np.exp(-x))


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


class Equations:
    """One sentence through the model: every vector is one-dimensional, every loop is written out."""

    def __init__(self, config, parameters, masks):
        self.config, self.parameters, self.masks = config, parameters, masks

    def w(self, name):
        return self.parameters[name]

    def dropout(self, place, t, x):  # 14
        return x * self.masks[place][0, t] / (1.0 - self.config.dropout) if place in self.masks else x

    def cell(self, layer, x, state):  # 1 to 3
        weight, recurrent, bias = (self.w(f"{layer}.{name}") for name in ("weight_ih", "weight_hh", "bias_ih"))
        h = state[0]
        if self.config.cell == "rnn":
            return (np.tanh(weight @ x + recurrent @ h + bias),)
        if self.config.cell == "gru":
            w_r, w_z, w_n = np.split(weight, 3)
            u_r, u_z, u_n = np.split(recurrent, 3)
            b_r, b_z, b_n = np.split(bias, 3)
            d_r, d_z, d_n = np.split(self.w(f"{layer}.bias_hh"), 3)
            r = sigma(w_r @ x + b_r + u_r @ h + d_r)
            z = sigma(w_z @ x + b_z + u_z @ h + d_z)
            n = np.tanh(w_n @ x + b_n + r * (u_n @ h + d_n))
            return ((1.0 - z) * n + z * h,)
        w_i, w_f, w_g, w_o = np.split(weight, 4)
        u_i, u_f, u_g, u_o = np.split(recurrent, 4)
        b_i, b_f, b_g, b_o = np.split(bias, 4)
        i, f, o = (sigma(w @ x + u @ h + b) for w, u, b in ((w_i, u_i, b_i), (w_f, u_f, b_f), (w_o, u_o, b_o)))
        c = f * state[1] + i * np.tanh(w_g @ x + u_g @ h + b_g)
        return o * np.tanh(c), c

    def zeros(self, size):
        return (np.zeros(size),) * (2 if self.config.cell == "lstm" else 1)

    def encode(self, source):  # 4
        table = self.w("source_embedding.weight")
        below = [self.dropout("source_embedding", s, table[token]) for s, token in enumerate(source)]
        finals = []
        for layer in range(self.config.encoder_layers):
            below = [self.dropout(f"encoder.{layer}", s, x) if layer else x for s, x in enumerate(below)]
            outputs, final = {s: [] for s in range(len(below))}, []
            orders = {"forward_layers": range(len(below)), "backward_layers": reversed(range(len(below)))}
            for direction in list(orders)[: self.config.directions]:
                state = self.zeros(self.config.encoder_size)
                for s in orders[direction]:
                    state = self.cell(f"encoder.{direction}.{layer}", below[s], state)
                    outputs[s].append(state[0])
                final.append(state)
            below = [np.concatenate(outputs[s]) for s in range(len(below))]
            finals.append([np.concatenate(parts) for parts in zip(*final, strict=True)])
        return below, finals

    def bridge(self, finals):  # 5
        states = []
        for layer in range(self.config.decoder_layers):
            ends = finals[min(layer, len(finals) - 1)]
            if self.config.bridge == "zero":
                states.append(self.zeros(self.config.decoder_size))
            elif self.config.bridge == "copy":
                states.append(tuple(ends))
            else:
                names = [f"bridge.{part}.{layer}" for part in ("hidden", "cell")]
                pairs = zip(names, ends, strict=False)
                states.append(tuple(np.tanh(self.w(f"{n}.weight") @ end + self.w(f"{n}.bias")) for n, end in pairs))
        return states

    def score(self, q, m):  # 6 to 9
        kind, name = self.config.attention, "decoder.attention"
        if kind == "dot":
            return q @ m
        if kind == "general":
            return q @ (self.w(f"{name}.memory.weight") @ m)
        hidden = np.tanh(self.w(f"{name}.query.weight") @ q + self.w(f"{name}.memory.weight") @ m)
        return self.w(f"{name}.score.weight")[0] @ hidden

    def attend(self, q, memory):  # 10
        if self.config.attention == "none":
            return np.zeros(0), np.zeros(len(memory))
        weights = softmax(np.array([self.score(q, m) for m in memory]))
        return sum(weight * m for weight, m in zip(weights, memory, strict=True)), weights

    def translate(self, source, target):
        memory, finals = self.encode(source)
        states, fed = self.bridge(finals), np.zeros(self.config.feature_size)
        embeddings = {True: "source_embedding", False: "target_embedding"}
        table = self.w(embeddings[self.config.tie_source_target] + ".weight")
        matrix = table if self.config.tie_target_output else self.w("output_layer.weight")
        logits, attention = [], []
        for t, token in enumerate(target):
            x = [self.dropout("target_embedding", t, table[token])]  # 11
            if self.config.attention == "additive":
                context, weights = self.attend(states[-1][0], memory)
                x.append(context)
            if self.config.input_feeding:
                x.append(fed)
            x = np.concatenate(x)
            for layer in range(self.config.decoder_layers):  # 12
                x = self.dropout(f"decoder.{layer}", t, x) if layer else x
                states[layer] = self.cell(f"decoder.layers.{layer}", x, states[layer])
                x = states[layer][0]
            if self.config.attention != "additive":
                context, weights = self.attend(x, memory)
            features = np.concatenate([context, x])  # 13
            if self.config.attentional_layer:
                features = np.tanh(self.w("decoder.attentional.weight") @ features)
            fed = features
            logits.append(matrix @ self.dropout("output", t, features) + self.w("output_layer.bias"))  # 14
            attention.append(weights)
        return np.array(logits), np.array(attention)


@pytest.mark.parametrize("model", MODELS)
def test_the_reference_computes_what_the_equations_say(bench, close, model):
    config = bench.config(**MODELS[model])
    parameters, batch = bench.parameters(config), bench.batch((4, 1, 2), (3, 4, 1))
    masks = bench.masks(config, batch)
    for kept in ({}, masks):
        logits, attention = bench.forward("reference", bench.model("reference", config, parameters), batch, kept)
        for row, (read, said) in enumerate(zip(batch.source_lengths, batch.target_lengths, strict=True)):
            equations = Equations(config, parameters, {place: mask[[row]] for place, mask in kept.items()})
            expected = equations.translate(batch.source[row, :read], batch.target_input[row, :said])
            close(logits[row, :said], expected[0])
            close(attention[row, :said, :read], expected[1])
