"""The encoder, and the bridge from its final states to the decoder's first (docs/equations.md, 4 and 5)."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from diptych.config import ModelConfig
from diptych.reference.attention import Dense
from diptych.reference.recurrent import RecurrentLayer, State, apply_dropout


class Encoder:
    """A stack of recurrent layers over the source, each in one direction or in both."""

    def __init__(self, config: ModelConfig) -> None:
        """Make the layers; a layer after the first reads the outputs of the one below, both directions together."""
        self.config = config
        sizes = [config.encoder_input_size] + [config.memory_size] * (config.encoder_layers - 1)
        self.forward_layers = [RecurrentLayer(config.cell, size, config.encoder_size) for size in sizes]
        if config.bidirectional:
            self.backward_layers = [RecurrentLayer(config.cell, size, config.encoder_size) for size in sizes]

    def __call__(self, embedded: ndarray, lengths: ndarray, masks: dict[str, ndarray]) -> tuple[ndarray, list[State]]:
        """Read the source.

        Args:
            embedded: (B, S, E) embedded source tokens.
            lengths: (B,) real tokens of each row, at least 1.
            masks: dropout masks by place; none: no dropout.

        Returns:
            The memory (B, S, M), zeros at padding, and each layer's final state (B, M), forward then backward.
        """
        outputs, states = embedded, []
        for layer in range(self.config.encoder_layers):
            inputs = apply_dropout(outputs, masks, place=f"encoder.{layer}", rate=self.config.dropout)
            outputs, state = self.forward_layers[layer](inputs, lengths=lengths)
            if self.config.bidirectional:
                backward, backward_state = self.backward_layers[layer](inputs, lengths=lengths, reverse=True)
                outputs = np.concatenate([outputs, backward], axis=-1)
                state = tuple(np.concatenate(pair, axis=-1) for pair in zip(state, backward_state, strict=True))
            states.append(state)
        return outputs, states


class Bridge:
    """The decoder's first states: zeros, the encoder's final states, or a dense tanh layer of them."""

    def __init__(self, config: ModelConfig) -> None:
        """Make one dense layer per decoder layer and part of the state, if the config says dense."""
        self.config = config
        if config.bridge == "dense":
            self.hidden = [self._dense() for _ in range(config.decoder_layers)]
            if config.cell == "lstm":
                self.cell = [self._dense() for _ in range(config.decoder_layers)]

    def __call__(self, states: list[State]) -> list[State]:
        """The encoder's final states, one per encoder layer, give the decoder's first, one per decoder layer."""
        if self.config.bridge == "copy":
            return states
        first = []
        for layer in range(self.config.decoder_layers):
            state = states[min(layer, len(states) - 1)]
            if self.config.bridge == "zero":
                zeros = np.zeros((state[0].shape[0], self.config.decoder_size))
                first.append(tuple(zeros for _ in state))
            else:
                dense = (self.hidden[layer], self.cell[layer]) if len(state) == 2 else (self.hidden[layer],)
                first.append(tuple(np.tanh(dense[i](part)) for i, part in enumerate(state)))
        return first

    def _dense(self) -> Dense:
        return Dense(self.config.memory_size, self.config.decoder_size, bias=True)
