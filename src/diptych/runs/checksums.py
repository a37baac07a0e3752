"""What a run is made of, under checksums as its checkpoints are: its config and its tokenizers.

    RUN/checksums.json      size and SHA-256 of config.toml, tokenizer/source.json and tokenizer/target.json

So a config that was cut short does not pass for one with defaults, and a vocabulary with other words for the one that
was trained with. Whoever changes one of these files on purpose, or has a run from before there were checksums, says so
once with `diptych config --seal RUN`, and the run is taken as it is.
"""

from __future__ import annotations

from pathlib import Path

from diptych.config import RunConfig, read_config
from diptych.config.reading import config_of_bytes
from diptych.data.tokens.language import Language, check_languages
from diptych.errors import RunError
from diptych.runs.paths import portable
from diptych.storage.json_text import read_at_most
from diptych.storage.manifest import Kind, manifest_of, read_files
from diptych.storage.place import replace_file

CHECKSUMS, CONFIG = "checksums.json", "config.toml"
SIDES = ("source", "target")
TOKENIZERS = tuple(f"tokenizer/{side}.json" for side in SIDES)
FILES = (CONFIG, *TOKENIZERS)
LARGEST = {CONFIG: 1 << 20} | dict.fromkeys(TOKENIZERS, 1 << 28)
"""How many bytes each may have: a vocabulary of ten million words fits."""
RUN = Kind(
    CHECKSUMS,
    folder="run",
    error=RunError,
    advice="restore it, or create the run again; where it is as you want it, say so once with `diptych config --seal` "
    "and the run's folder",
)

Parts = tuple[RunConfig, Language, Language]
"""A run's config, and the language of its source and of its target."""


def read_parts(folder: Path) -> Parts:
    """What a run is made of, if it is what was written.

    Raises:
        RunError: a file is missing, cut short, altered, or not of this run.
        ConfigError: the config is of another version of Diptych.
        DataError: a vocabulary is damaged.
    """
    return _parts(folder, read_files(folder, FILES, largest=LARGEST, kind=RUN))


def write_checksums(folder: Path) -> None:
    """Write down what a run's files are now.

    Raises:
        RunError: one is missing, or has more bytes than it may have.
    """
    replace_file(folder / CHECKSUMS, manifest_of(_contents(folder)))


def seal(folder: Path) -> RunConfig:
    """Take a run's files as they are, if they make a run: a key that its config lacks is written with its default.

    Returns:
        The config, as it is from now on.

    Raises:
        RunError: a file is missing, or the tokenizers are not the config's.
        ConfigError, DataError: a file holds what it cannot.
    """
    config, _, _ = _parts(folder, _contents(folder))
    replace_file(folder / CONFIG, config.model_copy(update={"data": portable(config.data, folder)}).to_toml())
    write_checksums(folder)
    return read_config(folder / CONFIG)


def _contents(folder: Path) -> dict[str, bytes]:
    contents = {}
    for name, largest in LARGEST.items():
        try:
            contents[name] = read_at_most(folder / name, largest)
        except OSError as error:
            raise RunError(f"{folder} is not a run: cannot read {name} ({error.strerror})") from error
        except ValueError as error:
            raise RunError(f"{folder / name}: {error}") from error
    return contents


def _parts(folder: Path, contents: dict[str, bytes]) -> Parts:
    config = config_of_bytes(contents[CONFIG], folder / CONFIG)
    texts = [contents[name].decode("utf-8", errors="surrogateescape") for name in TOKENIZERS]
    source, target = (Language.from_json(text, str(folder / name)) for text, name in zip(texts, TOKENIZERS))
    check_languages(config.data, source, target, origin=str(folder))
    return config, source, target
