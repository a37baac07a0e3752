"""What each bridged difference is worth: `python benchmarks/ablation.py [CONFIG] [--steps N] [--threads N]`.

Both panels train the same model from the same weights in float64, with dropout, clipping, label smoothing and weight
decay on. Then the bridges are taken away one at a time: one panel does what its framework's own parts do, the other
stays as it is. Printed are the largest gap in the loss curve and the largest gap of a weight at the end, beside those
of the bridged panels. What concerns an LSTM's biases is measured on the same model with LSTM cells.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

from diptych.config import RunConfig, read_config
from diptych.ladder.ladder import temporary_run
from diptych.ladder.rungs import first_works, ladder_config, starting_parameters
from diptych.panel import BACKENDS
from diptych.parameters.specification import dropout_shapes
from diptych.processes.call import call
from diptych.randomness import dropout_masks, generator
from diptych.runs.run import Run
from diptych.training.schedule import Work

NAMES = {"tensorflow": "TensorFlow", "pytorch": "PyTorch"}
ROWS = 32


@dataclass
class Setting:
    """What one training is made of, for a cause to change."""

    panel: ModuleType
    config: RunConfig
    works: list[Work]
    parameters: dict[str, np.ndarray]
    changes: ExitStack = field(default_factory=ExitStack)

    def module(self, name: str) -> Any:
        """One of the panel's modules."""
        return importlib.import_module(f"{self.panel.__name__}.{name}")

    def change(self, owner: Any, name: str, value: Any) -> Any:
        """Put something in the place of an attribute; returns what was there."""
        before = getattr(owner, name)
        self.changes.enter_context(patch.object(owner, name, value))
        return before

    def train_with(self, **choices: Any) -> None:
        """Change the training config."""
        self.config = self.config.model_copy(update={"training": self.config.training.model_copy(update=choices)})


@dataclass(frozen=True)
class Cause:
    """A difference between the frameworks: what it is, which panel goes back to it, and on which cell."""

    text: str
    backend: str
    install: Callable[[Setting], None]
    cell: str = ""


def embedding_rows_not_summed(setting: Setting, where: str) -> None:
    """The gradient's rows of equal tokens are squared one by one for `where`: the global norm or Adam."""
    training = setting.module("training")
    tf = training.tf

    def squares(gradient: Any) -> Any:
        if not isinstance(gradient, tf.IndexedSlices):
            return tf.square(gradient)
        indices = tf.reshape(gradient.indices, [-1, 1])
        return tf.scatter_nd(indices, tf.square(gradient.values), tf.cast(gradient.dense_shape, indices.dtype))

    def train(self: Any, inputs: Any, masks: Any, learning_rate: Any, steps: Any) -> Any:
        with patch.object(training, "tf", Instead(tf, convert_to_tensor=lambda gradient: gradient)):
            loss, slices = self._gradients(inputs, masks)
        dense = [tf.convert_to_tensor(gradient) for gradient in slices]
        unsummed = [squares(gradient) for gradient in slices]
        norm = tf.sqrt(sum(map(tf.reduce_sum, unsummed if where == "norm" else map(tf.square, dense))))
        scale = tf.minimum(self.config.clip_norm / norm, 1.0)
        # Adam's weight decay is decoupled here, so that what it squares is the gradient alone.
        scaled = iter([square * scale**2 for square in unsummed])
        functions = {"square": lambda gradient: next(scaled)} if where == "adam" else {}
        with patch.object(setting.module("optimizer"), "tf", Instead(tf, **functions)):
            self.optimizer.apply([gradient * scale for gradient in dense], learning_rate, steps)
        return loss, norm

    setting.change(training.TrainingStep, "_train", train)


class Instead:
    """A module in which some names mean something else."""

    def __init__(self, module: Any, **names: Any) -> None:
        self.__dict__.update(names, _module=module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def second_bias_trained(setting: Setting) -> None:
    """Both of a layer's biases get the bias's gradient, so their sum moves twice as far."""
    training, layer = setting.module("training"), setting.module("recurrent").RecurrentLayer

    def make(self: Any, *sizes: Any) -> None:
        before(self, *sizes)
        self.bias_hh = training.torch.nn.Parameter(training.torch.zeros_like(self.bias_ih))

    def start(self: Any, model: Any, config: Any) -> None:
        started(self, model, config)
        weights = dict(model.named_parameters())
        self.optimizer.second = {
            binding.parameters[0].name: weights[binding.parameters[0].name.replace("_ih", "_hh")]
            for binding in self.bindings
            if binding.parameters[0].name.endswith("bias_ih")
        }
        self.optimizer.optimizer.add_param_group({"params": list(self.optimizer.second.values())})

    def apply(self: Any, gradients: Any, *numbers: Any) -> None:
        for binding, gradient in zip(self.bindings, gradients, strict=True):
            if binding.parameters[0].name in self.second:
                self.second[binding.parameters[0].name].grad = gradient.clone()
        applied(self, gradients, *numbers)

    def export(model: Any) -> dict[str, np.ndarray]:
        second = {name: value for name, value in model.named_parameters() if name.endswith("bias_hh")}
        sums = {name.replace("_hh", "_ih"): setting.panel.to_array(value) for name, value in second.items()}
        return {name: value + sums.get(name, 0.0) for name, value in exported(model).items()}

    before = setting.change(layer, "__init__", make)
    started = setting.change(training.TrainingStep, "__init__", start)
    applied = setting.change(training.Optimizer, "apply", apply)
    exported = setting.change(setting.panel, "export_parameters", export)


def epsilon_before_the_correction(setting: Setting, epsilon: float) -> None:
    """Keras adds epsilon to the root of the uncorrected second moment."""
    training = setting.module("training")
    tf = training.tf

    def apply(self: Any, gradients: Any, learning_rate: Any, steps: Any) -> None:
        root = tf.sqrt(1.0 - tf.pow(tf.constant(self.config.beta2, tf.float64), tf.cast(steps, tf.float64)))
        self.config, config = Instead(self.config, epsilon=epsilon / root), self.config
        applied(self, gradients, learning_rate, steps)
        self.config = config

    applied = setting.change(training.Optimizer, "apply", apply)


def betas_in_float32(setting: Setting) -> None:
    """Keras computes the bias correction from betas rounded to float32, in a float64 model too."""
    training = setting.module("training")
    tf = training.tf

    def constant(value: Any, dtype: Any = None) -> Any:
        return tf.constant(float(np.float32(value)) if isinstance(value, float) else value, dtype)

    def apply(self: Any, *arguments: Any) -> None:
        with patch.object(setting.module("optimizer"), "tf", Instead(tf, constant=constant)):
            applied(self, *arguments)

    applied = setting.change(training.Optimizer, "apply", apply)


def clip(setting: Setting, clipped: Callable[[list[Any], float], list[Any]]) -> None:
    """Gradients are clipped by another formula."""
    limit, training = setting.config.training.clip_norm, setting.module("training")
    setting.train_with(clip_norm=0.0)

    def apply(self: Any, gradients: Any, *numbers: Any) -> None:
        applied(self, clipped(gradients, limit), *numbers)

    applied = setting.change(training.Optimizer, "apply", apply)


def clipped_with_an_epsilon(setting: Setting) -> None:
    """PyTorch's formula: limit / (norm + 1e-6)."""

    def clipped(gradients: list[Any], limit: float) -> list[Any]:
        norm = sum(gradient.square().sum() for gradient in gradients) ** 0.5
        return [gradient * (limit / (norm + 1e-6)).clamp(max=1.0) for gradient in gradients]

    clip(setting, clipped)


def clipped_by_variable(setting: Setting) -> None:
    """Keras's clipnorm: each variable by its own norm."""
    tf = setting.module("training").tf
    clip(setting, lambda gradients, limit: [tf.clip_by_norm(gradient, limit) for gradient in gradients])


def loss_of_padding(setting: Setting, counted: bool) -> None:
    """The mean is over all positions: what stands at padding is counted too, or only divided by."""
    training = setting.module("training")
    if counted:
        setting.change(training, "real_positions", lambda batch: np.arange(batch.target_output.size))
        return

    def loss(self: Any, inputs: Any, *arguments: Any) -> Any:
        tf = training.tf
        real, places = tf.size(inputs.positions), tf.size(inputs.target_output)
        return computed(self, inputs, *arguments) * tf.cast(real / places, tf.float64)

    computed = setting.change(training.TrainingStep, "_loss", loss)


def masks_drawn_separately(setting: Setting) -> None:
    """Dropout masks of another seed."""
    model = setting.config.model
    for step, work in enumerate(setting.works):
        (rows, source), target = work.batch.source.shape, work.batch.target_output.shape[1]
        shapes = dropout_shapes(model, rows, source, target)
        setting.works[step] = replace(work, masks=dropout_masks(2, step, shapes, model.dropout))


def batches_in_another_order(setting: Setting) -> None:
    """The same batches, put into another order."""
    order = generator(2, "ablation").permutation(len(setting.works))
    setting.works[:] = [setting.works[place] for place in order]


def keras_initial_values(setting: Setting) -> None:
    """Embeddings uniform within 0.05; all gates as one matrix, Glorot's or with orthogonal columns; biases zero."""
    for name, value in setting.parameters.items():
        random = generator(1, "ablation", name)
        if name.endswith("embedding.weight"):
            setting.parameters[name] = random.uniform(-0.05, 0.05, value.shape)
        elif name.endswith("weight_hh"):
            columns, _ = np.linalg.qr(random.standard_normal(value.shape))
            setting.parameters[name] = columns
        elif value.ndim == 2:
            limit = np.sqrt(6.0 / sum(value.shape))
            setting.parameters[name] = random.uniform(-limit, limit, value.shape)
        else:
            setting.parameters[name] = np.zeros(value.shape)


def pytorch_initial_values(setting: Setting) -> None:
    """Embeddings normal; recurrent layers within 1/sqrt(H), dense ones within 1/sqrt(inputs), biases likewise."""
    shapes = {name: value.shape for name, value in setting.parameters.items()}
    for name, shape in shapes.items():
        random, layer = generator(1, "ablation", name), name.rpartition(".")[0]
        if name.endswith("embedding.weight"):
            setting.parameters[name] = random.standard_normal(shape)
        else:
            inputs = shapes.get(f"{layer}.weight_hh", shapes.get(f"{layer}.weight"))[1]
            setting.parameters[name] = random.uniform(-(inputs**-0.5), inputs**-0.5, shape)


CAUSES = [
    Cause("embedding rows not summed before Adam", "tensorflow", lambda s: embedding_rows_not_summed(s, "adam")),
    Cause("embedding rows not summed before clipping", "tensorflow", lambda s: embedding_rows_not_summed(s, "norm")),
    Cause("second bias trained (lstm)", "pytorch", second_bias_trained, "lstm"),
    Cause("epsilon 1e-7, before the correction", "tensorflow", lambda s: epsilon_before_the_correction(s, 1e-7)),
    Cause("epsilon before the correction", "tensorflow", lambda s: epsilon_before_the_correction(s, 1e-8)),
    Cause("epsilon 1e-7", "tensorflow", lambda s: s.train_with(epsilon=1e-7)),
    Cause("betas rounded to float32", "tensorflow", betas_in_float32),
    Cause("clipping by limit / (norm + 1e-6)", "pytorch", clipped_with_an_epsilon),
    Cause("clipping by variable", "tensorflow", clipped_by_variable),
    Cause("weight decay coupled", "pytorch", lambda s: s.train_with(optimizer="adam")),
    Cause("dropout masks drawn separately", "tensorflow", masks_drawn_separately),
    Cause("loss divided by padding too", "tensorflow", lambda s: loss_of_padding(s, counted=False)),
    Cause("loss counts padding (no mask)", "tensorflow", lambda s: loss_of_padding(s, counted=True)),
    Cause("Keras's initial values", "tensorflow", keras_initial_values),
    Cause("PyTorch's initial values", "pytorch", pytorch_initial_values),
    Cause("batches in another order", "tensorflow", batches_in_another_order),
]


def train_all(panel: ModuleType, folders: dict[str, str], steps: int, backend: str) -> dict[str, Any]:
    """Train one panel with its bridges, on each cell, and then without one after the other: losses and weights."""
    found = {}
    bridged = [Cause(f"bridged {cell}", backend, lambda setting: None, cell) for cell in folders]
    for cause in [*bridged, *(cause for cause in CAUSES if cause.backend == backend)]:
        run = Run.open(folders[cause.cell or "config"])
        config = ladder_config(run.config, "float64", ROWS)
        # AdamW, whose decay is decoupled, whatever the config says: what is coupled or not is one of the causes.
        training = config.training.model_copy(update={"optimizer": "adamw"})
        config = config.model_copy(update={"training": training})
        works, parameters = list(first_works(run, config, steps)), dict(starting_parameters(run, ""))
        setting = Setting(panel, config, works, parameters)
        with setting.changes:
            cause.install(setting)
            found[cause.text] = train(setting, run)
    return found


def train(setting: Setting, run: Run) -> dict[str, Any]:
    """The losses of some steps, how often the gradient was clipped, and the weights at the end."""
    panel, config = setting.panel, setting.config
    model = replace(run, config=config).build(panel, setting.parameters, "float64")
    training = panel.TrainingStep(model, config.training)
    results = [training.step(work.batch, work.masks, config.training.learning_rate) for work in setting.works]
    clipped = sum(result.gradient_norm > config.training.clip_norm for result in results)
    losses = np.array([result.loss for result in results])
    return {"losses": losses, "clipped": clipped, "parameters": panel.export_parameters(model)}


def gaps(ours: dict[str, Any], others: dict[str, Any]) -> tuple[float, float]:
    """The largest gap in the loss curves, and of a weight at the end."""
    weights = (np.abs(value - others["parameters"][name]).max() for name, value in ours["parameters"].items())
    return float(np.abs(ours["losses"] - others["losses"]).max()), float(max(weights))


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?", type=Path, help="a TOML config; by default the phrasebook's")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1, help="processor threads for each of the two processes")
    arguments = parser.parse_args()
    config = read_config(arguments.config) if arguments.config else RunConfig()
    lstm = config.model_copy(update={"model": config.model.model_copy(update={"cell": "lstm"})})
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent)  # where the two processes find this file
    with temporary_run(config) as run, temporary_run(lstm) as lstm_run, ThreadPoolExecutor(len(BACKENDS)) as pool:
        folders = {"config": str(run.folder), "lstm": str(lstm_run.folder)}
        jobs = {
            backend: pool.submit(
                call,
                backend,
                "ablation:train_all",
                {"folders": folders, "steps": arguments.steps, "backend": backend},
                arguments.threads,
            )
            for backend in BACKENDS
        }
        found = {backend: job.result() for backend, job in jobs.items()}

    bridged = {cell: gaps(*(found[backend][f"bridged {cell}"] for backend in BACKENDS)) for cell in folders}
    print(f"{config.name}, {arguments.steps} steps in float64, {ROWS} pairs a batch; {platform.platform()}")
    clipped = found["pytorch"]["bridged config"]["clipped"]
    print(f"gradients clipped in {clipped} steps; largest gaps of the loss and of the weights at the end\n")
    print(f"{'bridge taken away':<44}{'in':<12}{'loss':>10}{'weights':>10}")
    print(f"{'none':<56}{bridged['config'][0]:>10.1e}{bridged['config'][1]:>10.1e}")
    print(f"{'none (lstm)':<56}{bridged['lstm'][0]:>10.1e}{bridged['lstm'][1]:>10.1e}")
    for cause in CAUSES:
        other = BACKENDS[1 - BACKENDS.index(cause.backend)]
        healthy = found[other][f"bridged {cause.cell or 'config'}"]
        loss, weights = gaps(found[cause.backend][cause.text], healthy)
        print(f"{cause.text:<44}{NAMES[cause.backend]:<12}{loss:>10.1e}{weights:>10.1e}")


if __name__ == "__main__":
    main()
