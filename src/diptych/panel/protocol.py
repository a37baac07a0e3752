"""What a panel offers: the seam between a framework and everything that uses one.

A panel is a module: `diptych.tensorflow`, `diptych.pytorch` or `diptych.reference`. What is `Any` here is a tensor, a
nest of tensors or a part of a model, in the framework's own type; only the panel itself looks into one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeGuard

import numpy as np
import numpy.typing as npt

from diptych.config import ModelConfig, Precision, TrainingConfig
from diptych.data.tokens.batches import Batch
from diptych.errors import BackendError
from diptych.parameters.grid import Rounding, Tie
from diptych.parameters.specification import Parameter
from diptych.search.stepper import Stepper

Array = npt.NDArray[Any]
Masks = Mapping[str, npt.NDArray[np.bool_]]
"""Dropout masks by place, True where a number is kept; without any there is no dropout."""


class StepResult(NamedTuple):
    """What one step tells.

    Attributes:
        loss: label-smoothed cross-entropy per real token, before the step.
        gradient_norm: the global norm of the gradient, before clipping.
        rounding: what rounding the weights told; None where training is not exact, or the step was skipped.
        stop: whether one of the workers that share the step asked all to stop after it.
    """

    loss: float
    gradient_norm: float
    rounding: Rounding | None = None
    stop: bool = False

    @property
    def is_finite(self) -> bool:
        """Whether both are numbers: where a config says so, a step of which one is not has changed nothing."""
        return math.isfinite(self.loss) and math.isfinite(self.gradient_norm)


def real_positions(batch: Batch) -> npt.NDArray[np.intp]:
    """Which of the B * T target positions of a batch are real: (N,) int64, ascending."""
    steps = np.arange(batch.target_output.shape[1])
    return np.flatnonzero(steps[None, :] < batch.target_lengths[:, None])


class Model(Protocol):
    """A recurrent sequence-to-sequence model in one framework."""

    config: ModelConfig
    precision: Precision
    specification: dict[str, Parameter]
    bridge: Any
    decoder: Any
    source_embedding: Any

    def __call__(self, source: Any, source_lengths: Any, target_input: Any, masks: Any = None) -> tuple[Any, Any]:
        """Teacher forcing: sources (B, S), their lengths (B,), targets (B, T); gives logits (B, T, V), weights."""

    def read(self, source: Any, source_lengths: Any, masks: Any = None) -> tuple[Any, list[Any]]:
        """The encoder's memory (B, S, M), and the final state of each of its layers."""

    def encode(self, source: Any, source_lengths: Any, masks: Any = None) -> tuple[Any, Any]:
        """What the decoder sees of the source, and its first state."""

    def with_factors(self, embedded: Any) -> Any:
        """Source vectors (B, S, E) with those of the first tags at every position: added, or behind (B, S, ...)."""

    def features(self, source: Any, source_lengths: Any, target_input: Any, masks: Any = None) -> tuple[Any, Any]:
        """What the output layer sees (B, T, F), and the attention's weights (B, T, S)."""

    def embed_target(self, tokens: Any, masks: Any = None) -> Any:
        """Target tokens (...) give vectors (..., E)."""

    def project(self, features: Any, chosen: Any = None) -> Any:
        """Features (..., F) give logits (..., V); of chosen words (..., U)."""

    def known(self, tokens: Any) -> Any:
        """Tokens (...) as the embeddings have them: one that is only copied is read as an unknown one."""

    def gate(self, features: Any) -> Any:
        """Features (..., F) give the logit (...) of saying a token, not copying one; only where the model copies."""


class ModelMaker(Protocol):
    """What a panel calls `Model`."""

    def __call__(
        self,
        config: ModelConfig,
        source_vocabulary_size: int,
        target_vocabulary_size: int,
        precision: Precision = "float32",
        choices: Mapping[str, str] | None = None,
    ) -> Any:
        """A `Model` of zeros; the panel's `load_parameters` gives it its weights, `choose` its choices."""


class Binding(Protocol):
    """One trained variable of a panel's model, and the weights of the specification in it."""

    name: str
    layer: str
    variable: Any
    parameters: tuple[Parameter, ...]

    def pack(self, values: Mapping[str, Array]) -> Array:
        """The variable's value from the specification's arrays, by name; a copy."""

    def unpack(self, value: Array) -> dict[str, Array]:
        """The specification's arrays, by name, from a value shaped like the variable; copies."""

    def locate(self, index: tuple[int, ...]) -> tuple[str, int]:
        """Which of the specification's numbers lies there in the variable: its name, and where, row after row."""


class Others(Protocol):
    """What the workers of one training do together; each has to ask for it."""

    size: int

    def trade(self, values: Any) -> Any:
        """Give row k of a tensor (size, N) to worker k; the rows (size, N) that all gave to this one, in order."""

    def collect(self, values: Any) -> Any:
        """What each worker has, a tensor (N,), as rows (size, N) in order."""


class Exchange(Others, Protocol):
    """The workers of one training, as a framework's own means of communication connect them."""

    def add(self, values: Any) -> Any:
        """The sum over all workers of such a tensor of whole numbers (N,) int64; each has to ask for it."""

    def silence(self) -> dict[int, float]:
        """Give a sign of life; for how many seconds others, by number, have given none, as far as this one knows."""

    def close(self) -> None:
        """Leave the others."""


class TrainingStep(Protocol):
    """Trains a model one batch at a time; keeps the optimizer's state."""

    model: Any
    config: TrainingConfig
    decided: Sequence[Tie] | None
    others: Others | None

    @property
    def steps(self) -> int:
        """Optimizer steps done, without those that were skipped."""

    @property
    def compilations(self) -> int:
        """How often a part of training was compiled so far."""

    def step(self, batch: Batch, masks: Masks, learning_rate: float) -> StepResult:
        """Train on one batch."""

    def step_over(self, parts: Sequence[tuple[Batch, Masks]], learning_rate: float) -> StepResult:
        """One optimizer step on several batches and their masks: their gradients added up (equation 20)."""

    def step_shards(
        self, shards: Sequence[tuple[Batch, Masks]], tokens: int, learning_rate: float, stop: bool = False
    ) -> StepResult:
        """One optimizer step on shards of batches with so many tokens in all, and on those of the other workers."""

    def gradients(self, batch: Batch, masks: Masks) -> tuple[float, dict[str, Array]]:
        """The loss per real token and its gradient by the name of each trained weight; changes nothing."""

    def evaluate(self, batch: Batch) -> float:
        """The summed negative log-likelihood of a batch's real tokens: no smoothing, no dropout."""

    def predict(self, batch: Batch, masks: Masks) -> Array:
        """The most probable token at each target position (B, T), given the batch's tokens before it; 0 at padding."""

    def swap_average(self) -> None:
        """Exchange the weights and their moving average, if there is one."""

    def export_state(self) -> dict[str, Array]:
        """The optimizer's moments by name, and what the weights are swapped with as `swapped.NAME`; copies."""

    def export_remainders(self) -> dict[str, Array]:
        """How far each weight was from its multiple at the last rounding, as a share of the spacing; copies."""

    def load_state(self, arrays: Mapping[str, Array], steps: int) -> None:
        """Go on from what `export_state` gave after so many steps, in whichever panel."""


class ProductTimer(Protocol):
    """Times one matrix product."""

    def seconds(self, repetitions: int) -> float:
        """The seconds that one product takes, as the mean of so many in a row."""


class Panel(Protocol):
    """What each of the three panels offers."""

    @property
    def Model(self) -> ModelMaker:
        """Makes a `Model` of zeros."""

    def load_parameters(self, model: Any, parameters: Mapping[str, Array]) -> None:
        """Set the model's weights from arrays by name, cast to the model's precision; the arrays are copied."""

    def export_parameters(self, model: Any) -> dict[str, Array]:
        """The model's weights as arrays by name, in the specification's order; copies."""

    def bindings(self, model: Any) -> list[Any]:
        """Every trained variable of the model as a `Binding`, in the specification's order."""

    def assign(self, variable: Any, value: Array) -> None:
        """Set a variable to a value of the same shape, cast to the variable's type."""

    def Stepper(self, model: Any, compiled: bool = True) -> Stepper:
        """Drives a model one target token at a time: what `diptych.search` calls."""

    def cross_entropy(self, logits: Any, targets: Any, label_smoothing: float = 0.0) -> Any:
        """The summed label-smoothed cross-entropy of N tokens: logits (N, V), targets (N,)."""

    def copying_cross_entropy(
        self, logits: Any, gate: Any, weights: Any, copies: Any, targets: Any, label_smoothing: float = 0.0
    ) -> Any:
        """The summed loss of N tokens where each is said or copied: weights and the source's tokens (N, S)."""

    def select_positions(self, values: Any, positions: Any) -> Any:
        """Take the given places of (B, T, ...) read as B * T rows: (N, ...)."""

    def apply_dropout(self, inputs: Any, masks: dict[str, Any], place: str, rate: float) -> Any:
        """Keep inputs where the mask of this place is True, scaled by 1 / (1 - rate)."""

    def to_tensor(self, array: Array) -> Any:
        """An array as a tensor on the panel's device; a copy."""

    def to_array(self, tensor: Any) -> Array:
        """A tensor as an array; bfloat16 becomes float32."""

    def configure(self, threads: int | None = None, device: str = "auto") -> None:
        """Set the number of threads (None: the framework's own choice) and the device: auto, cpu or cuda."""

    def versions(self) -> dict[str, str]:
        """The versions of the framework and what it stands on."""

    def choices(self) -> dict[str, str]:
        """What this process chose by measuring, by name."""

    def choose(self, weights: Mapping[str, Parameter], precision: Precision) -> dict[str, str]:
        """Choose by measuring, unless this process has, what is fastest for a model of these weights."""


class TrainingPanel(Panel, Protocol):
    """What the panel of a framework offers beside; `diptych.reference` does not train."""

    def TrainingStep(self, model: Any, config: TrainingConfig, compiled: bool = True) -> TrainingStep:
        """Trains the model, starting with a fresh optimizer."""

    def ProductTimer(self, part: str, left: Array, right: Array, precision: Precision) -> ProductTimer:
        """Times a "forward", "input gradient" or "weight gradient" product of (m, k) and (k, n)."""

    def Exchange(self, rank: int, addresses: Sequence[str], size: int) -> Exchange:
        """Joins the others, of whom there are `size` with this one; this is number `rank`, from 0."""

    def settle(self, choices: Mapping[str, str]) -> None:
        """Do not measure, but keep to what another process chose."""


def trains(panel: Panel) -> TypeGuard[TrainingPanel]:
    """Whether a panel trains: the two frameworks' do."""
    return hasattr(panel, "TrainingStep")


def training_panel(panel: Panel) -> TrainingPanel:
    """The panel, if it trains.

    Raises:
        BackendError: it is the reference, which does not.
    """
    if not trains(panel):
        raise BackendError("got the reference, which does not train; train with tensorflow or pytorch")
    return panel
