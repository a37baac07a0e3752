"""What a model says of the reference itself: how often its best next token is right, and how surprised it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from diptych.data.tokens.batches import collate, validation_batches
from diptych.data.tokens.encoded import EncodedPairs
from diptych.search.stepper import Stepper


@dataclass(frozen=True)
class Forced:
    """A model that reads the reference token by token (teacher forcing).

    Attributes:
        tokens: how many target tokens there are, eos counted.
        correct: of how many of them the most probable token is the right one.
        loss: the mean negative log-likelihood of a token, in nats.
    """

    tokens: int
    correct: int
    loss: float

    @property
    def accuracy(self) -> float:
        """The percentage of tokens that are right."""
        return 100.0 * self.correct / self.tokens

    @property
    def perplexity(self) -> float:
        """e to the power of the loss."""
        return math.exp(self.loss)


def forced(stepper: Stepper, pairs: EncodedPairs, batch_size: int = 64) -> Forced:
    """Read every target of these pairs, and look at each next token's log-probabilities before it is read."""
    tokens = correct = 0
    loss = 0.0
    for rows in validation_batches(pairs, batch_size):
        batch = collate(pairs, rows)
        state = stepper.start(batch.source, batch.source_lengths)
        for step in range(batch.target_output.shape[1]):
            table, _, state = stepper.step(state, np.ascontiguousarray(batch.target_input[:, step]))
            real = np.flatnonzero(step < batch.target_lengths)
            right = batch.target_output[real, step]
            correct += int((table[real].argmax(axis=1) == right).sum())
            loss -= float(table[real, right].astype(np.float64).sum())
            tokens += len(real)
    return Forced(tokens, correct, loss / tokens)
