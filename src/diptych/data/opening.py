"""The corpus that a config asks for: of files, or one that Diptych makes itself."""

from __future__ import annotations

from diptych.config import DataConfig
from diptych.data.builtin.builtin import open_builtin
from diptych.data.corpus.corpus import Corpus, OpenCorpus
from diptych.data.corpus.files import Watch
from diptych.data.corpus.texts import open_files


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
    if config.corpus == "files":
        return open_files(config, watch)
    return open_builtin(config)
