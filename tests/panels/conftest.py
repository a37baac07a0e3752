"""A workbench with the three panels on it: models of one set of weights, batches of uneven lengths, masks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np
import pytest

from diptych import panel as panels
from diptych.config import ModelConfig, TrainingConfig
from diptych.data.tokens.batches import BOS, EOS, Batch
from diptych.parameters.specification import dropout_shapes, specification
from diptych.randomness import dropout_masks

VOCABULARIES = (7, 9)  # source, target; a shared vocabulary has the target's size


@dataclass(frozen=True)
class Workbench:
    """The panels by name, and what tests put into them and take out of them, all of it in NumPy."""

    panels: dict[str, ModuleType]

    def config(self, **choices) -> ModelConfig:
        """A small model of unequal sizes, as far as its choices allow; any of them may be given."""
        directions = 2 if choices.get("bidirectional", True) else 1
        memory = choices.get("encoder_size", 4 // directions) * directions
        equal = choices.get("bridge") == "copy" or choices.get("attention") == "dot"
        sizes = {"embedding_size": 3, "encoder_size": memory // directions, "decoder_size": memory if equal else 5}
        if choices.get("attentional_layer", True):
            sizes["attentional_size"] = 3 if choices.get("tie_target_output") else 6
        return ModelConfig(**{**sizes, "attention_size": 2, "dropout": 0.3, **choices})

    def vocabularies(self, config) -> tuple[int, int]:
        """The sizes of the source's and the target's vocabulary."""
        return (VOCABULARIES[1],) * 2 if config.tie_source_target else VOCABULARIES

    def parameters(self, config, seed=0) -> dict[str, np.ndarray]:
        """Random values for every weight, the biases too: none is zero, so none can be lost unnoticed."""
        random = np.random.default_rng([seed, 1])
        shapes = {name: weight.shape for name, weight in specification(config, *self.vocabularies(config)).items()}
        return {name: random.uniform(-0.7, 0.7, shape) for name, shape in shapes.items()}

    def batch(self, source_lengths, target_lengths, extra=0, seed=0) -> Batch:
        """Random sentences of these lengths (a target's counts its eos), and `extra` more columns of padding."""
        random = np.random.default_rng([seed, 2])
        lengths = [np.array(counts, np.int32) for counts in (source_lengths, target_lengths)]
        widths = [max(counts) + extra for counts in (source_lengths, target_lengths)]
        source, target_output = (np.zeros((len(source_lengths), width), np.int32) for width in widths)
        target_input = np.zeros_like(target_output)
        for row, (read, said) in enumerate(zip(*lengths, strict=True)):
            source[row, :read] = random.integers(3, VOCABULARIES[0], read)
            words = random.integers(3, VOCABULARIES[1], said - 1)
            target_input[row, :said] = [BOS, *words]
            target_output[row, :said] = [*words, EOS]
        rows = np.arange(len(source), dtype=np.int32)
        return Batch(source, lengths[0], target_input, target_output, lengths[1], rows)

    def padded(self, batch, columns) -> Batch:
        """The same batch with so many more columns of padding on both sides."""
        wider = {
            name: np.pad(getattr(batch, name), ((0, 0), (0, columns)))
            for name in ("source", "target_input", "target_output")
        }
        return replace(batch, **wider)

    def rows(self, batch, rows) -> Batch:
        """Some of a batch's rows, in this order."""
        return Batch(**{name: array[rows] for name, array in vars(batch).items()})

    def masks(self, config, batch, seed=0) -> dict[str, np.ndarray]:
        """The dropout masks of a step."""
        shapes = dropout_shapes(config, *batch.source.shape, batch.target_input.shape[1])
        return dropout_masks(seed, 0, shapes, config.dropout)

    def model(self, name, config, parameters, precision="float64"):
        """A panel's model with these weights."""
        model = self.panels[name].Model(config, *self.vocabularies(config), precision)
        self.panels[name].load_parameters(model, parameters)
        return model

    def trainer(self, name, config, parameters, training=None, graph=False, **choices):
        """A panel's training step. TensorFlow traces it only if it is to be a graph: that takes seconds."""
        training = training or TrainingConfig(**{"precision": "float64", **choices})
        model = self.model(name, config, parameters, training.arithmetic)
        return self.panels[name].TrainingStep(model, training, compiled=graph)

    def tensor(self, name, array):
        """An array as a panel's tensor."""
        if name == "reference":
            return array
        if name == "pytorch":
            import torch

            return torch.from_numpy(np.ascontiguousarray(array))
        import tensorflow as tf

        return tf.constant(array)

    def array(self, tensor) -> np.ndarray:
        """Any panel's tensor as an array, of the framework's own type where NumPy has it, else of float32."""
        if hasattr(tensor, "detach"):
            tensor = tensor.detach()
            return (tensor.float() if "bfloat16" in str(tensor.dtype) else tensor).numpy()
        return np.asarray(tensor)

    def inputs(self, name, batch, masks):
        """What a model reads, as tensors: source, lengths, target, masks."""
        arrays = (batch.source, batch.source_lengths, batch.target_input)
        return *(self.tensor(name, a) for a in arrays), {p: self.tensor(name, mask) for p, mask in masks.items()}

    def forward(self, name, model, batch, masks=None) -> tuple[np.ndarray, np.ndarray]:
        """Logits (B, T, V) and attention's weights (B, T, S)."""
        logits, weights = model(*self.inputs(name, batch, masks or {}))
        return self.array(logits), self.array(weights)

    def encode(self, name, model, batch, masks=None) -> dict[str, np.ndarray]:
        """The memory (B, S, M), its keys, and each part of the decoder's first state (B, H), by name."""
        source, lengths, _, masks = self.inputs(name, batch, masks or {})
        seen, state = model.encode(source, lengths, masks)
        found = {"memory": seen.memory, "keys": seen.keys, "fed": state.fed}
        for layer, parts in enumerate(state.layers):
            found |= {f"{kind} {layer}": part for kind, part in zip(("hidden", "cell"), parts, strict=False)}
        return {kind: self.array(tensor) for kind, tensor in found.items()}

    def reference_loss(self, model, batch, masks=None, label_smoothing=0.0) -> float:
        """The loss per real token as the reference computes it."""
        from diptych.reference.loss import cross_entropy

        logits, _ = model(batch.source, batch.source_lengths, batch.target_input, masks or {})
        real = self.real(batch)
        return float(cross_entropy(logits[real], batch.target_output[real], label_smoothing)) / batch.target_tokens

    def real(self, batch) -> np.ndarray:
        """(B, T) True at real target positions."""
        return np.arange(batch.target_output.shape[1]) < batch.target_lengths[:, None]


@pytest.fixture(scope="session")
def bench(both_frameworks):
    """The workbench, with every panel on the processor; skips where a framework is not installed."""
    return Workbench({name: panels.load(name, device="cpu") for name in ("pytorch", "tensorflow", "reference")})


def check_close(actual, expected, tolerance=1e-12, what=""):
    """Whether two tensors, or two dictionaries of tensors, differ by at most a fraction of the expected's largest."""
    if isinstance(expected, dict):
        assert actual.keys() == expected.keys()
        for name, value in expected.items():
            check_close(actual[name], value, tolerance, f"{what} {name}")
        return
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, what
    assert np.isfinite(expected).all(), what
    gap = np.abs(actual - expected).max(initial=0.0)
    limit = tolerance * np.abs(expected).max(initial=0.0)
    assert gap <= limit, f"{what}: differs by {gap}, allowed is {limit}"


@pytest.fixture(scope="session")
def close():
    """Asserts that tensors agree to 1e-12 of the largest value in each."""
    return check_close
