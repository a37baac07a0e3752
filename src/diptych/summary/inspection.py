"""What one framework makes of a model, and the shape of what goes through it; runs in that framework's own process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from diptych.config import ModelConfig, Precision
from diptych.data.tokens.vocabulary import BOS
from diptych.panel import Panel

B, S, T = 2, 7, 5
"""The batch: so many sentences, source positions and target positions; the last sentence is two shorter in each."""
N = B * T - 2
"""The target tokens that are real, for which there is a loss."""


def inspect(panel: Panel, model: dict[str, Any], vocabularies: list[int], precision: Precision) -> dict[str, Any]:
    """Make a model and let a small batch through.

    Args:
        panel: a backend's module.
        model: the values of a `ModelConfig`.
        vocabularies: the source's and the target's size.
        precision: of training.

    Returns:
        `weights`: by the specification's name the variable's name, layer and shape, and, where it holds two weights,
        this one's `place` in it; `tensors`: name, axes by letter and shape in the order of computation; `versions`.
    """
    config = ModelConfig.model_validate(model)
    source_size, target_size = vocabularies
    made = panel.Model(config, source_size, target_size, precision)
    panel.load_parameters(made, {name: np.zeros(each.shape) for name, each in made.specification.items()})
    weights = {}
    for binding in panel.bindings(made):
        for place, parameter in enumerate(binding.parameters):
            weights[parameter.name] = {
                "name": binding.name,
                "layer": binding.layer,
                "shape": [int(size) for size in binding.variable.shape],
                "place": place if len(binding.parameters) > 1 else None,
            }
    tensors = [
        {"name": name, "axes": axes, "shape": [int(size) for size in tensor.shape]}
        for name, axes, tensor in _tensors(panel, made, vocabularies)
    ]
    return {"weights": weights, "tensors": tensors, "versions": panel.versions()}


def _tensors(panel: Panel, model: Any, vocabularies: list[int]) -> Iterator[tuple[str, str, Any]]:
    """Each tensor with its name and its axes: from a batch's tokens to its loss, and those of a decoding step."""
    config = model.config
    tokens = [np.arange(B * size, dtype=np.int32).reshape(B, size) for size in (S, T)]
    source_tokens, target_tokens = (
        4 + each % max(1, size - 4) for each, size in zip(tokens, vocabularies, strict=True)
    )
    target_tokens[:, 0] = BOS
    source, lengths, target = map(panel.to_tensor, (source_tokens, np.array([S, S - 2], np.int32), target_tokens))
    yield "source", "B S", source
    yield "source lengths", "B", lengths
    outputs = model.source_embedding(source)
    yield "source_embedding", "B S E", outputs
    outputs = model.with_factors(outputs)
    if config.factors:
        yield f"source_embedding, {config.factors} factors {config.factors_join}", "B S ·", outputs
    parts = _parts(config)
    for number in range(config.encoder_layers):
        ends = []
        for direction in ("forward", "backward")[: config.directions]:
            layer = getattr(model.encoder, f"{direction}_layers")[number]
            hidden, end = layer(outputs, lengths=lengths, reverse=direction == "backward")
            name = f"encoder.{direction}_layers.{number}"
            yield f"{name}: outputs", "B S H", hidden
            for part, tensor in zip(parts, end, strict=True):
                yield f"{name}: final {part}", "B H", tensor
            ends.append(panel.to_array(hidden))
        outputs = panel.to_tensor(np.concatenate(ends, axis=-1))
    memory, states = model.read(source, lengths)
    yield "memory (the encoder's outputs)", "B S M", memory
    for number, state in enumerate(states):
        for part, tensor in zip(parts, state, strict=True):
            yield f"encoder's final state, layer {number}: {part}", "B M", tensor
    for number, state in enumerate(model.bridge(states)):
        for part, tensor in zip(parts, state, strict=True):
            yield f"decoder's first state, layer {number}: {part}", "B H", tensor
    yield "target input", "B T", target
    yield "target_embedding", "B T E", model.embed_target(target)
    features, attention = model.features(source, lengths, target)
    yield "features (what the output layer sees)", "B T F", features
    if config.attention != "none":
        yield "attention's weights", "B T S", attention
    logits, _ = model(source, lengths, target)
    yield "logits", "B T V", logits
    real = np.flatnonzero(np.arange(T) < np.array([[T], [T - 2]]))
    seen = panel.select_positions(logits, panel.to_tensor(real))
    yield "logits of the real tokens", "N V", seen
    yield "loss (cross-entropy)", "", panel.cross_entropy(seen, panel.to_tensor(target_tokens.flat[real]))
    yield from _decoding_step(model, source, lengths, tokens=panel.to_tensor(target_tokens[:, 0]))


def _decoding_step(model: Any, source: Any, lengths: Any, tokens: Any) -> Iterator[tuple[str, str, Any]]:
    """What a search computes for one token a sentence: a step of the decoder, from its first state to its next."""
    config = model.config
    memory, state = model.encode(source, lengths)
    if config.attention != "none":
        yield "one step: keys (once a source)", "B S A", memory.keys
    yield "one step: tokens", "B", tokens
    embedded = model.embed_target(tokens)
    yield "one step: target_embedding", "B E", embedded
    features, attention, state = model.decoder.step(embedded, state, source=memory, masks={})
    if config.attention != "none":
        yield "one step: attention's weights", "B S", attention
    yield "one step: features", "B F", features
    for number, layer in enumerate(state.layers):
        for part, tensor in zip(_parts(config), layer, strict=True):
            yield f"one step: next state, layer {number}: {part}", "B H", tensor
    if config.input_feeding:
        yield "one step: features fed to the next", "B F", state.fed
    yield "one step: logits", "B V", model.project(features)


def _parts(config: ModelConfig) -> tuple[str, ...]:
    """What a state consists of."""
    return ("hidden", "cell") if config.cell == "lstm" else ("hidden",)
