"""One decoding step at a time: what `diptych.search` drives. States go in and come out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy import ndarray

from diptych.reference.decoder import DecoderState, Source
from diptych.reference.model import Model


class SearchState(NamedTuple):
    """Everything the next step depends on, one row per hypothesis."""

    source: Source
    decoder: DecoderState


class Stepper:
    """Drives a model one target token at a time."""

    def __init__(self, model: Model) -> None:
        """Use the model as it is; its weights may change between searches, not within one."""
        self.model = model

    def start(self, source: np.ndarray, source_lengths: np.ndarray) -> SearchState:
        """Read the source (B, S) of the given lengths (B,): the state before the first token."""
        return SearchState(*self.model.encode(source, source_lengths))

    def step(self, state: SearchState, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray, SearchState]:
        """Feed one token to each of N rows.

        Args:
            state: from `start`, `step` or `reorder`, with N rows.
            tokens: (N,) int32.

        Returns:
            The log-probabilities of the next token (N, V), the attention's weights (N, S) and the next state.
        """
        embedded = self.model.embed_target(tokens)
        features, weights, decoder = self.model.decoder.step(embedded, state.decoder, state.source, {})
        logits = self.model.project(features)
        largest = logits.max(axis=-1, keepdims=True)
        log_probabilities = logits - largest - np.log(np.exp(logits - largest).sum(axis=-1, keepdims=True))
        return log_probabilities, weights, SearchState(state.source, decoder)

    def reorder(self, state: SearchState, rows: np.ndarray) -> SearchState:
        """The state whose k-th row is row `rows[k]` of this one; rows may repeat or be left out."""
        return select_rows(state, np.array(rows, np.int64))


def select_rows(state: NamedTuple | tuple | ndarray, index: ndarray) -> NamedTuple | tuple | ndarray:
    """Take the given rows of every tensor in a nested state."""
    if isinstance(state, ndarray):
        return state[index]
    parts = [select_rows(part, index) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
