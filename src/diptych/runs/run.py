"""One run's folder: its config, its tokenizers and, for each backend, its checkpoints and metrics.

    RUN/config.toml         every key written out; paths of the run's own files are relative, all others absolute
        checksums.json      of the config and the tokenizers, see `diptych.runs.checksums`
        pairs/              the pairs that a Python program gave, see `diptych.runs.given_pairs`
        environment.json    where the run was created: Python, platform, packages, processors
        tokenizer/          source.json, target.json: how a line becomes tokens, and their ids
        data/               the pairs as token ids, see `diptych.runs.preparation`
        BACKEND/            see `diptych.runs.record`; environment.json: the framework's versions, threads and device

The vocabularies belong to the run: it opens and translates as it was trained, whatever happens to its corpus.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.config import Precision, RunConfig
from diptych.data.corpus.corpus import Corpus
from diptych.data.opening import load_corpus
from diptych.data.pairs import Pair
from diptych.data.tokens.language import Language
from diptych.data.tokens.resampling import Resampling, resampling
from diptych.data.tokens.tokenizers import Tokenizer
from diptych.data.tokens.vocabulary import Vocabulary
from diptych.errors import BackendError, RunError, UsageError
from diptych.panel import BACKENDS, Panel
from diptych.parameters.checkpoint import Checkpoint
from diptych.parameters.grid import on_grid
from diptych.parameters.initialization import initial_parameters
from diptych.parameters.specification import Parameter, specification
from diptych.runs.checksums import CHECKSUMS, FILES, Parts, read_parts
from diptych.runs.creation import (
    DATA,
    ENVIRONMENT,
    ConfigLike,
    Given,
    as_config,
    check_same,
    config_of,
    create_folder,
    is_taken,
    watched_corpus,
)
from diptych.runs.given_pairs import GivenPairs
from diptych.runs.preparation import EncodedCorpus, open_prepared, prepare, remove_damaged, text_states
from diptych.runs.progress import QuietReporter, Reporter
from diptych.runs.record import TrainingRecord
from diptych.runs.standard_input import StandardInput
from diptych.runs.starting import read_start
from diptych.search.finding import ROOM
from diptych.storage.place import replace_file, standing


@dataclass(frozen=True, eq=False)
class Run:
    """A run that has a folder; `Run.create` makes one and `Run.open` finds it again.

    Attributes:
        folder: where it is.
        config: what it was created with.
        source: the source's tokenizer and vocabulary.
        target: the target's.
    """

    folder: Path
    config: RunConfig
    source: Language
    target: Language

    @classmethod
    def create(
        cls,
        config: ConfigLike,
        folder: str | Path,
        overwrite: bool = False,
        reporter: Reporter | None = None,
        strict: bool = False,
        *,
        pairs: Iterable[Pair] | None = None,
        validation: Iterable[Pair] | None = None,
        test: Iterable[Pair] | None = None,
    ) -> Run:
        """Make a run's folder, whole or not at all; a run of the same config that is already there is opened.

        The corpus is read and encoded, part by part: it need not fit into memory. What had been done when Ctrl-C or a
        signal ended an earlier call is not done again: the vocabularies, and the pairs that were encoded.

        Args:
            config: what to train, and on what; a `RunConfig`, its values by section, or the path of a TOML file. Its
                data paths become absolute.
            folder: where; its parents are made.
            overwrite: remove the run that is there, with everything that was trained in it, and start anew.
            reporter: where to say how far the corpus has been read; by default nowhere.
            strict: a bad line is an error, whatever the config says.
            pairs: (source, target) texts to train on, instead of the config's corpus; the run keeps them.
            validation, test: those of the other parts; None: taken out of `pairs`, as many as the config's
                `validation_size` and `test_size` say or, where it does not say, every tenth and at most 500.

        Raises:
            ConfigError: the config cannot be read, or a value does not fit.
            RunError: the folder holds a run of another config, or of other pairs, or something that is no run.
            DataError: the corpus cannot be read, or a pair cannot be encoded.
            UsageError: pairs for validation or test were given, and none to train on.
        """
        folder, reporter = Path(folder).resolve(), reporter or QuietReporter()
        if pairs is None and (validation is not None or test is not None):
            raise UsageError("validation or test pairs go with pairs to train on: give pairs=[(source, target), ...]")
        if pairs is None:
            given: Given | None = StandardInput.of(as_config(config))
        else:
            given = GivenPairs.of(pairs, validation=validation, test=test)
        chosen = config_of(config, given, folder)
        if is_taken(folder) and not overwrite:
            run = cls.open(folder)
            check_same(chosen, run.config, folder)
            if given is not None:
                given.check_same(folder)
            return run
        create_folder(chosen, folder, given, reporter=reporter, strict=strict)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """Open the run in a folder; its corpus is not touched.

        Raises:
            RunError: there is no folder, or what it holds is no run, or not as it was written.
        """
        folder = standing(Path(folder).resolve())
        if not folder.exists():
            raise RunError(f"no run at {folder}: create it with `diptych train CONFIG --run {folder}`")
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise RunError(f"{folder} is not a run: it has no {', '.join(missing)}; give the folder of a run")
        if not (folder / CHECKSUMS).is_file():
            raise RunError(
                f"{folder} has no {CHECKSUMS}: it was made before runs had checksums, or a file is lost. If you trust "
                f"its config and tokenizers as they are, say so once: diptych config --seal {folder}"
            )
        return cls(folder, *_read_parts(folder))

    @classmethod
    def of(cls, run: Run | str | Path) -> Run:
        """A run, or the run in a folder.

        Raises:
            RunError: there is no folder, or what it holds is no run.
        """
        return run if isinstance(run, Run) else cls.open(run)

    @property
    def source_tokenizer(self) -> Tokenizer:
        """How a line of the source becomes tokens."""
        return self.source.tokenizer

    @property
    def target_tokenizer(self) -> Tokenizer:
        """How a line of the target becomes tokens."""
        return self.target.tokenizer

    @property
    def source_vocabulary(self) -> Vocabulary:
        """The ids of the source's tokens."""
        return self.source.vocabulary

    @property
    def target_vocabulary(self) -> Vocabulary:
        """The ids of the target's tokens."""
        return self.target.vocabulary

    @cached_property
    def specification(self) -> dict[str, Parameter]:
        """The name, shape and meaning of every weight of the run's model."""
        return specification(self.config.model, len(self.source_vocabulary), len(self.target_vocabulary))

    def corpus(self) -> Corpus:
        """The run's corpus as text, read anew, all of it in memory."""
        return load_corpus(self.config.data)

    def encoded(self, reporter: Reporter | None = None) -> EncodedCorpus:
        """The run's training and validation pairs as token ids, in files that are mapped into memory.

        They are there since the run was created, unless its corpus has changed, or they were removed or damaged: then
        it is encoded again.

        Args:
            reporter: where to say how far that is; by default nowhere.

        Raises:
            DataError: the corpus has to be encoded again and cannot be read, or a pair cannot be encoded.
            RunError: the disk refuses.
        """
        wanted = self.folder / DATA, self.config.data, self.source, self.target
        texts = text_states(self.config.data, self.folder)
        corpus = open_prepared(*wanted)
        reporter = reporter or QuietReporter()
        if corpus is not None and remove_damaged(corpus, self.source, self.target):
            reporter.note(f"{corpus.folder} was cut short or altered: it is encoded again")
            corpus = None
        if corpus is None:
            prepare(*wanted, watched_corpus(self.config, reporter), texts, reporter)
            corpus = open_prepared(*wanted)
        if corpus is None:
            raise RunError(f"the corpus of {self.folder} changed while it was read; start again once it is written")
        return corpus

    @cached_property
    def longest_source(self) -> int | None:
        """How many tokens the longest source has that the model is trained on; None where its data are not there."""
        corpus = open_prepared(self.folder / DATA, self.config.data, source=self.source, target=self.target)
        return None if corpus is None else int(corpus.train.sources.lengths.max())

    def resampling(self) -> Resampling | None:
        """How training divides its pairs into subwords anew in each epoch; None if it does not."""
        return resampling(self.config.data, self.source, target=self.target, seed=self.config.training.seed)

    def longest_translations(self, source_lengths: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """(B,) how many tokens translations may have where no limit is set: twice what is usual, and 10 more.

        What is usual is as many tokens as the source has; but more of a kind that cuts words finer than the source's.
        """
        return 2 * source_lengths * self.finer + ROOM

    @property
    def finer(self) -> int:
        """About how many tokens of the target one of the source becomes, 1 at least."""
        return max(1, math.ceil(self.target_tokenizer.tokens_per_word / self.source_tokenizer.tokens_per_word))

    def initial_parameters(self) -> dict[str, npt.NDArray[np.float64]]:
        """The values that training starts from, the same for every backend: drawn, or those of another model.

        Raises:
            CheckpointError: the copy of that model in the run is missing or damaged.
        """
        sizes, training = (len(self.source_vocabulary), len(self.target_vocabulary)), self.config.training
        if training.starts_elsewhere:
            values = read_start(self.folder, self.specification)
        else:
            values = initial_parameters(self.config.model, *sizes, training.seed)
        return on_grid(values, training.grid_exponent) if training.precision == "exact" else values

    def build(
        self, panel: Panel, parameters: Mapping[str, npt.NDArray[Any]] | None = None, precision: Precision | None = None
    ) -> Any:
        """The run's model in a panel, which may measure before what is fastest for it, see `Panel.choose`.

        Args:
            panel: the panel, see `diptych.panel.load`.
            parameters: its weights, by name; None for the values that training starts from.
            precision: None for the run's own.
        """
        sizes = len(self.source_vocabulary), len(self.target_vocabulary)
        precision = precision or self.config.training.arithmetic
        choices = panel.choose(self.specification, precision)
        model = panel.Model(self.config.model, *sizes, precision=precision, choices=choices)
        panel.load_parameters(model, self.initial_parameters() if parameters is None else parameters)
        return model

    def record(self, backend: str) -> TrainingRecord:
        """What training with a backend has left in this run.

        Raises:
            BackendError: no such backend trains.
        """
        if backend not in BACKENDS:
            raise BackendError(f"no backend {backend!r} trains; choose among: {', '.join(BACKENDS)}")
        training = self.config.training
        return TrainingRecord(
            self.folder / backend, self.specification, keep=training.keep_checkpoints, keep_best=training.keep_best
        )

    def trained_backends(self) -> list[str]:
        """The backends that have a checkpoint in this run."""
        return [backend for backend in BACKENDS if self.record(backend).steps() is not None]

    def read_checkpoint(self, backend: str, which: str = "best") -> Checkpoint:
        """Read a backend's "best" or "latest" checkpoint, or one by name, see `TrainingRecord.read_checkpoint`.

        Raises:
            RunError: this backend has not been trained in this run; the message says which have.
            CheckpointError: there is no such checkpoint, or it is damaged or of another model.
        """
        if self.record(backend).steps() is None:
            trained = ", ".join(self.trained_backends()) or "none"
            raise RunError(
                f"{self.folder} has no checkpoint of {backend} (trained backends: {trained}): "
                f"train it with `diptych train {self.folder} --backend {backend}`"
            )
        return self.record(backend).read_checkpoint(which)

    def read_metrics(self, backend: str) -> list[dict[str, Any]]:
        """Every line of a backend's metrics, in order."""
        return self.record(backend).read_metrics()

    def write_environment(self, backend: str, values: Mapping[str, Any]) -> None:
        """Note under which circumstances a backend was trained last."""
        replace_file(self.folder / backend / ENVIRONMENT, json.dumps(values, indent=2) + "\n")


def _read_parts(folder: Path) -> Parts:
    """What a run is made of; read again where another process has just put another run in its place."""
    while True:
        before = folder.stat().st_ino
        try:
            return read_parts(folder)
        except RunError:
            if folder.exists() and folder.stat().st_ino == before:
                raise
