"""Faults planted in one panel's training: each is caught by the ladder at its rung, and located."""

from __future__ import annotations

import numpy as np
import pytest

from diptych.panel import BACKENDS
from diptych.randomness import dropout_masks


def configure(patch, side, **choices):
    """Training goes by another config."""

    def start(original, training, model, config, **named):
        original(training, model, config.model_copy(update=choices), **named)

    side.change(patch, "training.TrainingStep", "__init__", start)


def clip(patch, side, clipped):
    """Gradients are clipped by `clipped(gradients, limit)` instead."""

    def apply(original, optimizer, gradients, *numbers):
        original(optimizer, clipped(gradients, optimizer.limit), *numbers)

    def start(original, training, model, config, **named):
        original(training, model, config.model_copy(update={"clip_norm": 0.0}), **named)
        training.optimizer.limit = config.clip_norm

    side.change(patch, "training.Optimizer", "apply", apply)
    side.change(patch, "training.TrainingStep", "__init__", start)


def change_inputs(patch, side, changed):
    """A batch's tensors and masks are `changed(training, inputs, masks)`."""

    def to_tensors(original, training, batch, masks):
        return changed(training, *original(training, batch, masks))

    side.change(patch, "training.TrainingStep", "_to_tensors", to_tensors)


def target_not_shifted(patch, side):
    change_inputs(
        patch, side, lambda training, inputs, masks: (inputs._replace(target_output=inputs.target_input), masks)
    )


def loss_averaged_over_padding(patch, side):
    def loss(original, training, inputs, masks, label_smoothing):
        rows, steps = inputs.target_output.shape
        return original(training, inputs, masks, label_smoothing) * (int(inputs.positions.shape[0]) / (rows * steps))

    side.change(patch, "training.TrainingStep", "_loss", loss)


def loss_of_padding(patch, side):
    side.change(patch, "training", "real_positions", lambda original, batch: np.arange(batch.target_output.size))


def dropout_masks_of_the_next_step(patch, side):
    def to_tensors(original, training, batch, masks):
        shapes = {place: mask.shape for place, mask in masks.items()}
        return original(training, batch, dropout_masks(1, training.steps, shapes, training.model.config.dropout))

    side.change(patch, "training.TrainingStep", "_to_tensors", to_tensors)


def smoothing_in_validation(patch, side):
    side.change(
        patch,
        "training.TrainingStep",
        "_evaluate",
        lambda original, training, inputs, masks: training._loss(inputs, masks, training.config.label_smoothing),
    )


def no_gradient_through_the_keys(patch, side):
    side.change(
        patch, "attention.Attention", "keys", lambda original, attention, memory: original(attention, side.stop(memory))
    )


def no_gradient_through_time(patch, side):
    def step(original, decoder, embedded, state, *others, **named):
        layers = tuple(tuple(side.stop(part) for part in layer) for layer in state.layers)
        return original(decoder, embedded, state._replace(layers=layers), *others, **named)

    side.change(patch, "decoder.Decoder", "step", step)


def tied_gradient_of_one_use(patch, side):
    def call(original, output, features, tied_weight, chosen):
        return original(output, features, side.stop(tied_weight), chosen)

    side.change(patch, "model.Output", "call", call)


def unsummed_squares(tf, gradient):
    """The squares of an embedding's gradient before equal tokens' rows are summed, as stock Keras has them."""
    if not isinstance(gradient, tf.IndexedSlices):
        return tf.square(gradient)
    indices = tf.reshape(gradient.indices, [-1, 1])
    return tf.scatter_nd(indices, tf.square(gradient.values), tf.cast(gradient.dense_shape, indices.dtype))


def embedding_gradients_not_summed(patch, side, where):
    """Squares of unsummed rows reach `where`: the global norm, or the second moment."""
    tf = side.framework

    def train(original, training, inputs, masks, learning_rate, steps):
        side.replace(patch, "training", convert_to_tensor=lambda gradient: gradient)
        loss, slices = training._gradients(inputs, masks)
        squares = [unsummed_squares(tf, gradient) for gradient in slices]
        dense = [tf.convert_to_tensor(gradient) for gradient in slices]
        norm = side.norm(dense) if where != "norm" else tf.sqrt(sum(map(tf.reduce_sum, squares)))
        scale = side.at_most_one(training.config.clip_norm / norm)
        scaled = iter([square * scale**2 for square in squares])
        if where == "moment":
            side.replace(patch, "optimizer", square=lambda gradient: next(scaled))
        training.optimizer.apply([gradient * scale for gradient in dense], learning_rate, steps)
        for module in (side.training, side.optimizer):
            patch.setattr(module, "tf", tf)
        return loss, norm, training.grid.round()

    side.change(patch, "training.TrainingStep", "_train", train)


def embedding_gradients_not_summed_in_the_norm(patch, side):
    embedding_gradients_not_summed(patch, side, "norm")


def embedding_gradients_not_summed_in_adam(patch, side):
    embedding_gradients_not_summed(patch, side, "moment")


def norm_after_clipping(patch, side):
    def train(original, training, inputs, masks, *numbers, **named):
        loss, norm, rounded = original(training, inputs, masks, *numbers, **named)
        return loss, norm * side.at_most_one(training.config.clip_norm / norm), rounded

    side.change(patch, "training.TrainingStep", "_train", train)


def clipped_by_variable(patch, side):
    def clipped(gradients, limit):
        return [gradient * side.at_most_one(limit / side.norm([gradient])) for gradient in gradients]

    clip(patch, side, clipped)


def clipped_with_an_epsilon(patch, side):
    def clipped(gradients, limit):
        scale = side.at_most_one(limit / (side.norm(gradients) + 1e-6))
        return [gradient * scale for gradient in gradients]

    clip(patch, side, clipped)


def keras_epsilon(patch, side):
    configure(patch, side, epsilon=1e-7)


def epsilon_before_the_correction(patch, side):
    def apply(original, optimizer, gradients, learning_rate, steps):
        if side.name == "pytorch":
            epsilon = 1e-8 / np.sqrt(1.0 - 0.999**steps)
        else:
            power = side.framework.pow(np.float64(0.999), side.framework.cast(steps, "float64"))
            epsilon = 1e-8 / side.framework.sqrt(1.0 - power)
        optimizer.config = optimizer.config.model_copy(update={"epsilon": epsilon})
        original(optimizer, gradients, learning_rate, steps)

    side.change(patch, "training.Optimizer", "apply", apply)


def betas_in_float32(patch, side):
    configure(patch, side, beta1=float(np.float32(0.9)), beta2=float(np.float32(0.999)))


def learning_rate_in_float32(patch, side):
    def step(original, training, batch, masks, learning_rate):
        return original(training, batch, masks, float(np.float32(learning_rate)))

    side.change(patch, "training.TrainingStep", "step", step)


def correction_one_step_ahead(patch, side):
    def start(original, training, model, config, **named):
        original(training, model, config, **named)
        training.load_state(training.export_state(), 1)

    side.change(patch, "training.TrainingStep", "__init__", start)


def decay_decoupled(patch, side):
    configure(patch, side, optimizer="adamw")


def decay_coupled(patch, side):
    configure(patch, side, optimizer="adam")


def other_momentum(patch, side):
    configure(patch, side, momentum=0.8)


def steps_forgotten_on_resuming(patch, side):
    side.change(
        patch,
        "training.Optimizer",
        "load_state",
        lambda original, optimizer, arrays, steps: original(optimizer, arrays, 0),
    )


def moments_exchanged_on_resuming(patch, side):
    def load_state(original, optimizer, arrays, steps):
        other = {"first_moment": "second_moment", "second_moment": "first_moment"}
        names = {f"{other[name.partition('.')[0]]}.{name.partition('.')[2]}": name for name in arrays}
        original(optimizer, {name: arrays[own] for name, own in names.items()}, steps)

    side.change(patch, "training.Optimizer", "load_state", load_state)


def second_bias_trained(patch, side):
    """As stock PyTorch does: both biases of a layer get the same gradient, so their sum moves twice as far."""

    def make(original, layer, *given, **named):
        original(layer, *given, **named)
        layer.bias_hh = side.framework.nn.Parameter(side.framework.zeros_like(layer.bias_ih))

    def start(original, training, model, config, **named):
        original(training, model, config, **named)
        first = [each for each in training.bindings if each.parameters[0].name.endswith("bias_ih")]
        weights = dict(model.named_parameters())
        training.optimizer.pairs = [
            (each.variable.detach(), weights[each.parameters[0].name.replace("_ih", "_hh")].detach()) for each in first
        ]

    def apply(original, optimizer, gradients, learning_rate, steps):
        before = [variable.clone() for variable, _ in optimizer.pairs]
        original(optimizer, gradients, learning_rate, steps)
        for (variable, second), old in zip(optimizer.pairs, before, strict=True):
            second.add_(variable - old)

    side.change(patch, "recurrent.RecurrentLayer", "__init__", make)
    side.change(patch, "training.TrainingStep", "__init__", start)
    side.change(patch, "training.Optimizer", "apply", apply)


LOSS, LOSSES = "loss with dropout and label smoothing", "losses of 3 steps"
FIRST, SECOND = "step 1 first_moment.source_embedding.weight", "step 1 second_moment.source_embedding.weight"
MOVED = "step 1 parameter source_embedding.weight"
# The fault, the config it shows in, the first rung that breaks, the tensor that is named, and in which panels.
FAULTS = [
    (target_not_shifted, "gru", "gradients", LOSS, BACKENDS),
    (loss_averaged_over_padding, "gru", "gradients", LOSS, BACKENDS),
    (loss_of_padding, "gru", "gradients", LOSS, BACKENDS),
    (dropout_masks_of_the_next_step, "gru", "gradients", "step 1, loss", BACKENDS),
    (smoothing_in_validation, "gru", LOSSES, "validation loss", BACKENDS),
    (no_gradient_through_the_keys, "gru", "gradients", "gradient encoder.backward_layers.0.bias_hh", BACKENDS),
    (no_gradient_through_time, "gru", "gradients", "gradient decoder.layers.0.bias_hh", BACKENDS),
    (tied_gradient_of_one_use, "tied", "gradients", "gradient source_embedding.weight", BACKENDS),
    (embedding_gradients_not_summed_in_the_norm, "gru", "gradients", "step 1, gradient norm", ("tensorflow",)),
    (embedding_gradients_not_summed_in_adam, "lstm", "one step", SECOND, ("tensorflow",)),
    (norm_after_clipping, "gru", "gradients", "step 1, gradient norm", BACKENDS),
    (clipped_by_variable, "gru", "one step", FIRST, BACKENDS),
    (clipped_with_an_epsilon, "gru", "one step", FIRST, BACKENDS),
    (keras_epsilon, "gru", "one step", MOVED, BACKENDS),
    (epsilon_before_the_correction, "gru", "one step", MOVED, BACKENDS),
    (betas_in_float32, "gru", "one step", FIRST, BACKENDS),
    (learning_rate_in_float32, "gru", "one step", MOVED, BACKENDS),
    (correction_one_step_ahead, "gru", "one step", MOVED, BACKENDS),
    (decay_decoupled, "gru", "one step", FIRST, BACKENDS),
    (decay_coupled, "lstm", "one step", FIRST, BACKENDS),
    (other_momentum, "rnn", LOSSES, "step 2 velocity.source_embedding.weight", BACKENDS),
    (steps_forgotten_on_resuming, "gru", LOSSES, "step 2 parameter source_embedding.weight", BACKENDS),
    (moments_exchanged_on_resuming, "gru", LOSSES, "step 2 first_moment.source_embedding.weight", BACKENDS),
    (second_bias_trained, "lstm", LOSSES, "step 1, then encoder.forward_layers.0, without weights", ("pytorch",)),
]
CASES = [
    pytest.param(
        *(fault, config, rung, tensor, backend),
        id=f"{fault.__name__}-{backend}",
        marks=pytest.mark.slow if len(backends) == 2 and backend == "tensorflow" else (),  # traces its graphs anew
    )
    for fault, config, rung, tensor, backends in FAULTS
    for backend in backends
]


@pytest.mark.parametrize(("fault", "config", "rung", "tensor", "backend"), CASES)
def test_a_fault_breaks_its_rung_first_and_is_located(bench, monkeypatch, fault, config, rung, tensor, backend):
    steps = 3 if rung == LOSSES else 1
    bench.prepare(config, steps, located=steps)
    fault(monkeypatch, bench.sides[backend])
    broken = bench.broken(config, backend, steps)
    assert broken[0].name == rung
    found = bench.locate(config, backend, steps)
    assert found.tensor == tensor, str(found)
