"""One decoding step at a time: what `diptych.search` drives. States go in and come out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from diptych.panel.nests import map_nest
from diptych.pytorch.decoder import DecoderState, Source
from diptych.pytorch.model import Chosen, Model
from diptych.pytorch.weights import to_array
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
        self.device = next(model.parameters()).device

    def start(self, source: np.ndarray, source_lengths: np.ndarray) -> SearchState:
        """Read the source (B, S) of the given lengths (B,): the state before the first token."""
        with torch.inference_mode():
            tensors = (torch.from_numpy(array).to(self.device) for array in (source, source_lengths))
            seen, decoder = self.model.encode(*tensors)
        copies = source if self.model.config.copies else source[:, :0]
        return SearchState(seen, np.arange(len(source)), decoder=decoder, copies=copies)

    def restrict(self, state: SearchState, words: np.ndarray) -> SearchState:
        """The same state, whose steps give the log-probabilities (N, U) of these words (U,) as if these were all."""
        with torch.inference_mode():
            index = torch.from_numpy(np.array(words, np.int64)).to(self.device)
            return state._replace(chosen=self.model.choose(index))

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
        with torch.inference_mode():
            embedded = self.model.embed_target(torch.from_numpy(tokens).to(self.device))
            features, weights, decoder = self.model.decoder.step(embedded, state.decoder, state.source, masks={})
            log_probabilities = torch.log_softmax(self.model.project(features, state.chosen), dim=-1)
            gate = self.model.gate(features) if self.model.config.copies else None
        table, looked = to_array(log_probabilities), to_array(weights)
        if gate is not None:
            table = with_copies(table, to_array(gate), weights=looked, copies=state.copies)
        return table, looked, state._replace(decoder=decoder)

    def reorder(self, state: SearchState, rows: np.ndarray) -> SearchState:
        """The state whose k-th row is row `rows[k]` of this one; rows may repeat or be left out."""
        index, sentences = torch.from_numpy(np.array(rows, np.int64)).to(self.device), state.sentences[rows]
        same = np.array_equal(sentences, state.sentences)  # rows changed places within their sentences
        source = state.source if same else select_rows(state.source, index)
        return SearchState(
            source, sentences, decoder=select_rows(state.decoder, index), copies=state.copies[rows], chosen=state.chosen
        )


def select_rows(state: Any, index: Tensor) -> Any:
    """Take the given rows of every tensor in a nested state."""
    return map_nest(lambda tensor: tensor.index_select(0, index), state)
