"""The model as a module of torch's own layers that TorchScript can compile; only ever imported where torch is.

Why TorchScript and not `torch.export`: that one follows the loop in `nn.GRU` for the example it is given and fixes the
source's length to it, also where the length is said to be dynamic (torch 2.13); a scripted module takes any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy import ndarray
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from diptych.config import ModelConfig

LAYERS = {"gru": (nn.GRU, nn.GRUCell), "lstm": (nn.LSTM, nn.LSTMCell), "rnn": (nn.RNN, nn.RNNCell)}


class ScriptedModel(nn.Module):
    """The model for decoding: `encode` and `step`, states in and out as a list of tensors.

    The list holds the memory (B, S, M), its keys (B, S, A), the mask (B, S), and the decoder's state, (B, H) each.
    """

    __constants__ = (
        "is_lstm", "attends", "attends_first", "has_score_layer", "has_key_layer", "has_attentional_layer", "feeds",
        "bridge",
    )  # fmt: skip

    def __init__(self, config: ModelConfig, source_vocabulary_size: int, target_vocabulary_size: int) -> None:
        """Make the layers."""
        super().__init__()
        self.is_lstm = config.cell == "lstm"
        self.attends, self.attends_first = config.attention != "none", config.attends_first
        self.has_score_layer, self.has_key_layer = config.has_score_layer, config.attention not in ("none", "dot")
        self.has_attentional_layer, self.feeds = config.attentional_layer, config.input_feeding
        self.bridge, self.directions = config.bridge, config.directions
        self.encoder_layers, self.size, self.fed_size = config.encoder_layers, config.decoder_size, config.feature_size
        recurrent, cell = LAYERS[config.cell]
        self.source_embedding = nn.Embedding(source_vocabulary_size, config.embedding_size)
        self.target_embedding = nn.Embedding(target_vocabulary_size, config.embedding_size)
        self.encoder = recurrent(
            config.embedding_size, config.encoder_size, config.encoder_layers, batch_first=True,
            bidirectional=config.bidirectional,
        )  # fmt: skip
        parts = 2 if self.is_lstm else 1
        count = config.decoder_layers * parts if config.bridge == "dense" else 0
        self.bridges = nn.ModuleList(nn.Linear(config.memory_size, config.decoder_size) for _ in range(count))
        sizes = [config.decoder_input_size] + [config.decoder_size] * (config.decoder_layers - 1)
        self.layers = nn.ModuleList(cell(size, config.decoder_size) for size in sizes)
        if self.has_score_layer:
            self.query = nn.Linear(config.decoder_size, config.score_size, bias=False)
            self.score = nn.Linear(config.score_size, 1, bias=False)
        if self.has_key_layer:
            self.key = nn.Linear(config.memory_size, config.key_size, bias=False)
        if self.has_attentional_layer:
            seen = config.context_size + config.decoder_size
            self.attentional = nn.Linear(seen, config.feature_size, bias=False)
        self.output_layer = nn.Linear(config.feature_size, target_vocabulary_size)

    def forward(self, input_ids: Tensor, input_lengths: Tensor) -> list[Tensor]:
        """The same as `encode`."""
        return self.encode(input_ids, input_lengths)

    @torch.jit.export
    def encode(self, input_ids: Tensor, input_lengths: Tensor) -> list[Tensor]:
        """Read sources (B, S) of the given lengths (B,): the list before the first token."""
        embedded = self.source_embedding(input_ids)
        packed = pack_padded_sequence(embedded, input_lengths.cpu(), batch_first=True, enforce_sorted=False)
        if self.is_lstm:
            outputs, (hidden, cell) = self.encoder(packed)
            finals = [hidden, cell]
        else:
            outputs, hidden = self.encoder(packed)
            finals = [hidden]
        memory, _ = pad_packed_sequence(outputs, batch_first=True, total_length=input_ids.size(1))
        places = torch.arange(input_ids.size(1), device=input_ids.device)
        keys = self.key(memory) if self.has_key_layer else memory
        state = [memory, keys, places.unsqueeze(0) < input_lengths.unsqueeze(1)]
        rows = input_ids.size(0)
        by_layer: list[Tensor] = []
        for layer in range(self.encoder_layers):
            for final in finals:
                one = final[layer * self.directions : (layer + 1) * self.directions]
                by_layer.append(one.transpose(0, 1).reshape(rows, -1))
        if self.bridge == "copy":
            state += by_layer
        elif self.bridge == "zero":
            for _layer in range(len(self.layers)):
                for _final in finals:
                    state.append(torch.zeros([rows, self.size], dtype=memory.dtype, device=memory.device))
        else:
            for i, dense in enumerate(self.bridges):
                part, layer = i % len(finals), min(i // len(finals), self.encoder_layers - 1)
                state.append(torch.tanh(dense(by_layer[layer * len(finals) + part])))
        if self.feeds:
            state.append(torch.zeros([rows, self.fed_size], dtype=memory.dtype, device=memory.device))
        return state

    @torch.jit.export
    def step(self, input_ids: Tensor, state: list[Tensor]) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Feed a token to each row (N,): log-probabilities (N, V), attention (N, S) and the next list."""
        memory, keys, mask = state[0], state[1], state[2]
        width = 2 if self.is_lstm else 1
        after = [memory, keys, mask]
        weights = torch.zeros([memory.size(0), memory.size(1)], dtype=memory.dtype, device=memory.device)
        context = memory[:, 0, :0]
        seen = [self.target_embedding(input_ids)]
        if self.attends_first:
            context, weights = self.attend(state[3 + width * (len(self.layers) - 1)], memory, keys=keys, mask=mask)
            seen.append(context)
        if self.feeds:
            seen.append(state[-1])
        output = torch.cat(seen, dim=-1)
        for i, layer in enumerate(self.layers):
            if self.is_lstm:
                output, cell = layer(output, (state[3 + 2 * i], state[4 + 2 * i]))
                after += [output, cell]
            else:
                output = layer(output, state[3 + i])
                after.append(output)
        if self.attends and not self.attends_first:
            context, weights = self.attend(output, memory, keys=keys, mask=mask)
        features = torch.cat([context, output], dim=-1)
        if self.has_attentional_layer:
            features = torch.tanh(self.attentional(features))
        if self.feeds:
            after.append(features)
        return torch.log_softmax(self.output_layer(features), dim=-1), weights, after

    def attend(self, query: Tensor, memory: Tensor, keys: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The context (N, M) and the weights (N, S) of a state (N, H)."""
        if self.has_score_layer:
            scores = self.score(torch.tanh(self.query(query).unsqueeze(1) + keys)).squeeze(-1)
        else:
            scores = torch.bmm(keys, query.unsqueeze(-1)).squeeze(-1)
        weights = torch.softmax(scores.masked_fill(~mask, -float("inf")), dim=-1)
        return torch.bmm(weights.unsqueeze(1), memory).squeeze(1), weights


def scripted(config: ModelConfig, sizes: tuple[int, int], parameters: Mapping[str, ndarray]) -> Any:
    """The compiled module with a model's weights."""
    module = ScriptedModel(config, *sizes).eval()
    with torch.no_grad():
        for name, tensor in module.named_parameters():
            tensor.copy_(torch.from_numpy(_value(name, tensor, config=config, parameters=parameters)))
    return torch.jit.script(module)


def _value(name: str, tensor: Tensor, config: ModelConfig, parameters: Mapping[str, ndarray]) -> ndarray:
    """What one of the module's parameters is in the specification's names."""
    layer, _, kind = name.rpartition(".")
    if layer == "encoder":
        kind, _, number = kind.partition("_l")
        side, number = ("backward", number.removesuffix("_reverse")) if "_reverse" in number else ("forward", number)
        own = f"encoder.{side}_layers.{number}.{kind}"
    elif layer.startswith("bridges."):
        parts = ("hidden", "cell") if config.cell == "lstm" else ("hidden",)
        place = int(layer.partition(".")[2])
        own = f"bridge.{parts[place % len(parts)]}.{place // len(parts)}.{kind}"
    elif layer == "target_embedding" and config.tie_source_target:
        own = "source_embedding.weight"
    elif name == "output_layer.weight" and config.tie_target_output:
        own = "source_embedding.weight" if config.tie_source_target else "target_embedding.weight"
    else:
        homes = {"query": "attention.query", "score": "attention.score", "key": "attention.memory"}
        in_decoder = layer in homes or layer == "attentional" or layer.startswith("layers.")
        own = f"decoder.{homes.get(layer, layer)}.{kind}" if in_decoder else name
    if own not in parameters and kind == "bias_hh":
        return torch.zeros_like(tensor).numpy()  # LSTM and plain RNN have one bias
    return parameters[own].astype("float32")
