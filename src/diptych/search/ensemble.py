"""An ensemble: several models that say each token together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from diptych.errors import ConfigError
from diptych.search.stepper import Ids, Reals, Rows, Stepper

Average = Literal["probability", "log_probability"]


class Ensemble:
    """A stepper over K steppers of the same vocabularies.

    The probability of a token is the mean of what the members give it; or, for "log_probability", proportional to the
    exponential of the mean of their log-probabilities, so that each of them can veto a token. The attention is the mean
    of the members', those without attention left out.
    """

    def __init__(self, steppers: Sequence[Stepper], average: Average = "probability") -> None:
        """Average these; in which order makes no difference beyond rounding.

        Raises:
            ConfigError: there is none, or no such average.
        """
        if not steppers:
            raise ConfigError("an ensemble has at least one member, got none")
        if average not in get_args(Average):
            raise ConfigError(f"unknown average {average!r}; choose among: {', '.join(get_args(Average))}")
        self.steppers = tuple(steppers)
        self.average = average

    def start(self, source: Ids, source_lengths: Ids) -> tuple[Any, ...]:
        """Each member's state before the first token, see `Stepper.start`."""
        return tuple(stepper.start(source, source_lengths) for stepper in self.steppers)

    def step(self, state: tuple[Any, ...], tokens: Ids) -> tuple[Reals, Reals, tuple[Any, ...]]:
        """Feed one token to each of N rows in every member, see `Stepper.step`.

        Raises:
            ConfigError: the members' vocabularies differ in size.
        """
        each = [stepper.step(part, tokens) for stepper, part in zip(self.steppers, state, strict=True)]
        tables, weights, states = zip(*each, strict=True)
        if len({table.shape for table in tables}) > 1:
            sizes = ", ".join(str(table.shape[1]) for table in tables)
            raise ConfigError(f"an ensemble's members have one vocabulary; got log-probabilities of {sizes} tokens")
        table = average_probability(tables) if self.average == "probability" else average_log_probability(tables)
        looking = [one for one in weights if one.any()] or weights[:1]
        return table, np.mean(looking, axis=0), states

    def reorder(self, state: tuple[Any, ...], rows: Rows) -> tuple[Any, ...]:
        """Each member's state with these rows, see `Stepper.reorder`."""
        return tuple(stepper.reorder(part, rows) for stepper, part in zip(self.steppers, state, strict=True))


def average_probability(tables: Sequence[Reals]) -> Reals:
    """The logarithm (N, V) of the mean of K tables of probabilities, given by their logarithms (N, V).

    No number is above 0, and that of K equal ones is exactly they.
    """
    together = np.array(tables)  # (K, N, V)
    largest = together.max(axis=0)
    largest[largest == -np.inf] = 0.0  # a token that is impossible to all
    together -= largest
    with np.errstate(divide="ignore"):
        mean: Reals = largest + np.log(np.exp(together).sum(axis=0) / len(tables))
    return mean


def average_log_probability(tables: Sequence[Reals]) -> Reals:
    """The mean of K tables of log-probabilities (N, V), each row shifted so that its probabilities sum to 1."""
    mean: Reals = np.mean(tables, axis=0)
    if len(tables) == 1:
        return mean
    largest = mean.max(axis=1, keepdims=True)
    mean -= largest
    mean -= np.log(np.exp(mean).sum(axis=1, keepdims=True))
    return mean
