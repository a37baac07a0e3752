"""The model that is trained: a panel's model and its optimizer, from the initial values or from a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy.typing as npt

from diptych.data.tokens.batches import EncodedPairs
from diptych.errors import CheckpointError
from diptych.panel import load, training_panel
from diptych.parameters.checkpoint import Checkpoint
from diptych.processes.environment import environment
from diptych.runs.run import Run
from diptych.search import Stepper
from diptych.training.memory import out_of_memory
from diptych.training.schedule import Work, take_step
from diptych.training.scheduled_sampling import own_tokens_mixed_in, own_tokens_mixed_in_shards
from diptych.training.state import TrainingState
from diptych.training.tensorboard import attention_pictures
from diptych.translation.translator import Translator
from diptych.workers.group import Workers


class Learner:
    """A model and its optimizer in one framework.

    Attributes:
        choices: what the framework chose by measuring, by name; a run keeps to it.
        model: the panel's model.
        training: the panel's training step.
    """

    def __init__(
        self,
        run: Run,
        backend: str,
        checkpoint: Checkpoint | None,
        *,
        state: TrainingState,
        threads: int | None,
        device: str,
        workers: Workers | None = None,
    ) -> None:
        """Import the framework and make the model and the optimizer; the run notes under which circumstances.

        Args:
            run: what is trained.
            backend: with which framework.
            checkpoint: whose weights and moments to go on with; None: the run's initial values.
            state: where in training that is.
            threads: how many the framework may use; None leaves that to it.
            device: auto, cpu or cuda.
            workers: those that share the training; None: nobody does.

        Raises:
            BackendError: the framework is not installed, or the device is not there.
            CheckpointError: the checkpoint has not all that the optimizer goes on from.
        """
        self._run, self._backend = run, backend
        self._panel = panel = training_panel(load(backend, threads, device))
        panel.settle(state.choices.get(backend, {}))
        workers = workers or Workers()
        if workers.size > 1:  # one chooses for all
            chosen = panel.choose(run.specification, run.config.training.arithmetic) if workers.leads else None
            panel.settle(workers.share(chosen))
        self.model = run.build(panel, checkpoint.parameters if checkpoint else None)
        self.training = panel.TrainingStep(self.model, run.config.training)
        if checkpoint:
            try:
                self.training.load_state(checkpoint.optimizer, state.updates)
            except KeyError as error:
                raise CheckpointError(
                    f"the checkpoint of step {state.place.step} has no {error.args[0]}, which the optimizer of "
                    f"{backend} goes on from: it was altered; train anew with --overwrite"
                ) from error
            self.training.swap_average()  # a checkpoint's model is the average
        if workers.size > 1:
            self.training.others = workers
        self.choices: Mapping[str, str] = panel.choices()
        circumstances = {"threads": threads, "device": device, "workers": workers.size}
        if workers.leads:
            told = {"versions": panel.versions(), "choices": self.choices}
            run.write_environment(backend, environment() | circumstances | told)

    def step(self, work: Work, rate: float, *, step: int, last_step: int, stop: bool = False) -> Any:
        """One optimizer step; gives its loss per target token and the gradient's norm before clipping.

        Args:
            work: the batch, or the batches whose gradients are added up, with their dropout masks.
            rate: the learning rate.
            step: optimizer steps done before.
            last_step: how many there will be in all.
            stop: where several workers share the step: whether this one asks all to stop after it.

        Raises:
            RunError: memory ran out.
        """
        config = self._run.config.training
        try:
            if work.shards is not None:
                parts = own_tokens_mixed_in_shards(
                    work.shards, self.training.predict, config, step=step, last_step=last_step
                )
                return self.training.step_shards(parts, work.target_tokens, learning_rate=rate, stop=stop)
            parts = own_tokens_mixed_in(work.parts, self.training.predict, config, step=step, last_step=last_step)
            return take_step(self.training, parts, rate)
        except Exception as error:
            batches = [work.batch] if not work.shards else [shard.batch for shard in work.shards]
            largest = max(batches, key=lambda batch: batch.target_tokens)
            if explained := out_of_memory(error, self._run, largest):
                raise explained from error
            raise

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """While this lasts, the model's weights are their moving average, if there is one."""
        self.training.swap_average()
        try:
            yield
        finally:
            self.training.swap_average()

    def checkpoint(self, state: TrainingState) -> Checkpoint:
        """The weights and moments as they are, at this place in training."""
        return Checkpoint(self.parameters(), self.training.export_state(), state.to_json())

    def parameters(self) -> dict[str, npt.NDArray[Any]]:
        """The weights as they are, by name."""
        return self._panel.export_parameters(self.model)

    @cached_property
    def stepper(self) -> Stepper:
        """Searches with the model as it is."""
        return self._panel.Stepper(self.model)

    def translator(self) -> Translator:
        """Translates with the model as it is."""
        return Translator(self._run, self.stepper, self._backend)

    def pictures(self, pairs: EncodedPairs) -> dict[str, bytes]:
        """The attention over the first of these pairs, as PNG by name, see `attention_pictures`."""
        return attention_pictures(self.stepper, pairs, self._run)
