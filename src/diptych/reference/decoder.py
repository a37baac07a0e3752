"""The decoder: all steps at once where the attention allows it, else step by step (docs/equations.md, 11 to 13)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy import ndarray

from diptych.config import ModelConfig
from diptych.reference.attention import Attention, Dense
from diptych.reference.recurrent import RecurrentLayer, State, apply_dropout


class Source(NamedTuple):
    """What the decoder sees of the source, the same at each step.

    Attributes:
        memory: (B, S, M) the encoder's outputs.
        keys: (B, S, A) what the attention's scores need of the memory; the memory itself without attention.
        mask: (B, S) True at real tokens.
    """

    memory: ndarray
    keys: ndarray
    mask: ndarray


class DecoderState(NamedTuple):
    """What the decoder carries from one step to the next.

    Attributes:
        layers: each layer's recurrent state.
        fed: (B, F) the features of the step before, for input feeding; (B, 0) without it.
    """

    layers: tuple[State, ...]
    fed: ndarray


class Decoder:
    """A stack of recurrent layers over the target, with attention and an optional attentional layer."""

    def __init__(self, config: ModelConfig) -> None:
        """Make the layers, the attention and the attentional layer that the config names."""
        self.config = config
        sizes = [config.decoder_input_size] + [config.decoder_size] * (config.decoder_layers - 1)
        self.layers = [RecurrentLayer(config.cell, size, config.decoder_size) for size in sizes]
        self.attention = Attention(config)
        if config.attentional_layer:
            self.attentional = Dense(config.context_size + config.decoder_size, config.feature_size)

    def source(self, memory: ndarray, mask: ndarray) -> Source:
        """Prepare a memory (B, S, M) with its mask (B, S) for any number of steps."""
        return Source(memory, memory if self.config.attention == "none" else self.attention.keys(memory), mask)

    def first_state(self, states: list[State]) -> DecoderState:
        """The state before the first step: the bridge's states, and zeros fed."""
        size = self.config.feature_size if self.config.input_feeding else 0
        return DecoderState(tuple(states), np.zeros((states[0][0].shape[0], size)))

    def __call__(
        self, embedded: ndarray, state: DecoderState, source: Source, masks: dict[str, ndarray]
    ) -> tuple[ndarray, ndarray]:
        """Read a whole target (teacher forcing).

        Args:
            embedded: (B, T, E) embedded target inputs.
            state: from `first_state`.
            source: from `source`.
            masks: dropout masks by place; none: no dropout.

        Returns:
            The features (B, T, F) that the output layer sees and the attention's weights (B, T, S).
        """
        if self.config.attends_first or self.config.input_feeding:
            return self._step_by_step(embedded, state, source=source, masks=masks)
        return self._all_at_once(embedded, state, source=source, masks=masks)

    def step(
        self, embedded: ndarray, state: DecoderState, source: Source, masks: dict[str, ndarray]
    ) -> tuple[ndarray, ndarray, DecoderState]:
        """Read one target token.

        Args:
            embedded: (B, E) the embedded token.
            state: from `first_state`, or after the step before.
            source: from `source`.
            masks: dropout masks (B, H) by place; none: no dropout.

        Returns:
            The features (B, F), the attention's weights (B, S) and the next state.
        """
        output, layers = np.concatenate([embedded, state.fed], axis=-1), []
        if self.config.attends_first:  # the query is the state before this step
            context, weights = self._attend_once(state.layers[-1][0], source)
            output = np.concatenate([embedded, context, state.fed], axis=-1)
        for i, layer in enumerate(self.layers):
            inputs = apply_dropout(output, masks, place=f"decoder.{i}", rate=self.config.dropout)
            output, layer_state = layer.step(inputs, state.layers[i])
            layers.append(layer_state)
        if not self.config.attends_first:  # the query is the state after this step
            context, weights = self._attend_once(output, source)
        features = self._features(np.concatenate([context, output], axis=-1))
        fed = features if self.config.input_feeding else state.fed
        return features, weights, DecoderState(tuple(layers), fed)

    def _all_at_once(
        self, embedded: ndarray, state: DecoderState, source: Source, masks: dict[str, ndarray]
    ) -> tuple[ndarray, ndarray]:
        outputs = embedded
        for layer in range(self.config.decoder_layers):
            outputs = apply_dropout(outputs, masks, place=f"decoder.{layer}", rate=self.config.dropout)
            outputs, _ = self.layers[layer](outputs, state.layers[layer])
        context, weights = self._attend(self.attention.queries(outputs), source)
        return self._features(np.concatenate([context, outputs], axis=-1)), weights

    def _step_by_step(
        self, embedded: ndarray, state: DecoderState, source: Source, masks: dict[str, ndarray]
    ) -> tuple[ndarray, ndarray]:
        inner = {place: mask for place, mask in masks.items() if place.startswith("decoder.")}
        all_features, all_weights = [], []
        for t in range(embedded.shape[1]):
            # A mask that all positions share is repeated.
            masks_now = {place: mask[:, t if mask.shape[1] > 1 else 0] for place, mask in inner.items()}
            features, weights, state = self.step(embedded[:, t], state, source, masks=masks_now)
            all_features.append(features)
            all_weights.append(weights)
        return np.stack(all_features, axis=1), np.stack(all_weights, axis=1)

    def _attend(self, queries: ndarray, source: Source) -> tuple[ndarray, ndarray]:
        """Context (B, Q, M) and weights (B, Q, S) of queries (B, Q, A); without attention (B, Q, 0) and zeros."""
        if self.config.attention != "none":
            return self.attention(queries, source.keys, source.memory, source.mask)
        rows, steps = queries.shape[:2]
        return np.zeros((rows, steps, 0)), np.zeros((rows, steps, source.memory.shape[1]))

    def _attend_once(self, state: ndarray, source: Source) -> tuple[ndarray, ndarray]:
        """Context (B, M) and weights (B, S) of one state a row (B, H)."""
        context, weights = self._attend(self.attention.queries(state[:, None, :]), source)
        return context[:, 0], weights[:, 0]

    def _features(self, seen: ndarray) -> ndarray:
        """What the output layer sees (..., F) of contexts and states (..., M + H): the attentional layer's, if any."""
        return np.tanh(self.attentional(seen)) if self.config.attentional_layer else seen
