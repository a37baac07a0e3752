"""How the model is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from diptych.config.section import Fraction, Natural, NaturalReal, Positive, PositiveReal, Precision, Section

Schedule = Literal["constant", "linear", "cosine", "inverse_square_root", "exponential", "one_cycle", "plateau"]
StopMetric = Literal["loss", "bleu", "chrf", "exact_match"]


class TrainingConfig(Section):
    """How the model is trained."""

    epochs: Positive = 4
    # Stop after so many optimizer steps, whatever the epoch (0: no limit).
    maximum_steps: Natural = 0
    # What batch_size counts: sentences, or target tokens, eos and padding included (rows times the longest target).
    batch_by: Literal["sentences", "tokens"] = "sentences"
    batch_size: Positive = 64
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: PositiveReal = 0.004
    # How the learning rate goes on after warmup_steps of linear rise, see diptych/training/learning_rate.py.
    schedule: Schedule = "cosine"
    warmup_steps: Natural = 0
    # After the warm-up the rate is at least this.
    minimum_learning_rate: NaturalReal = 0.0
    # exponential: what is left of the rate after each step.
    decay_rate: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9998
    # one_cycle: the share of the steps in which the rate rises, and then of those in which it falls back.
    rise_share: Annotated[float, Field(gt=0.0, le=0.5)] = 0.45
    # plateau: by what the rate is multiplied after each so many validations in a row that were no better.
    plateau_factor: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    plateau_patience: Positive = 2
    beta1: Fraction = 0.9
    beta2: Fraction = 0.999
    epsilon: PositiveReal = 1e-8
    momentum: Fraction = 0.0
    # L2 for adam and sgd, decoupled for adamw (as in torch.optim).
    weight_decay: NaturalReal = 0.0
    # Gradients are scaled by min(1, clip_norm / global norm); 0: never.
    clip_norm: NaturalReal = 1.0
    label_smoothing: Fraction = 0.0
    # So many batches' gradients are added up, per target token, before each optimizer step.
    accumulate: Positive = 1
    # The share of target positions that read the reference's token; the others read what the model itself takes to
    # be the most probable one (scheduled sampling). It is constant, or falls from 1 to this at the end.
    teacher_forcing: Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)] = 1.0
    teacher_forcing_decay: Literal["none", "linear", "inverse_sigmoid"] = "none"
    # Validate with, and keep, the exponential moving average of the weights: decay a step, for instance 0.999 (0: the
    # weights themselves).
    ema_decay: Fraction = 0.0
    precision: Precision = "float32"
    # Initial values, batch order and dropout masks follow from this seed.
    seed: Natural = 1
    # Validate and write a checkpoint every so many steps (0: at the end of each epoch).
    validate_every: Natural = 0
    # What tells whether a validation is better: its loss (lower), or a score of greedy translations (higher).
    stop_metric: StopMetric = "loss"
    # How many of the validation sentences, from the first, are translated and scored at each validation (0: all).
    # None: 500 if stop_metric is a score, else not any.
    validation_sentences: Natural | None = None
    # Stop after so many validations without a better one (0: never).
    patience: Natural = 0
    # A loss or gradient that is NaN or infinite: stop training, or skip the step and count it.
    non_finite: Literal["stop", "skip"] = "stop"
    # How many of the newest checkpoints are kept, and how many of the best. The mean of the ones or the others'
    # weights is what `--checkpoint average-latest` and `average-best` translate with.
    keep_checkpoints: Positive = 2
    keep_best: Positive = 1

    @model_validator(mode="after")
    def _rates_and_patience_fit(self) -> TrainingConfig:
        if self.minimum_learning_rate > self.learning_rate:
            raise ValueError(
                f"minimum_learning_rate {self.minimum_learning_rate} is above learning_rate {self.learning_rate}: "
                f"lower it, or raise learning_rate"
            )
        if self.schedule == "plateau" and 0 < self.patience <= self.plateau_patience:
            raise ValueError(
                f"patience {self.patience} stops training before plateau_patience {self.plateau_patience} can lower "
                f"the learning rate: give a patience of more than {self.plateau_patience}, or 0"
            )
        return self

    @property
    def scores_translations(self) -> bool:
        """Whether validation sentences are translated and scored at each validation."""
        return self.validation_sentences is not None or self.stop_metric != "loss"
