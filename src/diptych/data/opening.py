"""The corpus that a config asks for: of files, or one that Diptych makes itself."""

from __future__ import annotations

from pathlib import Path

from diptych.config import DataConfig
from diptych.data.builtin.builtin import SpacingText, open_builtin
from diptych.data.corpus.corpus import Corpus, OpenCorpus, check_left
from diptych.data.corpus.files import FilePairs, Watch
from diptych.data.corpus.filters import Filter
from diptych.data.corpus.texts import open_files
from diptych.data.pairs import Pairs
from diptych.errors import DataError


def text_paths(config: DataConfig) -> list[str]:
    """The path of every text that a corpus is made of."""
    additional = [path for text in config.additional for path in text.paths]
    return [*config.train, *config.validation, *config.test, *additional]


def load_corpus(config: DataConfig) -> Corpus:
    """The corpus of a config, in memory; see `open_corpus`.

    Raises:
        DataError: as `open_corpus`.
    """
    return open_corpus(config).read()


def open_corpus(config: DataConfig, watch: Watch | None = None) -> OpenCorpus:
    """The corpus of a config; what it does not give for validation or test is taken out of the training text.

    Args:
        config: where the pairs come from, and which are left out.
        watch: is handed the rows of the files when they are read for the first time, to say how far it is.

    Raises:
        DataError: a file cannot be read, has a bad line that is not to be dropped, or no pair is left; or the text is
            too small to be divided.
    """
    missing = [path for path in text_paths(config) if not Path(path).exists()]
    if len(missing) > 1:  # a single one is named by whoever reads it
        raise DataError(f"{len(missing)} texts of the corpus are not there: {'; '.join(missing)}; put them back")
    if config.corpus == "files":
        return open_files(config, watch)
    return open_builtin(config)


def open_part(config: DataConfig, part: str) -> Pairs:
    """One part of a config's corpus; of a part with a text of its own, no other text is read.

    Args:
        config: as in `open_corpus`.
        part: "train", "validation" or "test".

    Raises:
        DataError: as `open_corpus`.
    """
    paths: tuple[str, ...] = getattr(config, part)
    if part == "train" or not paths:
        return getattr(open_corpus(config), part)  # type: ignore[no-any-return]
    if config.corpus == "spacing":
        return SpacingText.open(paths[0])
    pairs = FilePairs.open(paths, Filter.of_held_out(config))
    check_left([pairs], config, str(paths[0]))
    return pairs
