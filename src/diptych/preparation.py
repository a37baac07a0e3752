"""A run's corpus as token ids: encoded once into files, opened in no time ever after, by either backend.

    RUN/data/KEY/description.json       what was left out, and the fingerprint of the training pairs
                 train/  validation/    token ids, see `diptych.data.stored`

KEY names what the files follow from: the data config, the tokenizers, the code that encodes, and every text's size and
times. A text that has changed has another key, so the corpus is encoded anew. A folder has its key as its name only
once everything in it is on the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import diptych
from diptych.config import DataConfig
from diptych.data.corpus import OpenCorpus
from diptych.data.encoded import EncodedPairs, Encoder, fingerprint
from diptych.data.pairs import Pair, Pairs
from diptych.data.stored import open_pairs, write_pairs
from diptych.errors import DataError, RunError
from diptych.languages import Language
from diptych.parameters.manifest import sync_folder, write_synced
from diptych.progress import Reporter

DESCRIPTION = "description.json"
TEMPORARY = ".tmp"
ABANDONED_SECONDS = 3600.0
"""A temporary folder that nobody has written in for so long was left by a process that was killed."""


@dataclass(frozen=True)
class EncodedCorpus:
    """What training reads.

    Attributes:
        train: what the model learns from, without what is too long.
        validation: what decides when to stop and which checkpoint is the best.
        dropped: how many training pairs were left out, by reason.
        fingerprint: names the training pairs' token ids.
    """

    train: EncodedPairs
    validation: EncodedPairs
    dropped: dict[str, int]
    fingerprint: str


@dataclass(frozen=True)
class Watched:
    """Pairs whose reading is reported."""

    pairs: Pairs
    what: str
    reporter: Reporter

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.reporter.watch(self.pairs, self.what, len(self.pairs)))


def text_states(config: DataConfig) -> list[tuple[str, int, int, int]]:
    """Path, size and times of each text that is there: what changes when somebody writes it."""
    states = []
    for path in (*config.train, *config.validation, *config.test):
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            continue  # whoever reads it says so
        states.append((path, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
    return states


def open_prepared(folder: Path, config: DataConfig, source: Language, target: Language) -> EncodedCorpus | None:
    """What `prepare` made of this corpus in this folder; None where that is missing, damaged or of other texts."""
    return _open(folder / _key(config, source, target), config)


def prepare(
    folder: Path,
    config: DataConfig,
    source: Language,
    target: Language,
    corpus: OpenCorpus,
    before: list[tuple[str, int, int, int]],
    reporter: Reporter,
) -> None:
    """Encode a corpus into a folder, in the place of what was encoded there before; then `open_prepared` finds it.

    Args:
        folder: RUN/data; it need not exist yet.
        config: where the corpus comes from.
        source: how a source becomes token ids.
        target: how a target does.
        corpus: the pairs.
        before: `text_states` from before the corpus was opened.
        reporter: where to say how it goes.

    Raises:
        DataError: a pair cannot be encoded, or a text has changed in the meantime.
        RunError: the disk refuses.
    """
    key = _key(config, source, target)
    building = folder / f".{key}.{os.getpid()}{TEMPORARY}"
    languages = source.tokenizer, source.vocabulary, target.tokenizer, target.vocabulary
    encoders = {"train": Encoder(*languages, config.maximum_length), "validation": Encoder(*languages)}
    parts = {"train": Watched(corpus.train, "encoding", reporter), "validation": corpus.validation}
    try:
        shutil.rmtree(building, ignore_errors=True)
        left_out = {name: write_pairs(building / name, pairs, encoders[name]) for name, pairs in parts.items()}
        name = fingerprint(open_pairs(building / "train"))
        description = {"fingerprint": name, "left_out": left_out["train"], "dropped": corpus.dropped}
        write_synced(building / DESCRIPTION, (json.dumps(description, indent=2) + "\n").encode())
        sync_folder(building)
        if text_states(config) != before:
            raise DataError("a text of the corpus changed while it was read; start again once it is written")
        _put_in_place(building, folder / key, config)
    except OSError as error:
        raise RunError(f"cannot write in {folder}: {error.strerror or error}; make room") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    _prune(folder, key)


def _open(folder: Path, config: DataConfig) -> EncodedCorpus | None:
    try:
        description = json.loads((folder / DESCRIPTION).read_bytes())
        dropped = dict(description["dropped"])
        if left_out := int(description["left_out"]):
            dropped[f"longer than maximum_length = {config.maximum_length} tokens"] = left_out
        train, validation = open_pairs(folder / "train", left_out), open_pairs(folder / "validation")
        return EncodedCorpus(train, validation, dropped, str(description["fingerprint"]))
    except (OSError, ValueError, TypeError, KeyError, DataError):
        return None


def _key(config: DataConfig, source: Language, target: Language) -> str:
    """Twelve hexadecimal digits that name everything the token ids follow from."""
    values = [
        config.model_dump(mode="json"),
        *(hashlib.sha256(language.to_json().encode()).hexdigest() for language in (source, target)),
        text_states(config),
        _code(),
        sys.byteorder,
    ]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:12]


@cache
def _code() -> str:
    """Names the code that makes the built-in corpora, splits lines and encodes tokens."""
    digest = hashlib.sha256(diptych.__version__.encode())
    for path in sorted((Path(__file__).parent / "data").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _put_in_place(building: Path, place: Path, config: DataConfig) -> None:
    """Give a complete folder its name, unless another process has just made the same."""
    try:
        building.rename(place)
    except OSError:
        if _open(place, config) is not None:
            return
        shutil.rmtree(place, ignore_errors=True)
        building.rename(place)
    sync_folder(place.parent)


def _prune(folder: Path, key: str) -> None:
    """Remove what was encoded before, and what killed processes left."""
    for path in folder.iterdir():
        abandoned = path.name.endswith(TEMPORARY) and time.time() - _last_written(path) > ABANDONED_SECONDS
        if abandoned or not path.name.startswith((".", key)):
            shutil.rmtree(path, ignore_errors=True)


def _last_written(folder: Path) -> float:
    """When a file was last written in a folder; now, if it has just gone."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    except OSError:
        return time.time()
