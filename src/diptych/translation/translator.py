"""Translating: text in, text out. Tokenize, search, detokenize, and keep the attention and the scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diptych.config import Precision, SearchConfig, changed_search
from diptych.data.tokens.batches import source_batch
from diptych.data.tokens.vocabulary import EOS, UNK
from diptych.errors import ConfigError, UsageError
from diptych.exported.folder import default_backend
from diptych.runs.run import Run
from diptych.search import Constraints, Hypothesis, Stepper, find
from diptych.search.ensemble import Average
from diptych.translation.doubts import doubts
from diptych.translation.members import Member, MemberProcess, SharedModel, load_ensemble, load_model, whose_weights
from diptych.translation.translation import Alternative, Translation

FindEach = Callable[[Sequence[dict[str, Any]]], Iterable[list[list[Hypothesis]]]]
"""Gives for the arguments of each of several calls of `find` what that would."""
LINE_BREAKS = str.maketrans(dict.fromkeys("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", " "))
"""Everything that `str.splitlines` would break a line at becomes a space, so that one line in is one line out."""


class Translator:
    """Translates lines with a run's model, or with an ensemble that this model belongs to.

    Attributes:
        run: the run.
        stepper: what drives the model, or the ensemble, token by token.
        backend: in which the run's model is.
        trained_in: whose checkpoint it is: the backend's own, or another's where this one has not trained.
        attends: whether the model, or one of the ensemble's, has an attention to show.
    """

    def __init__(
        self,
        run: Run,
        stepper: Stepper,
        backend: str,
        *,
        trained_in: str = "",
        attends: bool | None = None,
        processes: Sequence[MemberProcess] = (),
        find_each: FindEach | None = None,
        shortlisted: bool = False,
    ) -> None:
        """Translate with a model that is there; its weights may change between calls. `load` makes one of a checkpoint.

        Args:
            run: whose tokenizers, vocabularies and search config are used.
            stepper: what drives the model, or the ensemble, token by token.
            backend: in which the run's model is.
            trained_in: whose checkpoint it is; "" for the backend's own.
            attends: whether there is an attention to show; None where there is only the run's own model.
            processes: those in which other members of the ensemble, or copies of the model, compute; `close` ends
                them.
            find_each: searches for the translations of several batches at once; None: the stepper does, one by one.
            shortlisted: whether only the words of a shortlist may be said.
        """
        self.run = run
        self.stepper = stepper
        self.backend = backend
        self.trained_in = trained_in or backend
        self.attends = run.config.model.attention != "none" if attends is None else attends
        self._processes = tuple(processes)
        self._shortlisted = shortlisted
        self._find_each = find_each or self._find_one_by_one

    def close(self) -> None:
        """End the processes of an ensemble; without one there is nothing to end."""
        for process in self._processes:
            process.close()

    def __enter__(self) -> Translator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def translate(
        self,
        lines: Sequence[str],
        search: SearchConfig | None = None,
        *,
        first_row: int = 0,
        prefix: str | Sequence[str] = "",
        **overrides: Any,
    ) -> list[Translation]:
        """Translate each line; a line of nothing but whitespace gives an empty translation.

        Args:
            lines: any text; a word the model does not know is read as "<unk>", and one it says is shown so.
            search: how to search; None for the run's own config.
            first_row: the number of the first line, for who translates a text in parts: a line's sample belongs to
                its number.
            prefix: what every translation begins with, cut into tokens as the target is; or a text for each line.
            overrides: keys of `SearchConfig` that replace those of `search`, for instance `beam_size=5`.

        Returns:
            One translation per line, in order.

        Raises:
            ConfigError: an override is unknown or impossible, or the model cannot say the prefix.
            TypeError: `lines` is one string.
        """
        if isinstance(lines, str):
            raise TypeError(f"translate takes a list of lines, got the string {lines[:40]!r}: put it in a list")
        search = changed_search(search or self.run.config.search, overrides, origin="translate")
        if search.coverage_penalty > 0.0 and not self.attends:
            raise ConfigError(
                f"coverage_penalty {search.coverage_penalty} needs an attention, but the model of {self.run.folder} "
                f"has none: set coverage_penalty = 0.0"
            )
        prefixes = self._prefixes(prefix, len(lines), search)
        tokens = [self.run.source_tokenizer.tokenize(line) if line.strip() else [] for line in lines]
        # Longest first: lines of similar length share a batch, and if memory is short it shows at once.
        rows = sorted((row for row in range(len(lines)) if tokens[row]), key=lambda row: -len(tokens[row]))
        translations = [Translation(source=line, text="") for line in lines]
        longest = self.run.longest_source
        batches = [rows[start : start + search.batch_size] for start in range(0, len(rows), search.batch_size)]
        requests = []
        for batch in batches:
            source, lengths = source_batch([self.run.source.encode(tokens[row]) for row in batch])
            requests.append(
                {
                    "source": source,
                    "source_lengths": lengths,
                    "usual_lengths": self.run.longest_translations(lengths),
                    "search": search,
                    "rows": [first_row + row for row in batch],
                    "prefixes": [prefixes[row] for row in batch] if prefixes else [],
                }
            )
        for batch, best_first in zip(batches, self._find_each(requests), strict=True):
            for row, hypotheses in zip(batch, best_first, strict=True):
                said = [self._alternative(hypothesis, tokens[row]) for hypothesis in hypotheses]
                shown = tuple(said) if search.beam_size > 1 else ()
                against = doubts(
                    tokens[row], said[0].tokens, said[0].text, vocabulary=self.run.source_vocabulary, longest=longest
                )
                translations[row] = Translation.of(
                    said[0], lines[row], tuple(tokens[row]), alternatives=shown, doubts=against
                )
        return translations

    def _find_one_by_one(self, requests: Sequence[dict[str, Any]]) -> Iterator[list[list[Hypothesis]]]:
        return (find(self.stepper, **request) for request in requests)

    def _prefixes(self, prefix: str | Sequence[str], lines: int, search: SearchConfig) -> list[tuple[int, ...]]:
        """The ids that each line's translation begins with; empty where none has to begin with anything.

        Raises:
            ConfigError: there are more or fewer than lines, or one holds a token that the vocabulary has not, or breaks
                another constraint.
        """
        texts = [prefix] if isinstance(prefix, str) else list(prefix)
        if not isinstance(prefix, str) and len(texts) != lines:
            raise ConfigError(f"translate takes one prefix, or one for each line: got {len(texts)} for {lines} lines")
        vocabulary = self.run.target_vocabulary
        beginnings: list[tuple[int, ...]] = []
        for text in texts:
            tokens = self.run.target_tokenizer.tokenize(text) if text else []
            ids = tuple(vocabulary.encode(tokens))
            if UNK in ids:
                raise ConfigError(
                    f"the prefix {text!r} holds {tokens[ids.index(UNK)]!r}, which is not in the target's vocabulary of "
                    f"{len(vocabulary):,} tokens, so the model cannot say it: use other words"
                )
            beginnings.append(ids)
        constraints = Constraints(search.no_repeat_ngram, search.minimum_length, prefixes=tuple(beginnings))
        if search.maximum_length:
            constraints.check_room(np.full(len(beginnings), search.maximum_length, np.int32))
        if not any(beginnings):
            return []
        if self._shortlisted:
            raise ConfigError("a prefix may hold words that are not on the shortlist: leave out one of the two")
        return beginnings * lines if isinstance(prefix, str) else beginnings

    def _alternative(self, hypothesis: Hypothesis, source: Sequence[str]) -> Alternative:
        return Alternative(
            text=self._text(hypothesis, source),
            score=hypothesis.score,
            tokens=tuple(self.run.target.decode(hypothesis.tokens, source)),
            log_probability=hypothesis.log_probability,
            token_log_probabilities=hypothesis.token_log_probabilities,
            attention=hypothesis.attention,
        )

    def _text(self, hypothesis: Hypothesis, source: Sequence[str]) -> str:
        said = self.run.target.decode([token for token in hypothesis.tokens if token != EOS], source)
        return self.run.target_tokenizer.detokenize(said).translate(LINE_BREAKS)


def load(
    run: Run | str | Path,
    backend: str | None = None,
    which: str = "best",
    threads: int | None = None,
    precision: Precision | None = None,
    device: str = "auto",
    members: Sequence[str | Member] = (),
    average: Average = "probability",
    workers: int = 1,
    shortlist: str | Path | None = None,
) -> Translator:
    """Load a run's model into a backend, to translate with it.

    The framework is imported into this process and set up for all of it, see `diptych.panel.load`: PyTorch then puts
    every new tensor on `device`, and both keep the number of threads and never compute in TensorFloat-32. With members
    of another framework, that one computes in a process of its own, see `Translator.close`.

    Args:
        run: the run, or its folder; or an export's.
        backend: "tensorflow", "pytorch" or "reference"; "onnxruntime" for an export to ONNX. None: that one for such an
            export, and pytorch for all else.
        which: "best", "latest", "average-best", "average-latest" or a checkpoint's name.
        threads: how many each process's backend may use; None leaves that to it.
        precision: None for the run's own, or float64 in the reference, which has no other.
        device: "auto", "cpu" or "cuda".
        members: the other members of an ensemble, each as RUN[:BACKEND[:CHECKPOINT]], by default this backend's best.
        average: of the members' probabilities, see `diptych.search.Ensemble`.
        workers: in so many processes of their own copies of the model share the batches, and this one holds none.
        shortlist: a file that `diptych shortlist` made: only its words of each source are said. None: any may be.

    Raises:
        RunError: a folder holds no run, one in which nothing has been trained, or one with other vocabularies.
        BackendError: a backend is unknown, not installed or broken.
        CheckpointError: there is no such checkpoint, or it is damaged.
        DataError: the shortlist cannot be read, or is another model's.
        UsageError: a member names no backend that there is, or workers or a shortlist are for an ensemble.
    """
    run = Run.of(run)
    backend = backend or default_backend(run.folder)
    if shortlist is not None and members:
        raise UsageError(f"the shortlist {shortlist} is one model's: leave out the members of the ensemble, or it")
    words = None if shortlist is None else str(shortlist)
    if workers > 1:
        if members:
            raise UsageError(f"{workers} workers cannot share an ensemble: leave out the members, or the workers")
        owner = whose_weights(run, backend)
        shared = SharedModel(
            Member(run, backend, which), workers, threads=threads, precision=precision, device=device, shortlist=words
        )
        copies: dict[str, Any] = {"processes": shared.processes, "find_each": shared.find_each}
        return Translator(run, shared.stepper, backend, trained_in=owner, shortlisted=bool(words), **copies)
    if not members:
        loaded = load_model(
            run, backend, which=which, threads=threads, precision=precision, device=device, shortlist=words
        )
        return Translator(run, loaded.stepper, backend, trained_in=loaded.trained_in, shortlisted=bool(words))
    first = Member(run, backend, which)
    others = [each if isinstance(each, Member) else Member.open(each, backend) for each in members]
    loaded, processes = load_ensemble(first, others, average, threads=threads, precision=precision, device=device)
    attends = any(each.run.config.model.attention != "none" for each in (first, *others))
    return Translator(run, loaded.stepper, backend, trained_in=loaded.trained_in, attends=attends, processes=processes)
