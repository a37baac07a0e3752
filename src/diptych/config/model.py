"""The shape of the model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from diptych.config.section import Fraction, Layers, Section, Size, key

Cell = Literal["gru", "lstm", "rnn"]
Bridge = Literal["zero", "copy", "dense"]
Attention = Literal["none", "additive", "dot", "general", "concat"]


class ModelConfig(Section):
    """The shape of the model; see docs/equations.md for what each choice computes."""

    cell: Cell = key("gru", "What carries the state from step to step: a gated cell, GRU or LSTM, or a plain RNN.")
    embedding_size: Size = key(96, "E: how many numbers stand for a token.", "numbers")
    encoder_size: Size = key(96, "How many numbers are in the encoder's state, in each direction.", "numbers")
    encoder_layers: Layers = key(1, "How many layers the encoder has, one upon another.", "layers")
    bidirectional: bool = key(
        True, "Read the source from both ends: what stands for a word then knows what comes after it, too."
    )
    decoder_size: Size = key(192, "H: how many numbers are in the decoder's state.", "numbers")
    decoder_layers: Layers = key(1, "How many layers the decoder has.", "layers")
    bridge: Bridge = key(
        "dense",
        "How the decoder begins: with zeros, with a copy of the encoder's last state, or with what a dense layer "
        "makes of that.",
    )
    attention: Attention = key(
        "additive",
        "How the decoder looks back at the source: not at all, before its step (additive, of Bahdanau), or after it "
        "(dot, general, concat, of Luong).",
    )
    attention_size: Size | None = key(
        None,
        "A: the size of the hidden layer of the additive and concat scores. Left out: decoder_size.",
        "numbers",
        example=192,
    )
    attentional_layer: bool = key(True, "Have a tanh layer over context and state before the output layer.")
    attentional_size: Size | None = key(
        None,
        "F: the size of that layer. Left out: decoder_size, or embedding_size if the output is tied to it.",
        "numbers",
        example=192,
    )
    input_feeding: bool = key(
        False, "Feed that layer's output into the next step: the decoder then knows where it has looked."
    )
    dropout: Fraction = key(
        0.05, "The share of numbers that are dropped in training, the same ones in both frameworks; more for few pairs."
    )
    variational_dropout: bool = key(
        False,
        "Drop the same numbers at all positions of a sentence (Gal and Ghahramani, 2016), none in the recurrence.",
    )
    tie_target_output: bool = key(False, "The target's embedding is the output layer's weight, too.")
    tie_source_target: bool = key(False, "Source and target have one embedding; needs data.shared_vocabulary.")

    copies: bool = key(
        False,
        "A pointer-generator (See et al., 2017): each token is said or copied from the source, as a gate shares it "
        "out, so that a word without an entry can be said, too; needs an attention and data.shared_vocabulary.",
    )

    factors: Annotated[int, Field(ge=0, le=100)] = key(
        0,
        "So many of data.source_tags, from the first, are seen at every position of the source, too.",
        "tags",
    )
    factors_join: Literal["added", "concatenated"] = key(
        "added",
        "How a factor's embedding meets that of each token: their sum, or behind it, which makes the encoder's first "
        "layer larger.",
    )

    @model_validator(mode="after")
    def _sizes_fit(self) -> ModelConfig:
        if self.attention == "none" and self.copies:
            raise ValueError("copies needs an attention, which says what is copied: set attention, or copies = false")
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
    def encoder_input_size(self) -> int:
        """What the encoder's first layer sees: a token's embedding, and those of factors behind it."""
        return self.embedding_size * (1 + self.factors * (self.factors_join == "concatenated"))

    @property
    def attends_first(self) -> bool:
        """Whether the decoder looks back before its step, with the state before it; else after, with that after it."""
        return self.attention == "additive"

    @property
    def has_score_layer(self) -> bool:
        """Whether scores come from a hidden layer; else they are products of states and keys."""
        return self.attention in ("additive", "concat")

    @property
    def score_size(self) -> int:
        """A: the size of the scores' hidden layer."""
        return self.attention_size or self.decoder_size

    @property
    def key_size(self) -> int:
        """The size of the attention's keys, what scores need of the memory."""
        return {"dot": self.memory_size, "general": self.decoder_size}.get(self.attention, self.score_size)

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
        """What the decoder's first layer sees: embedding, then a context made before the step, then what is fed."""
        context = self.memory_size if self.attends_first else 0
        return self.embedding_size + context + (self.feature_size if self.input_feeding else 0)
