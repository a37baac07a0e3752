"""What a panel offers to a search, and what every search asks of it."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from diptych.data.tokens.vocabulary import EOS
from diptych.errors import CheckpointError, ConfigError

Ids = npt.NDArray[np.int32]
Rows = npt.NDArray[np.intp]
Reals = npt.NDArray[np.floating[Any]]

FIRST_CHOICE = EOS
"""The lowest id a search may choose: pad and bos lie below. A model gives them some probability all the same, which is
left to them: the log-probabilities of the others are the model's own, not renormalised."""


class Stepper(Protocol):
    """Drives a model one target token at a time; states go in and come out, nothing is remembered between calls."""

    def start(self, source: Ids, source_lengths: Ids) -> Any:
        """Read the source (B, S) of the given lengths (B,): the state before the first token, with B rows."""

    def step(self, state: Any, tokens: Ids) -> tuple[Reals, Reals, Any]:
        """Feed one token to each of N rows.

        Args:
            state: from `start`, `step` or `reorder`, with N rows.
            tokens: (N,) int32.

        Returns:
            The log-probabilities of the next token (N, V), of a model that copies (N, V + S), see
            `diptych.search.copying`; the attention's weights (N, S), all zeros for a model without attention; and the
            next state. The arrays are the caller's: later steps do not change them.
        """

    def reorder(self, state: Any, rows: Rows) -> Any:
        """The state whose k-th row is row `rows[k]` of this one; rows may repeat or be left out."""


def check_request(source: Ids, source_lengths: Ids, maximum_lengths: Ids) -> None:
    """Refuse a search that cannot be run.

    Raises:
        ConfigError: the arrays do not describe the same sentences, or a sentence may have no token.
    """
    if source.ndim != 2 or source_lengths.shape != source.shape[:1] or maximum_lengths.shape != source.shape[:1]:
        raise ConfigError(
            f"a search takes sources (B, S), their lengths (B,) and maximum lengths (B,); got the shapes "
            f"{source.shape}, {source_lengths.shape} and {maximum_lengths.shape}"
        )
    if source_lengths.size and not 1 <= source_lengths.min() <= source_lengths.max() <= source.shape[1]:
        raise ConfigError(
            f"source lengths must be from 1 to {source.shape[1]}, the padded source's length; "
            f"got {source_lengths.min()} to {source_lengths.max()}"
        )
    if maximum_lengths.size and maximum_lengths.min() < 1:
        raise ConfigError(f"maximum lengths count tokens, eos included: give 1 or more, got {maximum_lengths.min()}")


def check_chosen(log_probabilities: Reals) -> None:
    """Refuse a model whose best choices have log-probabilities that are no numbers.

    Raises:
        CheckpointError: one of them is NaN or infinite.
    """
    if not np.isfinite(log_probabilities).all():
        raise CheckpointError(
            "the model's log-probabilities are NaN or infinite: its weights have diverged; translate with an earlier "
            "checkpoint, or train again with a lower learning rate"
        )
