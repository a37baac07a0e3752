"""The decoder: all steps at once where the attention allows it, else step by step (docs/equations.md, 11 to 13)."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from diptych.config import ModelConfig
from diptych.pytorch.attention import Attention, Dense
from diptych.pytorch.cells import State, advance
from diptych.pytorch.linear import STANDARD, Arithmetic
from diptych.pytorch.loop_products import LoopProduct, StepProduct, at_one_step, multiply_in_loop
from diptych.pytorch.recurrent import RecurrentLayer, apply_dropout

Kind = TypeVar("Kind")
"""What stands for a product: a `LoopProduct`, a `StepProduct`, or what either of them adds or has multiplied."""


class Source(NamedTuple):
    """What the decoder sees of the source, the same at each step.

    Attributes:
        memory: (B, S, M) the encoder's outputs.
        keys: (B, S, A) what the attention's scores need of the memory; the memory itself without attention.
        mask: (B, S) True at real tokens.
    """

    memory: Tensor
    keys: Tensor
    mask: Tensor


class DecoderState(NamedTuple):
    """What the decoder carries from one step to the next.

    Attributes:
        layers: each layer's recurrent state.
        fed: (B, F) the features of the step before, for input feeding; (B, 0) without it.
    """

    layers: tuple[State, ...]
    fed: Tensor


class LayerProducts(NamedTuple, Generic[Kind]):
    """What one layer multiplies at a step.

    Attributes:
        inputs: its input; of the first layer without the embedded token, whose product is in what is added.
        hidden: its hidden state.
    """

    inputs: Kind
    hidden: Kind


class Products(NamedTuple, Generic[Kind]):
    """What the decoder multiplies at a step.

    Attributes:
        layers: of each layer.
        query: the state that attends; None where the attention has no weight for it.
        attentional: context and state; None without an attentional layer, or where that waits for the loop's end.
    """

    layers: tuple[LayerProducts[Kind], ...]
    query: Kind | None
    attentional: Kind | None


class Decoder(nn.Module):
    """A stack of recurrent layers over the target, with attention and an optional attentional layer."""

    def __init__(self, config: ModelConfig, arithmetic: Arithmetic = STANDARD) -> None:
        """Make the layers, the attention and the attentional layer that the config names."""
        super().__init__()
        self.config = config
        sizes = [config.decoder_input_size] + [config.decoder_size] * (config.decoder_layers - 1)
        self.layers = nn.ModuleList(
            RecurrentLayer(config.cell, input_size=size, size=config.decoder_size, arithmetic=arithmetic)
            for size in sizes
        )
        self.attention = Attention(config, arithmetic)
        if config.attentional_layer:
            seen = config.context_size + config.decoder_size
            self.attentional = Dense(seen, config.feature_size, arithmetic=arithmetic)

    def source(self, memory: Tensor, mask: Tensor) -> Source:
        """Prepare a memory (B, S, M) with its mask (B, S) for any number of steps."""
        return Source(memory, memory if self.config.attention == "none" else self.attention.keys(memory), mask)

    def first_state(self, states: list[State]) -> DecoderState:
        """The state before the first step: the bridge's states, and zeros fed."""
        size = self.config.feature_size if self.config.input_feeding else 0
        return DecoderState(tuple(states), states[0][0].new_zeros(states[0][0].shape[0], size))

    def forward(
        self, embedded: Tensor, state: DecoderState, source: Source, masks: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
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
        self,
        embedded: Tensor | None,
        state: DecoderState,
        source: Source,
        masks: dict[str, Tensor],
        products: Products[StepProduct] | None = None,
    ) -> tuple[Tensor, Tensor, DecoderState]:
        """Read one target token.

        Args:
            embedded: (B, E) the embedded token.
            state: from `first_state`, or after the step before.
            source: from `source`.
            masks: dropout masks (B, H) by place; none: no dropout.
            products: in a loop, those of this step, the embedded token's among them; None: they are made here.

        Returns:
            The features (B, F), the attention's weights (B, S) and the next state; in a loop that feeds no features
            they are the context and the state (B, M + H).
        """
        if products is None:
            products = at_one_step(self._products(embedded[None], attentional=self.config.attentional_layer))
        output, layers = state.fed, []
        if self.config.attends_first:  # the query is the state before this step
            context, weights = self._attend_once(state.layers[-1][0], source, products)
            output = torch.cat([context, state.fed], dim=-1)
        for i, layer in enumerate(self.layers):
            inputs = apply_dropout(output, masks, place=f"decoder.{i}", rate=self.config.dropout)
            from_input = products.layers[i].inputs(inputs)
            from_hidden = products.layers[i].hidden(state.layers[i][0])
            layers.append(advance(layer.cell, from_input, from_hidden, state=state.layers[i]))
            output = layers[i][0]
        if not self.config.attends_first:  # the query is the state after this step
            context, weights = self._attend_once(output, source, products)
        features = torch.cat([context, output], dim=-1)
        if products.attentional is not None:
            features = torch.tanh(products.attentional(features))
        fed = features if self.config.input_feeding else state.fed
        return features, weights, DecoderState(tuple(layers), fed)

    def _all_at_once(
        self, embedded: Tensor, state: DecoderState, source: Source, masks: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        outputs = embedded
        for layer in range(self.config.decoder_layers):
            outputs = apply_dropout(outputs, masks, place=f"decoder.{layer}", rate=self.config.dropout)
            outputs, _ = self.layers[layer](outputs, state.layers[layer])
        context, weights = self._attend(self.attention.queries(outputs), source)
        return self._features(torch.cat([context, outputs], dim=-1)), weights

    def _step_by_step(
        self, embedded: Tensor, state: DecoderState, source: Source, masks: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        length, inner = embedded.shape[1], {}
        for place, mask in masks.items():
            if place.startswith("decoder."):  # (B, T, H), or (B, 1, H) if all positions share it
                inner[place] = mask.transpose(0, 1).expand(length, -1, -1)  # (T, B, H)

        def read(
            products: Products[StepProduct], state: DecoderState, masks_now: dict[str, Tensor]
        ) -> tuple[DecoderState, tuple[Tensor, Tensor]]:
            features, weights, state = self.step(None, state, source, masks=masks_now, products=products)
            return state, (features, weights)

        feeds = self.config.input_feeding
        products = self._products(embedded.transpose(0, 1), attentional=feeds and self.config.attentional_layer)
        _, (features, weights) = multiply_in_loop(read, products, state, inputs=inner)
        features = features if feeds else self._features(features)
        return features.transpose(0, 1), weights.transpose(0, 1)

    def _products(self, embedded: Tensor, attentional: bool) -> Products[LoopProduct]:
        """What a loop over embedded target inputs (T, B, E) multiplies; whether its steps have an attentional layer."""
        nothing = embedded[..., :0]
        layers = (
            LayerProducts(layer.rest(embedded if i == 0 else nothing), layer.hidden(embedded))
            for i, layer in enumerate(self.layers)
        )
        weighs = self.config.has_score_layer
        return Products(
            tuple(layers),
            self.attention.query.at_each_step(embedded) if weighs else None,
            self.attentional.at_each_step(embedded) if attentional else None,
        )

    def _attend(self, queries: Tensor, source: Source) -> tuple[Tensor, Tensor]:
        """Context (B, Q, M) and weights (B, Q, S) of queries (B, Q, A); without attention (B, Q, 0) and zeros."""
        if self.config.attention != "none":
            return self.attention(queries, source.keys, source.memory, source.mask)
        rows, steps = queries.shape[:2]
        return queries.new_zeros(rows, steps, 0), queries.new_zeros(rows, steps, source.memory.shape[1])

    def _attend_once(self, state: Tensor, source: Source, products: Products[StepProduct]) -> tuple[Tensor, Tensor]:
        """Context (B, M) and weights (B, S) of one state a row (B, H)."""
        query = state if products.query is None else products.query(state)
        context, weights = self._attend(query[:, None, :], source)
        return context[:, 0], weights[:, 0]

    def _features(self, seen: Tensor) -> Tensor:
        """What the output layer sees (..., F) of contexts and states (..., M + H): the attentional layer's, if any."""
        return torch.tanh(self.attentional(seen)) if self.config.attentional_layer else seen
