"""Which of the catalogue's differences matter to a run: those that its config brings into play, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from diptych.config import RunConfig
from diptych.differences.catalogue import entries
from diptych.differences.entry import Entry

EVERY = "every model of this kind"

Reason = Callable[[RunConfig], str]
"""What in a config brings a difference into play; "" if nothing does."""


@dataclass(frozen=True)
class Relevant:
    """A difference that matters to a run.

    Attributes:
        entry: the catalogue's.
        reason: what brings it into play: a line of the config, or `EVERY`.
    """

    entry: Entry
    reason: str


def relevant(config: RunConfig, device: str = "cpu") -> list[Relevant]:
    """The differences that matter to a run of this config: first those that its choices bring, then the rest.

    Args:
        config: the run's.
        device: where it is computed: "auto", "cpu" or "cuda".
    """
    reasons = {name: reason(config) for name, reason in REASONS.items()}
    if device == "cuda" and config.training.precision == "float32":
        reasons["tensor_float_32"] = "precision = float32 on a GPU"
    relevant_entries = [Relevant(entry, reasons[entry.name]) for entry in entries() if reasons[entry.name]]
    return sorted(relevant_entries, key=lambda each: each.reason == EVERY)


def _every(config: RunConfig) -> str:
    return EVERY


def _never(config: RunConfig) -> str:
    """Nothing that a config can say, or what Diptych never lets happen."""
    return ""


def _gru(config: RunConfig) -> str:
    return "cell = gru" if config.model.cell == "gru" else ""


def _one_bias(config: RunConfig) -> str:
    return f"cell = {config.model.cell}" if config.model.cell in ("lstm", "rnn") else ""


def _lstm(config: RunConfig) -> str:
    return "cell = lstm" if config.model.cell == "lstm" else ""


def _bidirectional(config: RunConfig) -> str:
    return "bidirectional = true" if config.model.bidirectional else ""


def _bidirectional_lstm(config: RunConfig) -> str:
    return "cell = lstm, bidirectional = true" if config.model.bidirectional and config.model.cell == "lstm" else ""


def _attention(config: RunConfig) -> str:
    return f"attention = {config.model.attention}" if config.model.attention != "none" else ""


def _dot(config: RunConfig) -> str:
    return "attention = dot" if config.model.attention == "dot" else ""


def _dropout(config: RunConfig) -> str:
    return f"dropout = {config.model.dropout:g}" if config.model.dropout else ""


def _adam(config: RunConfig) -> str:
    return f"optimizer = {config.training.optimizer}" if config.training.optimizer.startswith("adam") else ""


def _adam_in_float64(config: RunConfig) -> str:
    return f"{_adam(config)}, {_float64(config)}" if _adam(config) and _float64(config) else ""


def _momentum(config: RunConfig) -> str:
    training = config.training
    return f"momentum = {training.momentum:g}" if training.optimizer == "sgd" and training.momentum else ""


def _clipping(config: RunConfig) -> str:
    return f"clip_norm = {config.training.clip_norm:g}" if config.training.clip_norm else ""


def _weight_decay(config: RunConfig) -> str:
    return f"weight_decay = {config.training.weight_decay:g}" if config.training.weight_decay else ""


def _schedule(config: RunConfig) -> str:
    training = config.training
    if training.schedule != "constant":
        return f"schedule = {training.schedule}"
    return f"warmup_steps = {training.warmup_steps}" if training.warmup_steps else ""


def _label_smoothing(config: RunConfig) -> str:
    return f"label_smoothing = {config.training.label_smoothing:g}" if config.training.label_smoothing else ""


def _float64(config: RunConfig) -> str:
    return f"precision = {config.training.precision}" if config.training.arithmetic == "float64" else ""


def _narrow(config: RunConfig) -> str:
    """A float64 number is hardly ever so small."""
    return "" if _float64(config) else f"precision = {config.training.precision}"


def _sampling(config: RunConfig) -> str:
    return f"temperature = {config.search.temperature:g}" if config.search.temperature else ""


REASONS: dict[str, Reason] = {
    "default_initial_values": _every,
    "forget_gate_bias": _lstm,
    "gate_order": _gru,
    "reset_after": _gru,
    "two_biases": _one_bias,
    "weight_orientation": _every,
    "bidirectional_last_output": _bidirectional,
    "bidirectional_states": _bidirectional_lstm,
    "default_outputs": _every,
    "empty_sequences": _never,
    "go_backwards": _bidirectional,
    "masks_with_holes": _never,
    "padded_outputs": _every,
    "time_major": _every,
    "attention_scale": _dot,
    "dropout_over_time": _dropout,
    "dropout_place": _dropout,
    "layer_normalization_epsilon": _never,
    "mask_polarity": _attention,
    "padding_row": _every,
    "training_mode": _dropout,
    "implicit_loss_mask": _every,
    "label_smoothing": _label_smoothing,
    "logits_or_probabilities": _every,
    "weighted_mean": _every,
    "clipping_formula": _clipping,
    "clipping_per_variable": _clipping,
    "embedding_gradients_in_adam": _adam,
    "embedding_gradients_in_clipping": _clipping,
    "epsilon_placement": _adam,
    "gradient_accumulation": _every,
    "learning_rate_schedule": _schedule,
    "momentum_and_learning_rate": _momentum,
    "optimizer_defaults": _every,
    "rounded_constants": _adam_in_float64,
    "weight_decay": _weight_decay,
    "sampling": _sampling,
    "seeds": _every,
    "shuffling": _every,
    "denormal_numbers": _narrow,
    "silent_casts": _float64,
    "tensor_float_32": _never,  # only the device says
    "attention_without_state": _attention,
    "loss_over_padding": _every,
}
"""By entry, when it matters."""
