"""A shortlist: the few target words that may be said of a source, so that the output layer projects these alone.

Jean et al., 2015 (sections 3.2 and 5); L'Hostis et al., 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from diptych.data.tokens.vocabulary import EOS, UNK
from diptych.search.stepper import Ids, Reals, Rows, Stepper


@dataclass(frozen=True, eq=False)
class Shortlist:
    """The target words of each source word.

    Attributes:
        size: V, of the target's vocabulary.
        always: (A,) ids that may be said of any source; unk and eos are added.
        offsets: (W + 1,) where the words of each of the W source ids begin and end.
        words: (N,) the ids of the target words of all source ids, one after the other.
    """

    size: int
    always: Ids
    offsets: npt.NDArray[np.int64]
    words: Ids

    @classmethod
    def of(cls, size: int, always: Sequence[int], by_source: Sequence[Sequence[int]]) -> Shortlist:
        """A shortlist from the target ids of each source id."""
        offsets = np.cumsum([0, *map(len, by_source)])
        words = np.array([word for each in by_source for word in each], np.int32)
        return cls(size, np.array(always, np.int32), offsets, words)

    def of_source(self, source: Ids | Sequence[int]) -> Ids:
        """The ids, ascending, that may be said of a source of S ids."""
        parts = [self.words[self.offsets[token] : self.offsets[token + 1]] for token in np.unique(source)]
        return np.unique(np.concatenate([np.array([EOS, UNK], np.int32), self.always, *parts]))


@runtime_checkable
class Projecting(Stepper, Protocol):
    """A stepper that can leave the other words' products out: each panel's, and ONNX Runtime's."""

    def restrict(self, state: Any, words: Ids) -> Any:
        """The same state, whose steps give the log-probabilities (N, U) of these words (U,) as if these were all.

        One that cannot leaves the state as it is.
        """


class ShortlistState(NamedTuple):
    """Everything the next step depends on, one row per hypothesis.

    Attributes:
        inner: the state of the stepper inside.
        sentences: (N,) which sentence of the search each row translates.
        words: (U,) the ids that are projected: those of all its sentences.
        allowed: (B, U) which of them may be said of each sentence.
    """

    inner: Any
    sentences: Rows
    words: Ids
    allowed: npt.NDArray[np.bool_]


class Shortlisted:
    """A stepper over another one: minus infinity for what is not on a sentence's list, and the rest sums to 1.

    What a sentence may say depends on itself alone, whatever the batch: the words of all its sentences are projected
    together, and each keeps its own. A stepper that is not `Projecting` projects all words before.
    """

    def __init__(self, stepper: Stepper, shortlist: Shortlist) -> None:
        """Drive this stepper with that shortlist."""
        self.stepper, self.shortlist = stepper, shortlist

    def start(self, source: Ids, source_lengths: Ids) -> ShortlistState:
        """Read the source (B, S) of the given lengths (B,): the state before the first token."""
        lists = [self.shortlist.of_source(row[:length]) for row, length in zip(source, source_lengths, strict=True)]
        words = np.unique(np.concatenate(lists))
        allowed = np.array([np.isin(words, each, assume_unique=True) for each in lists])
        inner = self.stepper.start(source, source_lengths)
        if isinstance(self.stepper, Projecting):
            inner = self.stepper.restrict(inner, words)
        return ShortlistState(inner, np.arange(len(source)), words=words, allowed=allowed)

    def step(self, state: ShortlistState, tokens: Ids) -> tuple[Reals, Reals, ShortlistState]:
        """Feed one token to each of N rows: log-probabilities (N, V), attention (N, S) and the next state."""
        found, weights, inner = self.stepper.step(state.inner, tokens)
        table = found if found.shape[1] == len(state.words) else found[:, state.words]
        allowed = state.allowed[state.sentences]
        if not (allowed.all() and table.shape == found.shape):  # else it sums to 1 as it is
            table = np.where(allowed, table, table.dtype.type(-np.inf))
            table -= table.max(axis=1, keepdims=True)
            table -= np.log(np.exp(table).sum(axis=1, keepdims=True))
        whole = np.full((len(tokens), self.shortlist.size), -np.inf, found.dtype)
        whole[:, state.words] = table
        return whole, weights, state._replace(inner=inner)

    def reorder(self, state: ShortlistState, rows: Rows) -> ShortlistState:
        """The state whose k-th row is row `rows[k]` of this one; rows may repeat or be left out."""
        return state._replace(inner=self.stepper.reorder(state.inner, rows), sentences=state.sentences[rows])
