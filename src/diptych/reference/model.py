"""The whole model: embeddings, encoder, bridge, decoder, output layer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from diptych.config import ModelConfig, Precision
from diptych.data.tokens.vocabulary import UNK
from diptych.parameters.specification import specification
from diptych.reference.attention import Dense
from diptych.reference.decoder import Decoder, DecoderState, Source
from diptych.reference.encoder import Bridge, Encoder
from diptych.reference.recurrent import State, apply_dropout, sequence_mask


class Embedding:
    """A table of one vector per token."""

    def __init__(self, vocabulary_size: int, size: int) -> None:
        """Make the table: `vocabulary_size` rows of `size` numbers."""
        self.weight = np.zeros((vocabulary_size, size))

    def __call__(self, tokens: ndarray) -> ndarray:
        """(...) tokens give (..., E) vectors."""
        return self.weight[tokens]


Chosen = tuple[ndarray, ndarray]
"""The output layer's weight and bias of some words alone."""


class Output:
    """The output layer: a matrix, unless it is tied to the target's embedding, and a bias."""

    def __init__(self, config: ModelConfig, vocabulary_size: int) -> None:
        """Make the bias, and the matrix unless it is tied."""
        if not config.tie_target_output:
            self.weight = np.zeros((vocabulary_size, config.feature_size))
        self.bias = np.zeros(vocabulary_size)

    def __call__(self, features: ndarray, tied_weight: ndarray | None, chosen: Chosen | None = None) -> ndarray:
        """Features (..., F) give logits (..., V) of at least float32; of chosen words (..., U)."""
        if chosen is not None:
            weight, bias = chosen
        else:
            weight, bias = self.weight if tied_weight is None else tied_weight, self.bias
        return features @ weight.T + bias

    def choose(self, words: ndarray, tied_weight: ndarray | None) -> Chosen:
        """The weight and the bias of these words (U,) alone."""
        weight = self.weight if tied_weight is None else tied_weight
        return weight[words], self.bias[words]


class Model:
    """A recurrent sequence-to-sequence model.

    Attributes:
        config: its shape.
        precision: float32, float64, or bfloat16 (weights kept in float32, products in bfloat16).
        specification: the name, shape and meaning of each of its weights.
    """

    def __init__(
        self,
        config: ModelConfig,
        source_vocabulary_size: int,
        target_vocabulary_size: int,
        precision: Precision = "float32",
        choices: Mapping[str, str] | None = None,
    ) -> None:
        """Make a model of zeros; `load_parameters` gives it its weights.

        Args:
            config: its shape.
            source_vocabulary_size: how many tokens the source has.
            target_vocabulary_size: how many the target has.
            precision: of its numbers.
            choices: what `choose` gave; None: nothing was chosen, the framework's defaults.
        """
        self.config = config
        self.precision = precision
        self.specification = specification(config, source_vocabulary_size, target_vocabulary_size)
        self.source_embedding = Embedding(source_vocabulary_size, config.embedding_size)
        if not config.tie_source_target:
            self.target_embedding = Embedding(target_vocabulary_size, config.embedding_size)
        self.encoder = Encoder(config)
        self.bridge = Bridge(config)
        self.decoder = Decoder(config)
        self.output_layer = Output(config, target_vocabulary_size)
        self.vocabulary_size = target_vocabulary_size
        if config.copies:
            self.copy_gate = Dense(config.feature_size, 1, bias=True)

    def encode(
        self, source: ndarray, source_lengths: ndarray, masks: dict[str, ndarray] | None = None
    ) -> tuple[Source, DecoderState]:
        """Read the source (B, S) of the given lengths (B,): what the decoder sees of it, and its first state."""
        memory, states = self.read(source, source_lengths, masks)
        mask = sequence_mask(source_lengths, source.shape[1])
        return self.decoder.source(memory, mask), self.decoder.first_state(self.bridge(states))

    def read(
        self, source: ndarray, source_lengths: ndarray, masks: dict[str, ndarray] | None = None
    ) -> tuple[ndarray, list[State]]:
        """The encoder's memory (B, S, M) and the final state (B, M) of each of its layers."""
        masks = masks or {}
        embedded = self.source_embedding(self.known(source))
        embedded = apply_dropout(embedded, masks, place="source_embedding", rate=self.config.dropout)
        return self.encoder(self.with_factors(embedded), source_lengths, masks)

    def with_factors(self, embedded: ndarray) -> ndarray:
        """Source vectors (B, S, E) with those of the first tags at every position: added, or behind (B, S, ...)."""
        if not self.config.factors:
            return embedded
        given = embedded[:, : self.config.factors]  # (B, tags, E)
        if self.config.factors_join == "added":
            return embedded + given.sum(axis=1, keepdims=True)
        rows, width, _ = embedded.shape
        flat = np.broadcast_to(given.reshape(rows, 1, -1), (rows, width, given.shape[1] * given.shape[2]))
        return np.concatenate([embedded, flat], axis=-1)

    def features(
        self, source: ndarray, source_lengths: ndarray, target_input: ndarray, masks: dict[str, ndarray] | None = None
    ) -> tuple[ndarray, ndarray]:
        """What the output layer sees (B, T, F), before its dropout, and the attention's weights (B, T, S)."""
        masks = masks or {}
        seen, state = self.encode(source, source_lengths, masks)
        return self.decoder(self.embed_target(target_input, masks), state, seen, masks)

    def __call__(
        self, source: ndarray, source_lengths: ndarray, target_input: ndarray, masks: dict[str, ndarray] | None = None
    ) -> tuple[ndarray, ndarray]:
        """Teacher forcing over whole sentences.

        Args:
            source: (B, S) source tokens, padded with 0 on the right.
            source_lengths: (B,) real tokens of each row, at least 1.
            target_input: (B, T) bos and the target's tokens.
            masks: dropout masks by place, True where kept; None: no dropout.

        Returns:
            The logits (B, T, V) and the attention's weights (B, T, S).
        """
        masks = masks or {}
        features, weights = self.features(source, source_lengths, target_input=target_input, masks=masks)
        return self.project(apply_dropout(features, masks, place="output", rate=self.config.dropout)), weights

    def embed_target(self, tokens: ndarray, masks: dict[str, ndarray] | None = None) -> ndarray:
        """Target tokens (...) give vectors (..., E)."""
        table = self.source_embedding if self.config.tie_source_target else self.target_embedding
        return apply_dropout(table(self.known(tokens)), masks or {}, place="target_embedding", rate=self.config.dropout)

    def project(self, features: ndarray, chosen: Chosen | None = None) -> ndarray:
        """Features (..., F) give logits (..., V); of chosen words (..., U)."""
        return self.output_layer(features, self._tied_weight(), chosen)

    def choose(self, words: ndarray) -> Chosen:
        """What `project` needs of these words (U,) alone."""
        return self.output_layer.choose(words, self._tied_weight())

    def _tied_weight(self) -> ndarray | None:
        table = self.source_embedding if self.config.tie_source_target else self.target_embedding
        return table.weight if self.config.tie_target_output else None

    def known(self, tokens: ndarray) -> ndarray:
        """Tokens (...) as the embeddings have them: one that is only copied is read as an unknown one."""
        return np.where(tokens < self.vocabulary_size, tokens, UNK) if self.config.copies else tokens

    def gate(self, features: ndarray) -> ndarray:
        """Features (..., F) give the logit (...) of saying a token, not copying one (equation 26)."""
        return self.copy_gate(features)[..., 0]
