"""The decoder: all steps at once where the attention allows it, else step by step (docs/equations.md, 11 to 13)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from diptych.config import ModelConfig
from diptych.pytorch.attention import Attention, Dense
from diptych.pytorch.cells import State, advance
from diptych.pytorch.loops import scan
from diptych.pytorch.recurrent import RecurrentLayer, apply_dropout, states_before
from diptych.pytorch.step_products import StepProduct


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


# By product, as in `Products`: (B, O) what one step adds; or (T, B, O), all steps.
Bases = tuple[tuple[Tensor, ...], ...]


class Products(NamedTuple):
    """The products of one loop over target steps.

    Attributes:
        inputs: of each layer with its input; of the first one without the embedded token, which is there before.
        hidden: of each layer with its hidden state.
        query: with the query; none where the attention has no weight for it.
        attentional: with context and state; none where they wait until all steps are done.
    """

    inputs: tuple[StepProduct, ...]
    hidden: tuple[StepProduct, ...]
    query: tuple[StepProduct, ...]
    attentional: tuple[StepProduct, ...]

    def bases(self) -> Bases:
        """What each product adds, at all steps."""
        return tuple(tuple(product.base for product in products) for products in self)


class Step(NamedTuple):
    """What came of one step; or, with T in front, of all.

    Attributes:
        context: (B, M) what the attention saw.
        weights: (B, S) where it looked.
        fed: (B, F) the features, where they are fed into the next step; else (B, 0).
        inputs: of each layer (B, I), of the first one without the embedded token.
        hidden: of each layer (B, H), the hidden state after the step.
    """

    context: Tensor
    weights: Tensor
    fed: Tensor
    inputs: tuple[Tensor, ...]
    hidden: tuple[Tensor, ...]


class Decoder(nn.Module):
    """A stack of recurrent layers over the target, with attention and an optional attentional layer."""

    def __init__(self, config: ModelConfig) -> None:
        """Make the layers, the attention and the attentional layer that the config names."""
        super().__init__()
        self.config = config
        sizes = [config.decoder_input_size] + [config.decoder_size] * (config.decoder_layers - 1)
        self.layers = nn.ModuleList(RecurrentLayer(config.cell, size, config.decoder_size) for size in sizes)
        self.attention = Attention(config)
        if config.attentional_layer:
            self.attentional = Dense(config.context_size + config.decoder_size, config.feature_size)

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
        if self.config.attention == "additive" or self.config.input_feeding:
            return self._step_by_step(embedded, state, source, masks)
        return self._all_at_once(embedded, state, source, masks)

    def step(
        self, embedded: Tensor, state: DecoderState, source: Source, masks: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor, DecoderState]:
        """Read one target token: embedded (B, E) gives features (B, F), weights (B, S) and the next state."""
        products = self._products(embedded[None])
        bases = tuple(tuple(base[0] for base in part) for part in products.bases())
        step, state = self._step(state, source, masks, products, bases)
        return self._features(step), step.weights, state

    def _all_at_once(
        self, embedded: Tensor, state: DecoderState, source: Source, masks: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        outputs = embedded
        for layer in range(self.config.decoder_layers):
            outputs = apply_dropout(outputs, masks, f"decoder.{layer}", self.config.dropout)
            outputs, _ = self.layers[layer](outputs, state.layers[layer])
        context, weights = self._attend(outputs, source)
        return self._look(context, outputs), weights

    def _step_by_step(
        self, embedded: Tensor, state: DecoderState, source: Source, masks: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        length, inner = embedded.shape[1], {}
        for place, mask in masks.items():
            if place.startswith("decoder."):  # (B, T, H), or (B, 1, H) if all positions share it
                inner[place] = mask.transpose(0, 1).expand(length, -1, -1)  # (T, B, H)
        products, first = self._products(embedded.transpose(0, 1)), state

        def read(state: DecoderState, now: tuple[Bases, dict[str, Tensor]]) -> tuple[DecoderState, Step]:
            bases, masks_now = now
            step, state = self._step(state, source, masks_now, products, bases)
            return state, step

        _, steps = scan(read, first, (products.bases(), inner))
        self._keep(products, first, steps)
        return self._features(steps).transpose(0, 1), steps.weights.transpose(0, 1)

    def _products(self, embedded: Tensor) -> Products:
        """The products of a loop over the steps of embedded target inputs (T, B, E)."""
        kind, feeds = self.config.attention, self.config.input_feeding
        return Products(
            tuple(layer.from_rest(embedded if i == 0 else embedded[..., :0]) for i, layer in enumerate(self.layers)),
            tuple(layer.from_hidden(embedded) for layer in self.layers),
            (self.attention.query.at_each_step(embedded),) if kind in ("additive", "concat") else (),
            (self.attentional.at_each_step(embedded),) if feeds and self.config.attentional_layer else (),
        )

    def _keep(self, products: Products, first: DecoderState, steps: Step) -> None:
        """Tell a loop's products what they multiplied, from the state before the first step and what came of all."""
        before = [states_before(*pair) for pair in zip((state[0] for state in first.layers), steps.hidden, strict=True)]
        for product, inputs in zip((*products.inputs, *products.hidden), (*steps.inputs, *before), strict=True):
            product.keep(inputs)
        for product in products.query:
            product.keep(before[-1] if self.config.attention == "additive" else steps.hidden[-1])
        for product in products.attentional:
            product.keep(torch.cat([steps.context, steps.hidden[-1]], dim=-1))

    def _step(
        self, state: DecoderState, source: Source, masks: dict[str, Tensor], products: Products, bases: Bases
    ) -> tuple[Step, DecoderState]:
        """One step of a loop, with its part of the products' bases: what came of it, and the next state."""
        rest, all_inputs, layers = [state.fed], [], []
        if self.config.attention == "additive":  # the query is the state before this step
            context, weights = self._attend_once(state.layers[-1][0], source, products, bases)
            rest = [context, state.fed]
        output = torch.cat(rest, dim=-1)
        for i, layer in enumerate(self.layers):
            inputs = apply_dropout(output, masks, f"decoder.{i}", self.config.dropout)
            from_hidden = products.hidden[i](state.layers[i][0], bases[1][i])
            layers.append(advance(layer.cell, products.inputs[i](inputs, bases[0][i]), from_hidden, state.layers[i]))
            all_inputs.append(inputs)
            output = layers[-1][0]
        if self.config.attention != "additive":  # the query is the state after this step
            context, weights = self._attend_once(output, source, products, bases)
        fed = state.fed
        if self.config.input_feeding:
            seen = torch.cat([context, output], dim=-1)
            fed = torch.tanh(products.attentional[0](seen, bases[3][0])) if products.attentional else seen
        hidden = tuple(layer[0] for layer in layers)
        return Step(context, weights, fed, tuple(all_inputs), hidden), DecoderState(tuple(layers), fed)

    def _attend(self, states: Tensor, source: Source) -> tuple[Tensor, Tensor]:
        """Context (B, Q, M) and weights (B, Q, S) of states (B, Q, H); without attention (B, Q, 0) and zeros."""
        if self.config.attention != "none":
            return self.attention(self.attention.queries(states), source.keys, source.memory, source.mask)
        rows, queries = states.shape[:2]
        return states.new_zeros(rows, queries, 0), states.new_zeros(rows, queries, source.memory.shape[1])

    def _attend_once(self, state: Tensor, source: Source, products: Products, bases: Bases) -> tuple[Tensor, Tensor]:
        """The same for one state a row, in a loop: (B, H) gives (B, M) and (B, S)."""
        if products.query:
            query = products.query[0](state, bases[2][0])[:, None, :]
            context, weights = self.attention(query, source.keys, source.memory, source.mask)
        else:
            context, weights = self._attend(state[:, None, :], source)
        return context[:, 0], weights[:, 0]

    def _features(self, step: Step) -> Tensor:
        """The features of a step (B, F), or of all (T, B, F)."""
        return step.fed if self.config.input_feeding else self._look(step.context, step.hidden[-1])

    def _look(self, context: Tensor, output: Tensor) -> Tensor:
        """What the output layer sees (..., F): the context and the state, through the attentional layer if any."""
        seen = torch.cat([context, output], dim=-1)
        return torch.tanh(self.attentional(seen)) if self.config.attentional_layer else seen
