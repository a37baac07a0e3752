"""One decoding step at a time in ONNX Runtime: what `diptych.search` drives. States go in and come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from diptych.exported.folder import DECODER, ENCODER
from diptych.exported.projection import Chosen, Projection
from diptych.exported.runtime import session
from diptych.onnx.cutting import without
from diptych.search.stepper import Ids, Reals, Rows

Values = dict[str, npt.NDArray[Any]]
PAST, PRESENT = "past_state.", "present_state."
TABLE, FEATURES = "log_probabilities", "features"


class SearchState(NamedTuple):
    """Everything the next step depends on, one row per hypothesis.

    Attributes:
        memory: what the decoder sees of each row's source, by the file's names; nothing without attention.
        width: S, how many positions the padded sources have.
        sentences: (N,) which sentence of the search each row translates.
        decoder: the decoder's state, by the names under which it goes in.
        chosen: the output layer's weights of the words that are projected; None: of all.
    """

    memory: Values
    width: int
    sentences: Rows
    decoder: Values
    chosen: Chosen | None = None


class Stepper:
    """Drives the two files of an export one target token at a time."""

    def __init__(self, folder: Path, threads: int | None = None, device: str = "auto") -> None:
        """Load the files; whether they are what was written is for `check_files` to say.

        Raises:
            BackendError: the runtime is not installed, or cannot run them.
        """
        self.encoder, self.decoder = (session(folder / name, threads, device) for name in (ENCODER, DECODER))
        self._given = [each.name for each in self.encoder.get_outputs()]
        after = [each.name for each in self.decoder.get_outputs()]
        self._after = [name for name in after if name != FEATURES]
        self._restricted = [name for name in after if name != TABLE]
        self._attends = "attention" in after
        self._where = folder, threads, device
        self._restricting: tuple[Any, Projection] | None = None  # the decoder without its output layer, and that alone

    def start(self, source: Ids, source_lengths: Ids) -> SearchState:
        """Read the source (B, S) of the given lengths (B,): the state before the first token."""
        feeds = {"input_ids": source.astype(np.int64), "input_lengths": source_lengths.astype(np.int64)}
        found = dict(zip(self._given, self.encoder.run(None, feeds)))
        memory = {name: found[name] for name in self._given if not name.startswith(PRESENT)}
        return SearchState(memory, source.shape[1], sentences=np.arange(len(source)), decoder=_carried(found))

    def restrict(self, state: SearchState, words: Ids) -> SearchState:
        """The same state, whose steps give the log-probabilities (N, U) of these words (U,) as if these were all.

        The state stays as it is where the files are older than that and give no features.
        """
        if FEATURES not in self._restricted:
            return state
        if self._restricting is None:
            folder, threads, device = self._where
            rest = without((folder / DECODER).read_bytes(), TABLE)
            self._restricting = session(rest, threads, device), Projection(folder, threads, device)
        return state._replace(chosen=self._restricting[1].choose(words))

    def step(self, state: SearchState, tokens: Ids) -> tuple[Reals, Reals, SearchState]:
        """Feed one token to each of N rows.

        Args:
            state: from `start`, `step` or `reorder`, with N rows.
            tokens: (N,) int32.

        Returns:
            The log-probabilities of the next token (N, V), or of the words that the state is restricted to (N, U), the
            attention's weights (N, S) and the next state.
        """
        feeds = {"input_ids": tokens.astype(np.int64)} | state.memory | state.decoder
        if state.chosen is None or self._restricting is None:
            found = dict(zip(self._after, self.decoder.run(self._after, feeds)))
        else:
            decoder, projection = self._restricting
            found = dict(zip(self._restricted, decoder.run(self._restricted, feeds)))
            found[TABLE] = projection(found[FEATURES], state.chosen)
        looked = found["attention"] if self._attends else np.zeros((len(tokens), state.width), np.float32)
        return found[TABLE], looked, state._replace(decoder=_carried(found))

    def reorder(self, state: SearchState, rows: Rows) -> SearchState:
        """The state whose k-th row is row `rows[k]` of this one; rows may repeat or be left out."""
        sentences = state.sentences[rows]
        same = np.array_equal(sentences, state.sentences)  # rows changed places within their sentences
        memory = state.memory if same else _select(state.memory, rows)
        return state._replace(memory=memory, sentences=sentences, decoder=_select(state.decoder, rows))


def _carried(found: Values) -> Values:
    """The state that came out of a step, under the names by which it goes into the next one."""
    return {PAST + name.removeprefix(PRESENT): value for name, value in found.items() if name.startswith(PRESENT)}


def _select(values: Values, rows: Rows) -> Values:
    return {name: value[rows] for name, value in values.items()}
