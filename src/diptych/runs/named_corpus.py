"""A corpus that somebody names on the command line: the files of one, a config, or the run that was made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from diptych.config import DataConfig, read_config
from diptych.data.corpus.corpus import OpenCorpus, check_left, count_dropped
from diptych.data.corpus.files import FilePairs
from diptych.data.corpus.filters import Filter
from diptych.data.corpus.tables import Numbered
from diptych.data.opening import open_corpus
from diptych.data.pairs import Joined, Repeated
from diptych.errors import UsageError
from diptych.runs.progress import Reporter
from diptych.runs.run import Run
from diptych.runs.standard_input import as_file, check_one_text


@dataclass(frozen=True)
class NamedCorpus:
    """A corpus and where it comes from.

    Attributes:
        corpus: the pairs; of mere files, all of them as `train`.
        config: how they are read.
        run: the run that was made of them; None if there is none.
    """

    corpus: OpenCorpus
    config: DataConfig
    run: Run | None = None


def open_named(paths: Sequence[Path], columns: tuple[str, str], strict: bool, reporter: Reporter) -> NamedCorpus:
    """The corpus of a run's folder, of a config (.toml), or of files: one table, or two aligned ones.

    Args:
        paths: what was named; "-" is standard input.
        columns: which columns of a table hold the pairs; only for files.
        strict: a bad line is an error; else it is dropped and counted in files, and treated as the config says.
        reporter: where to say how far it is.

    Raises:
        UsageError: there is no such thing, or more than two files, or columns for what has its own.
        DataError: the corpus cannot be read, or no line holds a pair.
        RunError: the folder is no run.
    """

    def watch(rows: Iterable[Numbered], what: str) -> Iterable[Numbered]:
        return reporter.watch(rows, what, None)

    paths = [as_file(path) for path in paths]
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise UsageError(
            f"there is no {', '.join(missing)}: give a run's folder, a config (.toml), or a corpus's files"
        )
    run = Run.open(paths[0]) if paths[0].is_dir() else None
    if run or paths[0].suffix == ".toml":
        if len(paths) > 1 or any(columns):
            raise UsageError(f"{paths[0]} has its own files and columns: give it alone, or give files")
        config = run.config.data if run else read_config(paths[0]).data
        check_one_text(config)
        given = config.model_copy(update={"train": tuple(str(as_file(Path(path))) for path in config.train)})
        given = given.model_copy(update={"bad_lines": "error"}) if strict else given
        return NamedCorpus(open_corpus(given, watch), config, run)
    if len(paths) > 2:
        raise UsageError(f"a corpus is one table or two aligned files, got {len(paths)}: {' '.join(map(str, paths))}")
    if columns[0] and columns[0] == columns[1]:
        raise UsageError(f"--source-column and --target-column are both {columns[0]!r}: give two columns")
    config = DataConfig(
        corpus="files",
        train=tuple(map(str, paths)),
        source_column=columns[0],
        target_column=columns[1],
        bad_lines="error" if strict else "drop",
        maximum_pairs=0,
        maximum_characters=0,
    )
    pairs = FilePairs.open(config.train, Filter.of_training(config), watch=watch)
    check_left([pairs], config, str(paths[0]))
    train = Joined((Repeated(pairs, b"\1" * len(pairs)),))
    return NamedCorpus(
        OpenCorpus(train, validation=[], test=[], dropped=count_dropped([pairs], config), texts=(pairs,)), config
    )
