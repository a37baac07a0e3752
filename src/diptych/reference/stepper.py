"""One decoding step at a time: what `diptych.search` drives. States go in and come out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from diptych.panel.nests import map_nest
from diptych.reference.decoder import DecoderState, Source
from diptych.reference.model import Chosen, Model
from diptych.search.copying import with_copies


class SearchState(NamedTuple):
    """Everything the next step depends on, one row per hypothesis.

    Attributes:
        source: what the decoder sees of each row's source.
        sentences: (N,) which sentence of the search each row translates.
        decoder: the decoder's state.
        copies: (N, S) the tokens of each row's source, where the model copies; (N, 0) elsewhere.
        chosen: what the output layer needs of the words that are projected; None: of all.
    """

    source: Source
    sentences: np.ndarray
    decoder: DecoderState
    copies: np.ndarray
    chosen: Chosen | None = None


class Stepper:
    """Drives a model one target token at a time."""

    def __init__(self, model: Model, compiled: bool = True) -> None:
        """Use the model as it is; its weights may change between searches, not within one.

        Args:
            model: what to drive.
            compiled: whether TensorFlow traces the model as a graph: that takes seconds, and each call less from then
                on. PyTorch and NumPy compute without one.
        """
        self.model = model

    def start(self, source: np.ndarray, source_lengths: np.ndarray) -> SearchState:
        """Read the source (B, S) of the given lengths (B,): the state before the first token."""
        seen, decoder = self.model.encode(source, source_lengths)
        copies = source if self.model.config.copies else source[:, :0]
        return SearchState(seen, np.arange(len(source)), decoder=decoder, copies=copies)

    def restrict(self, state: SearchState, words: np.ndarray) -> SearchState:
        """The same state, whose steps give the log-probabilities (N, U) of these words (U,) as if these were all."""
        return state._replace(chosen=self.model.choose(words))

    def step(self, state: SearchState, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray, SearchState]:
        """Feed one token to each of N rows.

        Args:
            state: from `start`, `step` or `reorder`, with N rows.
            tokens: (N,) int32.

        Returns:
            The log-probabilities of the next token (N, V), or of the words that the state is restricted to (N, U), or
            of a model that copies (N, V + S), with each place of the source after the vocabulary; the attention's
            weights (N, S) and the next state.
        """
        embedded = self.model.embed_target(tokens)
        features, weights, decoder = self.model.decoder.step(embedded, state.decoder, state.source, masks={})
        logits = self.model.project(features, state.chosen)
        largest = logits.max(axis=-1, keepdims=True)
        log_probabilities = logits - largest - np.log(np.exp(logits - largest).sum(axis=-1, keepdims=True))
        if self.model.config.copies:
            log_probabilities = with_copies(
                log_probabilities, self.model.gate(features), weights=weights, copies=state.copies
            )
        return log_probabilities, weights, state._replace(decoder=decoder)

    def reorder(self, state: SearchState, rows: np.ndarray) -> SearchState:
        """The state whose k-th row is row `rows[k]` of this one; rows may repeat or be left out."""
        index, sentences = np.array(rows, np.int64), state.sentences[rows]
        same = np.array_equal(sentences, state.sentences)  # rows changed places within their sentences
        source = state.source if same else select_rows(state.source, index)
        return SearchState(
            source, sentences, decoder=select_rows(state.decoder, index), copies=state.copies[rows], chosen=state.chosen
        )


def select_rows(state: Any, index: ndarray) -> Any:
    """Take the given rows of every tensor in a nested state."""
    return map_nest(lambda array: array[index], state)
