"""One decoding step at a time: what `diptych.search` drives. States go in and come out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow import Tensor

from diptych.panel.nests import map_nest
from diptych.search.copying import with_copies
from diptych.tensorflow.decoder import DecoderState, Source
from diptych.tensorflow.model import Chosen, Model
from diptych.tensorflow.weights import to_array


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
        self._start, self._step, self._restricted = self._encode, self._advance, self._advance
        self._given: tuple[Any, ...] = ()  # to a step that is still to be traced for restricted states
        if compiled:  # each is traced once, for any number of rows and any length
            tokens = tf.TensorSpec([None], tf.int32)
            start = tf.function(self._encode, autograph=False).get_concrete_function(
                tf.TensorSpec([None, None], tf.int32), tokens
            )
            self._given = (*start.structured_outputs, tokens)
            self._start, self._step = (
                start,
                tf.function(self._advance, autograph=False).get_concrete_function(*self._given, None),
            )

    def start(self, source: np.ndarray, source_lengths: np.ndarray) -> SearchState:
        """Read the source (B, S) of the given lengths (B,): the state before the first token."""
        seen, decoder = self._start(tf.constant(source), tf.constant(source_lengths))
        copies = source if self.model.config.copies else source[:, :0]
        return SearchState(seen, np.arange(len(source)), decoder=decoder, copies=copies)

    def restrict(self, state: SearchState, words: np.ndarray) -> SearchState:
        """The same state, whose steps give the log-probabilities (N, U) of these words (U,) as if these were all."""
        weight, bias = self.model.choose(tf.constant(words))
        if self._given:
            chosen = tf.TensorSpec([weight.shape[0], None], weight.dtype), tf.TensorSpec([None], bias.dtype)
            self._restricted = tf.function(self._advance, autograph=False).get_concrete_function(*self._given, chosen)
            self._given = ()
        return state._replace(chosen=(weight, bias))

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
        step = self._step if state.chosen is None else self._restricted
        log_probabilities, weights, gate, decoder = step(state.source, state.decoder, tf.constant(tokens), state.chosen)
        table, looked = to_array(log_probabilities), to_array(weights)
        if self.model.config.copies:
            table = with_copies(table, to_array(gate), weights=looked, copies=state.copies)
        return table, looked, state._replace(decoder=decoder)

    def reorder(self, state: SearchState, rows: np.ndarray) -> SearchState:
        """The state whose k-th row is row `rows[k]` of this one; rows may repeat or be left out."""
        index, sentences = tf.constant(np.array(rows, np.int64)), state.sentences[rows]
        same = np.array_equal(sentences, state.sentences)  # rows changed places within their sentences
        source = state.source if same else select_rows(state.source, index)
        return SearchState(
            source, sentences, decoder=select_rows(state.decoder, index), copies=state.copies[rows], chosen=state.chosen
        )

    def _encode(self, source: Tensor, source_lengths: Tensor) -> tuple[Source, DecoderState]:
        return self.model.encode(source, source_lengths)

    def _advance(
        self, source: Source, decoder: DecoderState, tokens: Tensor, chosen: Chosen | None
    ) -> tuple[Tensor, Tensor, Tensor, DecoderState]:
        embedded = self.model.embed_target(tokens)
        features, weights, decoder = self.model.decoder.step(embedded, decoder, source, masks={})
        log_probabilities = tf.nn.log_softmax(self.model.project(features, chosen), axis=-1)
        gate = self.model.gate(features) if self.model.config.copies else weights[:, 0]  # of no use elsewhere
        return log_probabilities, weights, gate, decoder


def select_rows(state: Any, index: Tensor) -> Any:
    """Take the given rows of every tensor in a nested state."""
    return map_nest(lambda tensor: tf.gather(tensor, index), state)
