"""One training step: forward, loss, gradients, clipping, optimizer (docs/equations.md, 14 to 25)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from diptych.config import TrainingConfig
from diptych.data.tokens.batches import Batch
from diptych.panel.protocol import Masks, Others, StepResult, real_positions
from diptych.parameters.freezing import frozen_weights
from diptych.parameters.grid import Tie
from diptych.pytorch.grid import Grid, Rounded
from diptych.pytorch.loss import copying_cross_entropy, cross_entropy, select_positions
from diptych.pytorch.model import Model
from diptych.pytorch.optimizer import MovingAverage, Optimizer
from diptych.pytorch.private import add_each, scale_each
from diptych.pytorch.process import denormals_flushed
from diptych.pytorch.recurrent import apply_dropout
from diptych.pytorch.shard_sum import ShardSum
from diptych.pytorch.weights import assign, bindings, to_array


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

    @property
    def steps(self) -> int:
        """Optimizer steps done, without those that were skipped."""
        return self.optimizer.steps

    @property
    def compilations(self) -> int:
        """How often a part of training was compiled so far."""
        return 0

    def step(self, batch: Batch, masks: Masks, learning_rate: float) -> StepResult:
        """Train on one batch with the given dropout masks (none: no dropout) and learning rate.

        A step whose loss or gradient is not finite changes nothing if the config says `non_finite = "skip"`: weights,
        moments and the count of steps are then what they would be had there been no such batch.
        """
        self.optimizer.steps += 1
        inputs, keep = self._to_tensors(batch, masks)
        with denormals_flushed():
            loss, norm, rounded = self._train(inputs, keep, learning_rate=learning_rate, steps=self.steps)
        return self._result(loss.item(), norm.item(), rounded)

    def step_over(self, parts: Sequence[tuple[Batch, Masks]], learning_rate: float) -> StepResult:
        """One optimizer step on several batches and their masks: their gradients added up (equation 20)."""
        self.optimizer.steps += 1
        tokens = sum(batch.target_tokens for batch, _ in parts)
        gradients = [torch.zeros_like(binding.variable) for binding in self.bindings]
        loss = gradients[0].new_zeros(())
        with denormals_flushed():
            for batch, masks in parts:
                share = batch.target_tokens / tokens
                part, added = self._gradients(*self._to_tensors(batch, masks))
                loss = loss + share * part.detach()
                add_each(gradients, added, share)
            norm, rounded = self._update(loss, gradients, learning_rate=learning_rate, steps=self.steps)
        return self._result(loss.item(), norm.item(), rounded)

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
        with denormals_flushed():
            parts = (
                (*self._gradients(*self._to_tensors(batch, masks)), batch.target_tokens) for batch, masks in shards
            )
            loss, gradients, faults, stops = self.sum.of(parts, tokens, stop, self.others)
            if faults:
                return StepResult(math.nan, math.nan, stop=stops > 0)
            self.optimizer.steps += 1
            norm, rounded = self._update(loss, gradients, learning_rate=learning_rate, steps=self.steps)
        return self._result(loss.item(), norm.item(), rounded)._replace(stop=stops > 0)

    def gradients(self, batch: Batch, masks: Masks) -> tuple[float, dict[str, np.ndarray]]:
        """The loss per real token and its gradient by the name of each trained weight; changes nothing."""
        loss, gradients = self._gradients(*self._to_tensors(batch, masks))
        exported: dict[str, np.ndarray] = {}
        for binding, gradient in zip(self.bindings, gradients, strict=True):
            exported |= binding.unpack(to_array(gradient))
        return loss.item(), {name: exported[name] for name in self.model.specification if name in exported}

    def evaluate(self, batch: Batch) -> float:
        """The summed negative log-likelihood of a batch's real tokens: no smoothing, no dropout."""
        with torch.inference_mode():
            return self._evaluate(*self._to_tensors(batch, {})).item()

    def predict(self, batch: Batch, masks: Masks) -> np.ndarray:
        """The most probable token at each target position (B, T), given the batch's tokens before it; 0 at padding."""
        inputs, keep = self._to_tensors(batch, masks)
        predicted = np.zeros(batch.target_output.shape, np.int32)
        with torch.inference_mode():
            predicted.flat[inputs.positions.cpu().numpy()] = self._predict(inputs, keep).cpu().numpy()
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
        self.average.update(self.steps)
        return result._replace(rounding=rounding)

    def _train(
        self, inputs: Inputs, masks: dict[str, Tensor], learning_rate: float, steps: int
    ) -> tuple[Tensor, Tensor, Rounded]:
        """One optimizer step: the loss per real token and the gradient's norm, before it, and what rounding left."""
        loss, gradients = self._gradients(inputs, masks)
        return loss, *self._update(loss, gradients, learning_rate=learning_rate, steps=steps)

    def _update(
        self, loss: Tensor, gradients: list[Tensor], learning_rate: float, steps: int
    ) -> tuple[Tensor, Rounded]:
        """Clip the gradients and change the variables, unless this step is skipped.

        In exact training the moving average is left as it is: `_result` may still turn a near tie.

        Returns:
            The norm before clipping, and what rounding left; of no variables where nothing was rounded.
        """
        # Not `torch.nn.utils.get_total_norm`: in float32 it is off by 1e-5 for a matrix of a million numbers.
        norm = torch.sqrt(torch.stack([gradient.square().sum() for gradient in gradients]).sum())
        if self.config.non_finite == "skip" and not torch.isfinite(torch.stack([loss, norm])).all():
            return norm, Rounded([], [], [])
        if self.config.clip_norm > 0.0:
            scale_each(gradients, torch.clamp(self.config.clip_norm / norm, max=1.0))
        self.optimizer.apply(gradients, learning_rate, steps)
        if not self.grid.bindings:
            self.average.update(steps)
        return norm, self.grid.round()

    def _gradients(self, inputs: Inputs, masks: dict[str, Tensor]) -> tuple[Tensor, list[Tensor]]:
        """The loss per real token and the gradient of each variable, dense."""
        loss = self._loss(inputs, masks, self.config.label_smoothing) / len(inputs.positions)
        variables = [binding.variable for binding in self.bindings]
        gradients = torch.autograd.grad(loss, variables, allow_unused=True)
        return loss, [_like(variable, gradient) for variable, gradient in zip(variables, gradients, strict=True)]

    def _evaluate(self, inputs: Inputs, masks: dict[str, Tensor]) -> Tensor:
        """The summed negative log-likelihood: the loss without smoothing."""
        return self._loss(inputs, masks, 0.0)

    def _predict(self, inputs: Inputs, masks: dict[str, Tensor]) -> Tensor:
        """The most probable token at each real target position (N,)."""
        return torch.argmax(self._logits(inputs, masks), dim=-1)

    def _loss(self, inputs: Inputs, masks: dict[str, Tensor], label_smoothing: float) -> Tensor:
        """The summed loss over real target positions."""
        targets = select_positions(inputs.target_output, inputs.positions)
        if not self.model.config.copies:
            return cross_entropy(self._logits(inputs, masks), targets, label_smoothing)
        features, weights = self._seen(inputs, masks)
        logits, gate = self.model.project(features), self.model.gate(features)
        copies = inputs.source[inputs.positions // inputs.target_output.shape[1]]  # (N, S)
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
        device = self.bindings[0].variable.device
        arrays = (batch.source, batch.source_lengths, batch.target_input, batch.target_output, real_positions(batch))
        inputs = Inputs(*(torch.from_numpy(array).to(device) for array in arrays))
        return inputs, {place: torch.from_numpy(mask).to(device) for place, mask in masks.items()}


def _like(variable: Tensor, gradient: Tensor | None) -> Tensor:
    """A variable's gradient, laid out in memory as the variable.

    Where nothing depends on the variable (a bridge of zeros, say) it is zeros.
    """
    if gradient is None:
        return torch.zeros_like(variable)
    return gradient if gradient.stride() == variable.stride() else torch.empty_like(variable).copy_(gradient)
