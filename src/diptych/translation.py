"""Translation: text in, text out. Tokenize, search, detokenize, and keep the attention and the scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych import backends
from diptych.config import Precision, SearchConfig, parse_config
from diptych.data.batches import source_batch
from diptych.data.vocabulary import EOS
from diptych.errors import RunError
from diptych.runs import Run
from diptych.search import Hypothesis, Stepper, beam, greedy, sample

LINE_BREAKS = str.maketrans(dict.fromkeys("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", " "))
"""Everything that `str.splitlines` would break a line at becomes a space, so that one line in is one line out."""


@dataclass(frozen=True, eq=False)
class Translation:
    """One line and its translation of T tokens, from S source tokens.

    Attributes:
        source: the line as it was given.
        text: its translation; it holds no line break.
        source_tokens: (S,) what the tokenizer made of the line.
        tokens: (T,) what the model said, "<eos>" last unless the maximum length cut it off.
        log_probability: of the whole translation, eos included if it was said.
        token_log_probabilities: (T,) of each token.
        attention: (T, S) float32 where the model looked for each token; zeros without attention.
        alternatives: the n best translations of a beam and their scores, this one first; else empty.
    """

    source: str
    text: str
    source_tokens: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    log_probability: float = 0.0
    token_log_probabilities: tuple[float, ...] = ()
    attention: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    alternatives: tuple[tuple[str, float], ...] = ()

    def _repr_html_(self) -> str:
        """How a notebook shows it: source, translation, alternatives and the attention map."""
        from diptych.plots.notebook import picture, table

        rows: list[tuple[object, ...]] = [("source", self.source), ("translation", self.text)]
        rows.append(("log-probability", f"{self.log_probability:.4f}"))
        rows += [(f"score {score:.4f}", text) for text, score in self.alternatives]
        return str(table(rows) + picture(self.source_tokens, {"": (self.tokens, self.attention)}))


class Translator:
    """Translates lines with a run's model in one backend.

    Attributes:
        run: the run.
        backend: in which the model is.
        trained_in: whose checkpoint it is: the backend's own, or another's where this one has not trained.
        model: the panel's model.
    """

    def __init__(
        self,
        run: Run,
        backend: str = "pytorch",
        which: str = "best",
        threads: int | None = None,
        precision: Precision | None = None,
        device: str = "auto",
    ) -> None:
        """Load a checkpoint's weights. The same weights work in every backend, so any that has trained will do.

        Args:
            run: what was trained.
            backend: "tensorflow", "pytorch" or "reference".
            which: "best", "latest" or a checkpoint's name.
            threads: how many the backend may use; None leaves that to it.
            precision: None for the run's own, or float64 in the reference, which has no other.
            device: "auto", "cpu" or "cuda".

        Raises:
            BackendError: the backend is unknown, not installed or broken.
            RunError: nothing has been trained in this run.
            CheckpointError: there is no such checkpoint, or it is damaged.
        """
        trained = run.trained_backends()
        if not trained:
            raise RunError(f"{run.folder} has no checkpoint yet: train it with `diptych train {run.folder}`")
        self.run = run
        self.backend = backend
        self.trained_in = backend if backend in trained else trained[0]
        checkpoint = run.read_checkpoint(self.trained_in, which)
        panel = backends.load(backend, threads, device)
        self.model = panel.Model(
            run.config.model,
            len(run.source_vocabulary),
            len(run.target_vocabulary),
            precision or ("float64" if backend == "reference" else run.config.training.precision),
        )
        panel.load_parameters(self.model, checkpoint.parameters)
        self._stepper: Stepper = panel.Stepper(self.model)

    @property
    def stepper(self) -> Stepper:
        """What drives the model token by token."""
        return self._stepper

    def translate(
        self, lines: Sequence[str], search: SearchConfig | None = None, *, first_row: int = 0, **overrides: Any
    ) -> list[Translation]:
        """Translate each line; a line of nothing but whitespace gives an empty translation.

        Args:
            lines: any text; a word the model does not know is read as "<unk>", and one it says is shown so.
            search: how to search; None for the run's own config.
            first_row: the number of the first line, for who translates a text in parts: a line's sample belongs to
                its number.
            overrides: keys of `SearchConfig` that replace those of `search`, for instance `beam_size=5`.

        Returns:
            One translation per line, in order.

        Raises:
            ConfigError: an override is unknown or impossible.
            TypeError: `lines` is one string.
        """
        if isinstance(lines, str):
            raise TypeError(f"translate takes a list of lines, got the string {lines[:40]!r}: put it in a list")
        search = search or self.run.config.search
        if overrides:
            values = {"search": search.model_dump() | overrides}
            search = parse_config(values, origin="translate").search
        tokens = [self.run.source_tokenizer.tokenize(line) if line.strip() else [] for line in lines]
        # Longest first: lines of similar length share a batch, and if memory is short it shows at once.
        rows = sorted((row for row in range(len(lines)) if tokens[row]), key=lambda row: -len(tokens[row]))
        translations = [Translation(source=line, text="") for line in lines]
        for start in range(0, len(rows), search.batch_size):
            batch = rows[start : start + search.batch_size]
            found = self._search([tokens[row] for row in batch], [first_row + row for row in batch], search)
            for row, hypotheses in zip(batch, found, strict=True):
                translations[row] = self._translation(lines[row], tokens[row], hypotheses, search.beam_size > 1)
        return translations

    def _search(self, token_lists: list[list[str]], rows: list[int], search: SearchConfig) -> list[list[Hypothesis]]:
        """The hypotheses found for each sentence, the best first."""
        source, lengths = source_batch([self.run.source_vocabulary.encode(tokens) for tokens in token_lists])
        fixed = search.maximum_length
        longest = np.full_like(lengths, fixed) if fixed else self.run.longest_translations(lengths)
        if search.beam_size > 1:
            return beam(self._stepper, source, lengths, longest, search.beam_size, search.length_penalty, search.n_best)
        if search.temperature > 0.0:
            found = sample(self._stepper, source, lengths, longest, search.temperature, search.seed, rows)
        else:
            found = greedy(self._stepper, source, lengths, longest)
        return [[hypothesis] for hypothesis in found]

    def _translation(
        self, line: str, tokens: list[str], hypotheses: list[Hypothesis], with_alternatives: bool
    ) -> Translation:
        best = hypotheses[0]
        return Translation(
            source=line,
            text=self._text(best),
            source_tokens=tuple(tokens),
            tokens=tuple(self.run.target_vocabulary.decode(best.tokens)),
            log_probability=best.log_probability,
            token_log_probabilities=best.token_log_probabilities,
            attention=best.attention,
            alternatives=tuple((self._text(each), each.score) for each in hypotheses) if with_alternatives else (),
        )

    def _text(self, hypothesis: Hypothesis) -> str:
        said = self.run.target_vocabulary.decode(token for token in hypothesis.tokens if token != EOS)
        return self.run.target_tokenizer.detokenize(said).translate(LINE_BREAKS)


def load(
    folder: str | Path,
    backend: str = "pytorch",
    which: str = "best",
    threads: int | None = None,
    precision: Precision | None = None,
    device: str = "auto",
) -> Translator:
    """Open the run in a folder and load its model into a backend, see `Translator`.

    Raises:
        RunError: the folder holds no run, or one in which nothing has been trained.
        BackendError: the backend is unknown, not installed or broken.
        CheckpointError: there is no such checkpoint, or it is damaged.
    """
    return Translator(Run.open(folder), backend, which, threads, precision, device)
