"""The whole model: embeddings, encoder, bridge, decoder, output layer."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import tensorflow as tf
from tensorflow import Tensor

from diptych.config import ModelConfig, Precision
from diptych.data.tokens.vocabulary import UNK
from diptych.parameters.specification import specification
from diptych.tensorflow.attention import Dense
from diptych.tensorflow.cells import State
from diptych.tensorflow.decoder import Decoder, DecoderState, Source
from diptych.tensorflow.encoder import Bridge, Encoder
from diptych.tensorflow.layer import STANDARD, Arithmetic, Layer
from diptych.tensorflow.recurrent import apply_dropout, sequence_mask

POLICY = {"float32": "float32", "float64": "float64", "bfloat16": "mixed_bfloat16"}


class Embedding(Layer):
    """A table of one vector per token."""

    def __init__(self, vocabulary_size: int, size: int, arithmetic: Arithmetic = STANDARD) -> None:
        """Make the table: `vocabulary_size` rows of `size` numbers."""
        super().__init__(arithmetic)
        self.weight = self.add_weight(shape=(vocabulary_size, size), initializer="zeros", name="weight")

    def call(self, tokens: Tensor) -> Tensor:
        """(...) tokens give (..., E) vectors."""
        return tf.gather(self.weight, tokens)


Chosen = tuple[Tensor, Tensor]
"""The output layer's weight and bias of some words alone."""


class Output(Layer):
    """The output layer: a matrix, unless it is tied to the target's embedding, and a bias."""

    def __init__(self, config: ModelConfig, vocabulary_size: int, arithmetic: Arithmetic = STANDARD) -> None:
        """Make the bias, and the matrix unless it is tied."""
        super().__init__(arithmetic)
        if not config.tie_target_output:
            self.weight = self.add_weight(
                shape=(config.feature_size, vocabulary_size), initializer="zeros", name="weight"
            )
        self.bias = self.add_weight(shape=(vocabulary_size,), initializer="zeros", name="bias")

    def call(self, features: Tensor, tied_weight: Tensor | None, chosen: Chosen | None = None) -> Tensor:
        """Features (..., F) give logits (..., V) of at least float32; of chosen words (..., U)."""
        if chosen is not None:
            weight, bias = chosen
        else:
            weight = self.weight if tied_weight is None else tf.transpose(tf.cast(tied_weight, features.dtype))
            bias = self.bias
        logits = tf.tensordot(features, weight, 1) + bias
        return tf.cast(logits, tf.float32) if logits.dtype == tf.bfloat16 else logits

    def choose(self, words: Tensor, tied_weight: Tensor | None) -> Chosen:
        """The weight and the bias of these words (U,) alone."""
        weight = self.weight if tied_weight is None else tf.transpose(tied_weight)
        return tf.gather(weight, words, axis=1), tf.gather(self.bias, words)


class Model(keras.Model):
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
        arithmetic = POLICY[precision]
        super().__init__(dtype=arithmetic)
        self.built = True  # as every `Layer`
        self.config = config
        self.precision = precision
        self.specification = specification(config, source_vocabulary_size, target_vocabulary_size)
        self.source_embedding = Embedding(source_vocabulary_size, config.embedding_size, arithmetic)
        if not config.tie_source_target:
            self.target_embedding = Embedding(target_vocabulary_size, config.embedding_size, arithmetic)
        self.encoder = Encoder(config, arithmetic)
        self.bridge = Bridge(config, arithmetic)
        self.decoder = Decoder(config, arithmetic)
        self.output_layer = Output(config, target_vocabulary_size, arithmetic)
        self.vocabulary_size = target_vocabulary_size
        if config.copies:
            self.copy_gate = Dense(config.feature_size, 1, bias=True, arithmetic=arithmetic)

    def encode(
        self, source: Tensor, source_lengths: Tensor, masks: dict[str, Tensor] | None = None
    ) -> tuple[Source, DecoderState]:
        """Read the source (B, S) of the given lengths (B,): what the decoder sees of it, and its first state."""
        memory, states = self.read(source, source_lengths, masks)
        mask = sequence_mask(source_lengths, tf.shape(source)[1])
        return self.decoder.source(memory, mask), self.decoder.first_state(self.bridge(states))

    def read(
        self, source: Tensor, source_lengths: Tensor, masks: dict[str, Tensor] | None = None
    ) -> tuple[Tensor, list[State]]:
        """The encoder's memory (B, S, M) and the final state (B, M) of each of its layers."""
        masks = masks or {}
        embedded = self.source_embedding(self.known(source))
        embedded = apply_dropout(embedded, masks, place="source_embedding", rate=self.config.dropout)
        return self.encoder(self.with_factors(embedded), source_lengths, masks)

    def with_factors(self, embedded: Tensor) -> Tensor:
        """Source vectors (B, S, E) with those of the first tags at every position: added, or behind (B, S, ...)."""
        if not self.config.factors:
            return embedded
        given = embedded[:, : self.config.factors]  # (B, tags, E)
        if self.config.factors_join == "added":
            return embedded + tf.reduce_sum(given, axis=1, keepdims=True)
        shape, size = tf.shape(embedded), self.config.factors * self.config.embedding_size
        flat = tf.broadcast_to(tf.reshape(given, [shape[0], 1, size]), [shape[0], shape[1], size])
        return tf.ensure_shape(tf.concat([embedded, flat], axis=-1), [None, None, self.config.encoder_input_size])

    def features(
        self, source: Tensor, source_lengths: Tensor, target_input: Tensor, masks: dict[str, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """What the output layer sees (B, T, F), before its dropout, and the attention's weights (B, T, S)."""
        masks = masks or {}
        seen, state = self.encode(source, source_lengths, masks)
        return self.decoder(self.embed_target(target_input, masks), state, seen, masks)

    def call(
        self, source: Tensor, source_lengths: Tensor, target_input: Tensor, masks: dict[str, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
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

    def embed_target(self, tokens: Tensor, masks: dict[str, Tensor] | None = None) -> Tensor:
        """Target tokens (...) give vectors (..., E)."""
        table = self.source_embedding if self.config.tie_source_target else self.target_embedding
        return apply_dropout(table(self.known(tokens)), masks or {}, place="target_embedding", rate=self.config.dropout)

    def project(self, features: Tensor, chosen: Chosen | None = None) -> Tensor:
        """Features (..., F) give logits (..., V); of chosen words (..., U)."""
        return self.output_layer(features, self._tied_weight(), chosen)

    def choose(self, words: Tensor) -> Chosen:
        """What `project` needs of these words (U,) alone."""
        return self.output_layer.choose(words, self._tied_weight())

    def _tied_weight(self) -> Tensor | None:
        table = self.source_embedding if self.config.tie_source_target else self.target_embedding
        return table.weight if self.config.tie_target_output else None

    def known(self, tokens: Tensor) -> Tensor:
        """Tokens (...) as the embeddings have them: one that is only copied is read as an unknown one."""
        return tf.where(tokens < self.vocabulary_size, tokens, UNK) if self.config.copies else tokens

    def gate(self, features: Tensor) -> Tensor:
        """Features (..., F) give the logit (...) of saying a token, not copying one (equation 26)."""
        gate = self.copy_gate(features)[..., 0]
        return tf.cast(gate, tf.float32) if gate.dtype == tf.bfloat16 else gate
