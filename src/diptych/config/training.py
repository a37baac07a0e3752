"""How the model is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from diptych.config.section import (
    Fraction,
    Natural,
    NaturalReal,
    Positive,
    PositiveReal,
    Precision,
    Section,
    Seed,
    TrainingPrecision,
    key,
)

Schedule = Literal["constant", "linear", "cosine", "inverse_square_root", "exponential", "one_cycle", "plateau"]
StopMetric = Literal["loss", "bleu", "chrf", "exact_match"]


class TrainingConfig(Section):
    """How the model is trained."""

    epochs: Positive = key(4, "How often every training pair is seen.", "epochs")
    maximum_steps: Natural = key(0, "Stop after so many optimizer steps, whatever the epoch; 0: no limit.", "steps")
    batch_by: Literal["sentences", "tokens"] = key(
        "sentences",
        "What batch_size counts: sentences, or target tokens with eos and padding (rows times the longest target).",
    )
    batch_size: Positive = key(64, "How much is in a batch.", "pairs or tokens, as batch_by says")
    optimizer: Literal["adam", "adamw", "sgd"] = key("adam", "What makes a step of a gradient, as PyTorch defines it.")
    learning_rate: PositiveReal = key(0.004, "The size of an optimizer step, at its largest.")
    schedule: Schedule = key(
        "cosine",
        "How the learning rate goes on after its warm-up: it stays, falls as the name says, goes up and down "
        "(one_cycle), or falls whenever validations get no better (plateau).",
    )
    warmup_steps: Natural = key(0, "In so many steps the learning rate first rises from zero, in a line.", "steps")
    minimum_learning_rate: NaturalReal = key(0.0, "After the warm-up the learning rate is at least this.")
    decay_rate: Annotated[float, Field(gt=0.0, le=1.0)] = key(
        0.9998, "For schedule exponential: what is left of the learning rate after each step."
    )
    rise_share: Annotated[float, Field(gt=0.0, le=0.5)] = key(
        0.45, "For schedule one_cycle: in which share of all steps it rises, and then in which it falls back."
    )
    plateau_factor: Annotated[float, Field(gt=0.0, lt=1.0)] = key(
        0.5, "For schedule plateau: what the learning rate is multiplied by."
    )
    plateau_patience: Positive = key(
        2, "For schedule plateau: after so many validations in a row that were no better.", "validations"
    )
    beta1: Fraction = key(0.9, "For adam and adamw: how much of the gradient's moving average is kept at each step.")
    beta2: Fraction = key(0.999, "For adam and adamw: the same of the squared gradient's.")
    epsilon: PositiveReal = key(1e-8, "For adam and adamw: what keeps them from dividing by zero.")
    momentum: Fraction = key(0.0, "For sgd: how much of its velocity is kept at each step.")
    weight_decay: NaturalReal = key(
        0.0, "Pulls weights towards zero: through the gradient for adam and sgd (L2), by itself for adamw."
    )
    clip_norm: NaturalReal = key(
        1.0, "Gradients are scaled by min(1, clip_norm / global norm), all weights together; 0: never."
    )
    label_smoothing: Fraction = key(
        0.0, "The probability that is spread over the whole vocabulary instead of given to the right token."
    )
    accumulate: Positive = key(
        1, "The gradients of so many batches, weighted by their target tokens, make one optimizer step.", "batches"
    )
    shards: Positive = key(
        1,
        "Each batch is computed in so many parts, each padded by itself, whose gradients are added up: so many workers "
        "at most can share a training, and however many do, the weights are the same.",
        "shards",
    )
    teacher_forcing: Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)] = key(
        1.0,
        "The share of target positions that read the reference's token in training; the others read what the model "
        "itself takes to be the most probable one (scheduled sampling).",
    )
    teacher_forcing_decay: Literal["none", "linear", "inverse_sigmoid"] = key(
        "none", "Whether teacher_forcing is constant, or how it falls from 1 to what it is at the end."
    )
    ema_decay: Fraction = key(
        0.0, "Above 0, for instance 0.999: what is validated and kept is a moving average of the weights."
    )
    precision: TrainingPrecision = key(
        "float32",
        "What numbers are computed in; bfloat16 is for matrix products only, the rest is float32. exact: float64, and "
        "each step rounds every weight to a grid, so that a whole training has the same bits in both frameworks, with "
        "any number of threads and on any processor.",
    )
    grid_exponent: Annotated[int, Field(ge=8, le=32)] = key(
        20, "For precision exact: weights are multiples of 2 to the power of minus this."
    )
    start_from: str = key(
        "",
        "Start from the weights of a model that is there, instead of drawing them: RUN[:BACKEND[:CHECKPOINT]] or a "
        ".safetensors file, relative to the config file. The run keeps a copy.",
        example="../runs/base",
    )
    start_vocabulary: Literal["kept", "extended", "new"] = key(
        "kept",
        "With start_from a run: its vocabularies are kept, or extended by the new tokens of this corpus, or made anew; "
        "rows are taken over by token, those of new tokens are drawn.",
    )
    source_embeddings: str = key(
        "",
        "Start with embeddings of the source's tokens that are there: a file of word2vec (.bin or text), fastText "
        "(.vec, or .bin, which has vectors of unseen words, too) or GloVe, relative to the config file. Tokens that it "
        'has not are drawn; freeze = ["source_embedding.weight"] leaves all as they are.',
        example="../glove.6B.100d.txt",
    )
    target_embeddings: str = key("", "The same for the target's tokens.", example="../cc.ko.300.bin")
    freeze: tuple[str, ...] = key(
        (),
        "Weights whose names match one of these patterns stay what they were to the last bit: they have no moments and "
        "do not count in the norm that clip_norm limits. `diptych summary CONFIG` lists the names.",
        example=["encoder.*"],
    )
    seed: Seed = key(1, "Initial values, the order of batches and dropout masks follow from it.")
    validate_every: Natural = key(
        0, "Validate, and write a checkpoint, every so many steps; 0: at the end of each epoch.", "steps"
    )
    stop_metric: StopMetric = key(
        "loss", "Which validation is the best: that of the lowest loss, or of the highest score of greedy translations."
    )
    validation_sentences: Natural | None = key(
        None,
        "So many validation sentences, from the first, are translated and scored at each validation; 0: all. Left "
        "out: 500 if stop_metric is a score, else none.",
        "sentences",
        example=500,
    )
    patience: Natural = key(0, "Stop after so many validations without a better one; 0: never.", "validations")
    non_finite: Literal["stop", "skip"] = key(
        "stop", "A loss or gradient that is NaN or infinite: stop training, or skip the step and count it."
    )
    keep_checkpoints: Positive = key(
        2, "How many of the newest checkpoints are kept; --checkpoint average-latest is their mean.", "checkpoints"
    )
    keep_best: Positive = key(
        1, "How many of the best checkpoints are kept; --checkpoint average-best is their mean.", "checkpoints"
    )

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
    def starts_elsewhere(self) -> bool:
        """Whether training starts from values that are not all drawn: the run keeps a copy of them."""
        return bool(self.start_from or self.source_embeddings or self.target_embeddings)

    @property
    def arithmetic(self) -> Precision:
        """What is computed with: float64 where training is exact."""
        return "float64" if self.precision == "exact" else self.precision

    @property
    def scores_translations(self) -> bool:
        """Whether validation sentences are translated and scored at each validation."""
        return self.validation_sentences is not None or self.stop_metric != "loss"
