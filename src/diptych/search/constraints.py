"""Constraints: what a search may not say, masked in the log-probabilities before anything is chosen from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from diptych.data.tokens.vocabulary import EOS, UNK
from diptych.errors import ConfigError
from diptych.search.stepper import FIRST_CHOICE, Ids, Reals, Rows, check_chosen


@dataclass(frozen=True)
class Constraints:
    """What every translation of B sentences must keep to, whatever the search. They never rank: the log-probabilities
    of what is still allowed are the model's own.

    Attributes:
        no_repeat_ngram: no so many tokens in a row come twice in a translation; 0: they may.
        minimum_length: at least so many tokens come before eos.
        forbid_unknown: unk is never said.
        prefixes: (B,) the ids that each translation begins with; empty: none has to begin with anything.

    Raises:
        ConfigError: a number is negative, or a prefix holds a special id or breaks another constraint.
    """

    no_repeat_ngram: int = 0
    minimum_length: int = 0
    forbid_unknown: bool = False
    prefixes: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        for name in ("no_repeat_ngram", "minimum_length"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} is a number from 0 on, got {getattr(self, name)}")
        for prefix in set(self.prefixes):
            if prefix and min(prefix) <= (UNK if self.forbid_unknown else EOS):
                unless = ", nor unk where forbid_unknown is set" if self.forbid_unknown else ""
                raise ConfigError(f"a prefix holds no pad, bos or eos{unless}; got the ids {list(prefix)}")
            repeated = self._first_repeated(prefix)
            if repeated:
                raise ConfigError(
                    f"a prefix and no_repeat_ngram = {self.no_repeat_ngram} exclude each other where the prefix holds "
                    f"the same {self.no_repeat_ngram} token(s) twice, here the ids {list(repeated)}: "
                    f"change the prefix, or set no_repeat_ngram = 0"
                )

    def __bool__(self) -> bool:
        """Whether there is anything to keep to."""
        return bool(self.no_repeat_ngram or self.minimum_length or self.forbid_unknown or any(self.prefixes))

    def needed(self, sentences: int) -> npt.NDArray[np.int32]:
        """(B,) how many tokens there must be room for, eos counted, in each of so many sentences.

        Raises:
            ConfigError: there are prefixes, but not one for each sentence.
        """
        if self.prefixes and len(self.prefixes) != sentences:
            raise ConfigError(f"a search takes one prefix per sentence: got {len(self.prefixes)} for {sentences}")
        lengths = [len(prefix) for prefix in self.prefixes] or [0] * sentences
        return np.maximum(lengths, self.minimum_length).astype(np.int32) + 1

    def check_room(self, maximum_lengths: Ids) -> None:
        """Refuse maximum lengths (B,) at which no translation could end.

        Raises:
            ConfigError: one of them has no room for the minimum length, or for its prefix, and eos.
        """
        needed = self.needed(len(maximum_lengths))
        if (short := np.flatnonzero(needed > maximum_lengths)).size:
            row = int(short[0])
            prefix = len(self.prefixes[row]) if self.prefixes else 0
            raise ConfigError(
                f"maximum_length {maximum_lengths[row]} has no room for minimum_length {self.minimum_length}, a prefix "
                f"of {prefix} token(s), and eos: set maximum_length to {needed[row]} or more, or shorten the others"
            )

    def mask(self, table: Reals, said: Ids, sentences: Rows) -> Reals:
        """Log-probabilities (N, V), with minus infinity for what may not follow.

        A row of nothing else cannot go on: a beam leaves it, as long as the sentence has others.

        Args:
            table: (N, V) the model's own; it stays as it is.
            said: (N, t) the tokens that each row has said so far.
            sentences: (N,) which of the B sentences each row belongs to.

        Raises:
            ConfigError: a sentence has nothing left to say: too few tokens for its minimum length, none of them twice.
            CheckpointError: the model's log-probabilities are no numbers.
        """
        check_chosen(table[:, FIRST_CHOICE:].max(axis=1))
        allowed = np.array(table)
        step = said.shape[1]
        if self.forbid_unknown:
            allowed[:, UNK] = -np.inf
        if step < self.minimum_length:
            allowed[:, EOS] = -np.inf
        if 0 < self.no_repeat_ngram <= step:
            allowed[_repetitions(said, self.no_repeat_ngram)] = -np.inf
        if step < self._forced.shape[1]:
            tokens = self._forced[sentences, step]
            rows = np.flatnonzero(tokens)
            allowed[rows] = -np.inf
            allowed[rows, tokens[rows]] = table[rows, tokens[rows]]
        can_go_on = allowed[:, FIRST_CHOICE:].max(axis=1) > -np.inf
        # Nothing of such a sentence has ended yet, or eos would be allowed.
        if not can_go_on.all() and np.setdiff1d(sentences, sentences[can_go_on]).size:
            raise ConfigError(
                f"after {step} tokens nothing is left to say: minimum_length {self.minimum_length} forbids eos, and "
                f"no_repeat_ngram {self.no_repeat_ngram} every other token; lower one of the two"
            )
        return allowed

    @cached_property
    def _forced(self) -> Ids:
        """(B, P) the prefixes, padded with 0, which is no id of a prefix."""
        padded = np.zeros((len(self.prefixes), max(map(len, self.prefixes), default=0)), np.int32)
        for row, prefix in enumerate(self.prefixes):
            padded[row, : len(prefix)] = prefix
        return padded

    def _first_repeated(self, tokens: tuple[int, ...]) -> tuple[int, ...]:
        """The first n-gram that comes twice in these tokens; empty if none does."""
        seen: set[tuple[int, ...]] = set()
        for end in range(self.no_repeat_ngram, len(tokens) + 1) if self.no_repeat_ngram else ():
            ngram = tokens[end - self.no_repeat_ngram : end]
            if ngram in seen:
                return ngram
            seen.add(ngram)
        return ()


def _repetitions(said: Ids, size: int) -> tuple[Rows, Ids]:
    """The rows of `said` (N, t), t >= size, and the tokens that would make there an n-gram of this size again."""
    places = said.shape[1] - size + 1  # where an n-gram begins
    same = np.ones((len(said), places), bool)
    for offset in range(size - 1):  # its first size - 1 tokens are those that were said last
        same &= said[:, offset : offset + places] == said[:, [places + offset]]
    rows, begins = np.nonzero(same)
    return rows, said[rows, begins + size - 1]
