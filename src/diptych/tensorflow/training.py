"""One training step: forward, loss, gradients, clipping, optimizer (docs/equations.md, 14 to 25)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow import Tensor

from diptych.config import TrainingConfig
from diptych.data.tokens.batches import Batch
from diptych.panel.protocol import Masks, Others, StepResult, real_positions
from diptych.parameters.freezing import frozen_weights
from diptych.parameters.grid import Tie
from diptych.parameters.specification import dropout_shapes
from diptych.tensorflow.grid import Grid, Rounded
from diptych.tensorflow.loss import copying_cross_entropy, cross_entropy, select_positions
from diptych.tensorflow.model import Model
from diptych.tensorflow.optimizer import MovingAverage, Optimizer
from diptych.tensorflow.recurrent import apply_dropout
from diptych.tensorflow.shard_sum import ShardSum
from diptych.tensorflow.weights import assign, bindings, to_array


class Inputs(NamedTuple):
    """A batch as tensors, and which of its B * T target positions are real (N,)."""

    source: Tensor
    source_lengths: Tensor
    target_input: Tensor
    target_output: Tensor
    positions: Tensor


class TrainingStep:
    """Trains a model one batch at a time; keeps the optimizer's state.

    Attributes:
        model: the model that is trained.
        config: the training config.
        bindings: the variables that are trained: all but those that the config freezes.
        decided: the near ties of the next step in a run that went first, whose decisions are taken over; None: no run.
        others: adds up what all workers of a training have; None: this process trains alone.
    """

    def __init__(self, model: Model, config: TrainingConfig, compiled: bool = True) -> None:
        """Start with a fresh optimizer; `load_state` goes on from an earlier one.

        Args:
            model: what to train.
            config: how.
            compiled: whether TensorFlow traces the model as a graph: that takes seconds, and each call less from then
                on. PyTorch and NumPy compute without one.
        """
        self.model = model
        self.config = config
        frozen = frozen_weights(config.freeze, model.specification)
        self.bindings = [each for each in bindings(model) if each.parameters[0].name not in frozen]
        self.optimizer = Optimizer(self.bindings, config)
        exact = config.precision == "exact"
        self.grid = Grid(self.bindings if exact else [], config.grid_exponent)
        self.average = MovingAverage(self.bindings, config.ema_decay, exact)
        self.sum = ShardSum(self.bindings, config.shards * config.accumulate)
        self.decided: Sequence[Tie] | None = None
        self.others: Others | None = None
        self.compiled = compiled
        # XLA makes one pass over each variable, instead of one for every operation.
        self._apply: Any = tf.function(self._update, jit_compile=True, autograph=False) if compiled else self._update
        take_in = self.average.update  # by itself in exact training alone
        self._take_in: Any = tf.function(take_in, jit_compile=True, autograph=False) if compiled else take_in
        self._graphs: dict[tuple[str, bool], Callable[..., Any]] = {}

    @property
    def steps(self) -> int:
        """Optimizer steps done, without those that were skipped."""
        return self.optimizer.steps

    @property
    def compilations(self) -> int:
        """How often a part of training was compiled so far."""
        passes = (self._apply, self._take_in) if self.compiled else ()
        return len(self._graphs) + sum(each.experimental_get_tracing_count() for each in passes)

    def step(self, batch: Batch, masks: Masks, learning_rate: float) -> StepResult:
        """Train on one batch with the given dropout masks (none: no dropout) and learning rate.

        A step whose loss or gradient is not finite changes nothing if the config says `non_finite = "skip"`: weights,
        moments and the count of steps are then what they would be had there been no such batch.
        """
        self.optimizer.steps += 1
        inputs, keep = self._to_tensors(batch, masks)
        numbers = tf.constant(learning_rate, tf.float64), tf.constant(self.steps, tf.int64)
        loss, norm, rounded = self._graph(self._train, inputs, keep, *numbers)
        return self._result(float(loss), float(norm), rounded)

    def step_over(self, parts: Sequence[tuple[Batch, Masks]], learning_rate: float) -> StepResult:
        """One optimizer step on several batches and their masks: their gradients added up (equation 20)."""
        self.optimizer.steps += 1
        tokens = sum(batch.target_tokens for batch, _ in parts)
        gradients = [tf.zeros_like(binding.variable) for binding in self.bindings]
        loss = tf.zeros([], gradients[0].dtype)
        for batch, masks in parts:
            share = batch.target_tokens / tokens
            part, added = self._graph(self._gradients, *self._to_tensors(batch, masks))
            loss = loss + share * part
            gradients = [total + share * gradient for total, gradient in zip(gradients, added, strict=True)]
        numbers = tf.constant(learning_rate, tf.float64), tf.constant(self.steps, tf.int64)
        norm, rounded = self._apply(loss, gradients, *numbers)
        return self._result(float(loss), float(norm), rounded)

    def step_shards(
        self, shards: Sequence[tuple[Batch, Masks]], tokens: int, learning_rate: float, stop: bool = False
    ) -> StepResult:
        """One optimizer step on this worker's shards of the batches and on all others' (equation 25).

        Where a shard's loss or gradient is not finite, the step changes nothing, and its loss is NaN.

        Args:
            shards: rows of the step's batches, each with its masks; none where there are more workers than shards.
            tokens: real target positions of all batches of the step.
            learning_rate: the learning rate.
            stop: whether this worker asks all to stop after this step.
        """
        parts = (
            (*self._graph(self._gradients, *self._to_tensors(batch, masks)), batch.target_tokens)
            for batch, masks in shards
        )
        loss, gradients, faults, stops = self.sum.of(parts, tokens, stop, self.others)
        if faults:
            return StepResult(math.nan, math.nan, stop=stops > 0)
        self.optimizer.steps += 1
        numbers = tf.constant(learning_rate, tf.float64), tf.constant(self.steps, tf.int64)
        norm, rounded = self._apply(loss, gradients, *numbers)
        return self._result(float(loss), float(norm), rounded)._replace(stop=stops > 0)

    def gradients(self, batch: Batch, masks: Masks) -> tuple[float, dict[str, np.ndarray]]:
        """The loss per real token and its gradient by the name of each trained weight; changes nothing."""
        loss, gradients = self._graph(self._gradients, *self._to_tensors(batch, masks))
        exported: dict[str, np.ndarray] = {}
        for binding, gradient in zip(self.bindings, gradients, strict=True):
            exported |= binding.unpack(to_array(gradient))
        return float(loss), {name: exported[name] for name in self.model.specification if name in exported}

    def evaluate(self, batch: Batch) -> float:
        """The summed negative log-likelihood of a batch's real tokens: no smoothing, no dropout."""
        return float(self._graph(self._evaluate, *self._to_tensors(batch, {})))

    def predict(self, batch: Batch, masks: Masks) -> np.ndarray:
        """The most probable token at each target position (B, T), given the batch's tokens before it; 0 at padding."""
        inputs, keep = self._to_tensors(batch, masks)
        predicted = np.zeros(batch.target_output.shape, np.int32)
        predicted.flat[inputs.positions.numpy()] = self._graph(self._predict, inputs, keep).numpy()
        return predicted

    def swap_average(self) -> None:
        """Exchange the weights and their moving average, if there is one."""
        self.average.swap()

    def export_state(self) -> dict[str, np.ndarray]:
        """The optimizer's moments by name, and what the weights are swapped with as `swapped.NAME`; copies."""
        exported = self.optimizer.export_state()
        for value, binding in zip(self.average.values, self.average.bindings, strict=True):
            exported |= {f"swapped.{name}": array for name, array in binding.unpack(to_array(value)).items()}
        return exported

    def export_remainders(self) -> dict[str, np.ndarray]:
        """How far each weight was from its multiple at the last rounding, as a share of the spacing; copies."""
        exported: dict[str, np.ndarray] = {}
        for remainders, binding in zip(self.grid.remainders, self.grid.bindings, strict=True):
            exported |= binding.unpack(to_array(remainders))
        return exported

    def load_state(self, arrays: Mapping[str, np.ndarray], steps: int) -> None:
        """Go on from what `export_state` gave after so many steps, in whichever panel."""
        self.optimizer.load_state(arrays, steps)
        for value, binding in zip(self.average.values, self.average.bindings, strict=True):
            names = [parameter.name for parameter in binding.parameters]
            assign(value, binding.pack({name: arrays[f"swapped.{name}"] for name in names}))

    def _result(self, loss: float, norm: float, rounded: Rounded) -> StepResult:
        """What a step tells, once near ties are settled and averaged; one that was skipped does not count."""
        result = StepResult(loss, norm)
        if self.config.non_finite == "skip" and not result.is_finite:
            self.optimizer.steps -= 1
            return result
        if not self.grid.bindings:
            return result
        rounding = self.grid.settle(rounded, self.decided)
        if self.average.bindings:
            self._take_in(tf.constant(self.steps, tf.int64))
        return result._replace(rounding=rounding)

    def _train(
        self, inputs: Inputs, masks: dict[str, Tensor], learning_rate: Tensor, steps: Tensor
    ) -> tuple[Tensor, Tensor, Rounded]:
        """One optimizer step: the loss per real token and the gradient's norm, before it, and what rounding left."""
        loss, gradients = self._gradients(inputs, masks)
        return loss, *self._apply(loss, gradients, learning_rate=learning_rate, steps=steps)

    def _update(
        self, loss: Tensor, gradients: list[Tensor], learning_rate: Tensor, steps: Tensor
    ) -> tuple[Tensor, Rounded]:
        """Clip the gradients and change the variables, unless this step is skipped.

        In exact training the moving average is left as it is: `_result` may still turn a near tie.

        Returns:
            The norm before clipping, and what rounding left; of no variables where nothing was rounded.
        """
        norm = tf.sqrt(tf.add_n([tf.reduce_sum(tf.square(gradient)) for gradient in gradients]))

        def change() -> Rounded:
            clipped = gradients
            if self.config.clip_norm > 0.0:
                scale = tf.minimum(self.config.clip_norm / norm, tf.ones([], norm.dtype))
                clipped = [gradient * scale for gradient in gradients]
            self.optimizer.apply(clipped, learning_rate, steps)
            if not self.grid.bindings:
                self.average.update(steps)
            return self.grid.round()

        if self.config.non_finite == "skip":
            return norm, tf.cond(tf.math.is_finite(loss) & tf.math.is_finite(norm), change, self.grid.round)
        return norm, change()

    def _gradients(self, inputs: Inputs, masks: dict[str, Tensor]) -> tuple[Tensor, list[Tensor]]:
        """The loss per real token and the gradient of each variable, dense."""
        with tf.GradientTape() as tape:
            loss = self._loss(inputs, masks, self.config.label_smoothing)
            loss = loss / tf.cast(tf.size(inputs.positions), loss.dtype)
        variables = [binding.variable.value for binding in self.bindings]
        # Where nothing depends on a variable (a bridge of zeros, say) its gradient is zeros.
        gradients = tape.gradient(loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        # An embedding's gradient comes as one row per token; made dense, equal tokens' rows are summed.
        return loss, [tf.convert_to_tensor(gradient) for gradient in gradients]

    def _evaluate(self, inputs: Inputs, masks: dict[str, Tensor]) -> Tensor:
        """The summed negative log-likelihood: the loss without smoothing."""
        return self._loss(inputs, masks, 0.0)

    def _predict(self, inputs: Inputs, masks: dict[str, Tensor]) -> Tensor:
        """The most probable token at each real target position (N,)."""
        return tf.argmax(self._logits(inputs, masks), axis=-1)

    def _loss(self, inputs: Inputs, masks: dict[str, Tensor], label_smoothing: float) -> Tensor:
        """The summed loss over real target positions."""
        targets = select_positions(inputs.target_output, inputs.positions)
        if not self.model.config.copies:
            return cross_entropy(self._logits(inputs, masks), targets, label_smoothing)
        features, weights = self._seen(inputs, masks)
        logits, gate = self.model.project(features), self.model.gate(features)
        copies = tf.gather(inputs.source, inputs.positions // tf.shape(inputs.target_output, tf.int64)[1])  # (N, S)
        return copying_cross_entropy(
            logits, gate, weights=weights, copies=copies, targets=targets, label_smoothing=label_smoothing
        )

    def _logits(self, inputs: Inputs, masks: dict[str, Tensor]) -> Tensor:
        """The logits at real target positions (N, V): only these are projected to the vocabulary."""
        return self.model.project(self._seen(inputs, masks)[0])

    def _seen(self, inputs: Inputs, masks: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """What the output layer sees at real target positions (N, F), and the attention's weights there (N, S)."""
        features, weights = self.model.features(
            inputs.source, inputs.source_lengths, target_input=inputs.target_input, masks=masks
        )
        features = apply_dropout(features, masks, place="output", rate=self.model.config.dropout)
        if not self.model.config.copies:  # then nobody asks for the weights
            return select_positions(features, inputs.positions), weights
        return select_positions(features, inputs.positions), select_positions(weights, inputs.positions)

    def _to_tensors(self, batch: Batch, masks: Masks) -> tuple[Inputs, dict[str, Tensor]]:
        """A batch and its dropout masks on the model's device."""
        arrays = (batch.source, batch.source_lengths, batch.target_input, batch.target_output, real_positions(batch))
        inputs = Inputs(*(tf.constant(array) for array in arrays))
        return inputs, {place: tf.constant(mask) for place, mask in masks.items()}

    def _graph(self, function: Callable[..., Any], inputs: Inputs, masks: dict[str, Tensor], *numbers: Tensor) -> Any:
        """Call a method as a graph, traced once with and once without masks, for any batch size and lengths.

        As nowhere in this panel, Python's own `if` and `for` depend on no tensor: there is nothing that AutoGraph would
        have to translate.
        """
        if not self.compiled:
            return function(inputs, masks, *numbers)
        key = (function.__name__, bool(masks))
        if key not in self._graphs:
            shapes = dropout_shapes(self.model.config, 0, source=0, target=0)
            specs = (
                Inputs(*(tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype) for tensor in inputs)),
                {place: tf.TensorSpec([None, None, shapes[place][-1]], tf.bool) for place in masks},
                *(tf.TensorSpec([], number.dtype) for number in numbers),
            )
            self._graphs[key] = tf.function(function, autograph=False).get_concrete_function(*specs)
        return self._graphs[key](inputs, masks, *numbers)
