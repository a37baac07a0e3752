"""One decoding step at a time in ONNX Runtime: what `diptych.search` drives. States go in and come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.exported.folder import DECODER, ENCODER
from diptych.exported.runtime import session
from diptych.search.stepper import Ids, Reals, Rows

Values = dict[str, npt.NDArray[Any]]
PAST, PRESENT = "past_state.", "present_state."


class SearchState(NamedTuple):
    """Everything the next step depends on, one row per hypothesis.

    Attributes:
        memory: what the decoder sees of each row's source, by the file's names; nothing without attention.
        width: S, how many positions the padded sources have.
        sentences: (N,) which sentence of the search each row translates.
        decoder: the decoder's state, by the names under which it goes in.
    """

    memory: Values
    width: int
    sentences: Rows
    decoder: Values


class Stepper:
    """Drives the two files of an export one target token at a time."""

    def __init__(self, folder: Path, threads: int | None = None, device: str = "auto") -> None:
        """Load the files; whether they are what was written is for `check_files` to say.

        Raises:
            BackendError: the runtime is not installed, or cannot run them.
        """
        self.encoder, self.decoder = (session(folder / name, threads, device) for name in (ENCODER, DECODER))
        self._given = [each.name for each in self.encoder.get_outputs()]
        self._after = [each.name for each in self.decoder.get_outputs()]
        self._attends = "attention" in self._after

    def start(self, source: Ids, source_lengths: Ids) -> SearchState:
        """Read the source (B, S) of the given lengths (B,): the state before the first token."""
        feeds = {"input_ids": source.astype(np.int64), "input_lengths": source_lengths.astype(np.int64)}
        found = dict(zip(self._given, self.encoder.run(None, feeds)))
        memory = {name: found[name] for name in self._given if not name.startswith(PRESENT)}
        return SearchState(memory, source.shape[1], np.arange(len(source)), _carried(found))

    def step(self, state: SearchState, tokens: Ids) -> tuple[Reals, Reals, SearchState]:
        """Feed one token to each of N rows.

        Args:
            state: from `start`, `step` or `reorder`, with N rows.
            tokens: (N,) int32.

        Returns:
            The log-probabilities of the next token (N, V), the attention's weights (N, S) and the next state.
        """
        feeds = {"input_ids": tokens.astype(np.int64)} | state.memory | state.decoder
        found = dict(zip(self._after, self.decoder.run(None, feeds)))
        looked = found["attention"] if self._attends else np.zeros((len(tokens), state.width), np.float32)
        return found["log_probabilities"], looked, state._replace(decoder=_carried(found))

    def reorder(self, state: SearchState, rows: Rows) -> SearchState:
        """The state whose k-th row is row `rows[k]` of this one; rows may repeat or be left out."""
        sentences = state.sentences[rows]
        same = np.array_equal(sentences, state.sentences)  # rows changed places within their sentences
        memory = state.memory if same else _select(state.memory, rows)
        return SearchState(memory, state.width, sentences, _select(state.decoder, rows))


def _carried(found: Values) -> Values:
    """The state that came out of a step, under the names by which it goes into the next one."""
    return {PAST + name.removeprefix(PRESENT): value for name, value in found.items() if name.startswith(PRESENT)}


def _select(values: Values, rows: Rows) -> Values:
    return {name: value[rows] for name, value in values.items()}
