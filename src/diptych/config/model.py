"""The shape of the model."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from diptych.config.section import Fraction, Positive, Section

Cell = Literal["gru", "lstm", "rnn"]
Bridge = Literal["zero", "copy", "dense"]
Attention = Literal["none", "additive", "dot", "general", "concat"]


class ModelConfig(Section):
    """The shape of the model; see docs/equations.md for what each choice computes."""

    cell: Cell = "gru"
    embedding_size: Positive = 96
    encoder_size: Positive = 96
    encoder_layers: Positive = 1
    bidirectional: bool = True
    decoder_size: Positive = 192
    decoder_layers: Positive = 1
    bridge: Bridge = "dense"
    attention: Attention = "additive"
    # Size of the additive and concat scores' hidden layer; None: the decoder's size.
    attention_size: Positive | None = None
    attentional_layer: bool = True
    # Size of the attentional layer's output; None: the embedding's size if tied to it, else the decoder's size.
    attentional_size: Positive | None = None
    input_feeding: bool = False
    dropout: Fraction = 0.05
    # One dropout mask for all positions of a sentence instead of one for each (Gal and Ghahramani, 2016, without the
    # masks inside the recurrence).
    variational_dropout: bool = False
    tie_target_output: bool = False
    tie_source_target: bool = False

    @model_validator(mode="after")
    def _sizes_fit(self) -> ModelConfig:
        if self.attention == "none" and self.input_feeding:
            raise ValueError("input_feeding needs an attention: set attention, or input_feeding = false")
        if self.attention == "dot" and self.memory_size != self.decoder_size:
            raise ValueError(
                f"attention 'dot' multiplies the decoder's state with the encoder's outputs, so decoder_size must be "
                f"{self.memory_size} (encoder_size{' times two directions' if self.bidirectional else ''}), "
                f"got {self.decoder_size}; or use attention 'general'"
            )
        if self.bridge == "copy" and self.memory_size != self.decoder_size:
            raise ValueError(
                f"bridge 'copy' needs decoder_size {self.memory_size} (encoder_size"
                f"{' times two directions' if self.bidirectional else ''}), got {self.decoder_size}; "
                f"or use bridge 'dense'"
            )
        if self.bridge == "copy" and self.encoder_layers != self.decoder_layers:
            raise ValueError(
                f"bridge 'copy' needs as many encoder as decoder layers, got {self.encoder_layers} and "
                f"{self.decoder_layers}; or use bridge 'dense'"
            )
        if self.tie_target_output and self.feature_size != self.embedding_size:
            raise ValueError(
                f"tie_target_output needs an output layer that sees embedding_size = {self.embedding_size} numbers, "
                f"but it sees {self.feature_size}; use attentional_layer = true, or equal sizes"
            )
        return self

    @property
    def directions(self) -> int:
        """2 for a bidirectional encoder, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def memory_size(self) -> int:
        """M: the encoder's output size, both directions together."""
        return self.encoder_size * self.directions

    @property
    def score_size(self) -> int:
        """A: the hidden size of the additive and concat scores."""
        return self.attention_size or self.decoder_size

    @property
    def context_size(self) -> int:
        """Size of the context the output layer sees: M, or 0 without attention."""
        return self.memory_size if self.attention != "none" else 0

    @property
    def feature_size(self) -> int:
        """F: what the output layer sees, and what input feeding feeds."""
        if self.attentional_layer:
            default = self.embedding_size if self.tie_target_output else self.decoder_size
            return self.attentional_size or default
        return self.context_size + self.decoder_size

    @property
    def decoder_input_size(self) -> int:
        """What the decoder's first layer sees: embedding, then context if additive, then what is fed."""
        context = self.memory_size if self.attention == "additive" else 0
        return self.embedding_size + context + (self.feature_size if self.input_feeding else 0)
