"""A run's corpus as token ids: encoded once into files, opened in no time ever after, by either backend.

    RUN/data/KEY/description.json       what became of the pairs, and the fingerprint of the training pairs
                 dropped.tsv            every pair that was left out: file, line, reason, text
                 train/  validation/    token ids, see `diptych.data.tokens.stored`

KEY names what the files follow from: the data config, the tokenizers, the code that encodes, and every text's size and
times. A text that has changed has another key, so the corpus is encoded anew. A folder has its key as its name only
once everything in it is on the disk. What was encoded when Ctrl-C or a signal ended it is not encoded again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import diptych
from diptych.config import DataConfig
from diptych.data.corpus.account import Account, make_account
from diptych.data.corpus.corpus import OpenCorpus
from diptych.data.opening import text_paths
from diptych.data.pairs import Pair, Pairs
from diptych.data.tokens.encoded import EncodedPairs, Encoder, fingerprint
from diptych.data.tokens.language import Language
from diptych.data.tokens.stored import forget_progress, open_pairs, write_pairs, written
from diptych.errors import DataError, RunError
from diptych.runs.encoded_files import are_whole, checksums
from diptych.runs.given_pairs import PAIRS
from diptych.runs.paths import own_path, portable
from diptych.runs.progress import Reporter
from diptych.storage.building import building_folder, remove_abandoned
from diptych.storage.json_text import parse_json, read_at_most
from diptych.storage.place import put_folder

DESCRIPTION, DROPPED = "description.json", "dropped.tsv"
LARGEST_DESCRIPTION = 1 << 26
LARGEST = 1 << 30


@dataclass(frozen=True)
class EncodedCorpus:
    """What training reads.

    Attributes:
        train: what the model learns from, without what is too long.
        validation: what decides when to stop and which checkpoint is the best.
        fingerprint: names the training pairs' token ids.
        account: what became of every pair that was read.
        folder: where all this is.
    """

    train: EncodedPairs
    validation: EncodedPairs
    fingerprint: str
    account: Account
    folder: Path

    @property
    def dropped(self) -> dict[str, int]:
        """How many pairs were left out, by reason."""
        return self.account.dropped


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


State = tuple[str, int, str]
"""Of a text: its path, its size, and what changes when somebody writes it."""


def text_states(config: DataConfig, run: Path) -> list[State]:
    """The state of each text that is there; of a text in the run's own folder it is the same wherever that is."""
    states = []
    for path in text_paths(config):
        try:
            file = os.stat(path)
            own = own_path(path, run / PAIRS)
            mark = f"{file.st_mtime_ns} {file.st_ctime_ns}" if own is None else _digest(Path(path))
        except (OSError, ValueError):
            continue  # whoever reads it says so
        states.append((path if own is None else own.as_posix(), file.st_size, mark))
    return states


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_prepared(folder: Path, config: DataConfig, source: Language, target: Language) -> EncodedCorpus | None:
    """What `prepare` made of this corpus in this folder; None where that is missing, damaged or of other texts.

    A text that is not there any more is not needed: what was made of it is.
    """
    states = text_states(config, folder.parent)
    rest = _rest(config, source, target, run=folder.parent)
    corpus = _open(folder / _key(rest, states))
    if corpus is not None or len(states) == len(text_paths(config)) or not folder.is_dir():
        return corpus
    for place in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        description = _description(place)
        listed = description.get("texts", ())
        texts = [tuple(state) for state in listed if isinstance(state, list)] if isinstance(listed, list) else []
        if description.get("rest") == rest and all(state in texts for state in states):
            return _open(place)
    return None


def remove_damaged(corpus: EncodedCorpus, source: Language, target: Language) -> bool:
    """Whether what was encoded is not what was written, or holds ids that the vocabularies lack: then it is removed."""
    copied = LARGEST if source.copies else 0  # these have ids beyond the vocabulary
    sizes = {"source": len(source.vocabulary) + copied, "target": len(target.vocabulary) + copied}
    if are_whole(corpus.folder, _description(corpus.folder).get("checksums"), sizes):
        return False
    shutil.rmtree(corpus.folder)
    return True


def prepare(
    folder: Path,
    config: DataConfig,
    source: Language,
    target: Language,
    corpus: OpenCorpus,
    before: list[State],
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
    run = folder.parent
    rest = _rest(config, source, target=target, run=run)
    key = _key(rest, before)
    encoders = {
        "train": Encoder(
            source,
            target,
            maximum_length=config.maximum_length,
            minimum_length=config.minimum_length,
            maximum_ratio=config.maximum_ratio,
        ),
        "validation": Encoder(source, target),
    }
    parts = {"train": Watched(corpus.train, "encoding", reporter), "validation": corpus.validation}
    try:
        with building_folder(folder, key) as building:
            _say_what_is_done(building / "train", len(corpus.train), reporter)
            left_out = {name: write_pairs(building / name, pairs, encoders[name]) for name, pairs in parts.items()}
            progress = written(building / "train")
            if progress is None:
                raise OSError(f"{building / 'train'} cannot be read back")
            verdicts = progress.verdicts
            with (building / DROPPED).open("w", encoding="utf-8") as listing:
                account = make_account(
                    corpus, verdicts, config=config, listing=listing, root=run if (run / PAIRS).is_dir() else None
                )
            name = fingerprint(open_pairs(building / "train"))
            description = {
                "fingerprint": name,
                "left_out": left_out["train"],
                "account": asdict(account),
                "rest": rest,
                "texts": before,
                "checksums": checksums(building),
            }
            sealed = {"sha256": _seal(description), **description}
            (building / DESCRIPTION).write_text(json.dumps(sealed, indent=2) + "\n", encoding="utf-8")
            for part in parts:
                forget_progress(building / part)
            if text_states(config, run) != before:
                raise DataError("a text of the corpus changed while it was read; start again once it is written")
            _put_in_place(building, folder / key)
    except OSError as error:
        raise RunError(f"cannot write in {folder}: {error.strerror or error}; make room") from error
    _prune(folder, key)


def _say_what_is_done(folder: Path, pairs: int, reporter: Reporter) -> None:
    progress = written(folder)
    if progress:
        reporter.note(f"going on: {len(progress.verdicts):,} of {pairs:,} training pairs were encoded before")


def _description(folder: Path) -> dict[str, Any]:
    """What became of the pairs; empty where that is missing or damaged."""
    try:
        description = parse_json(read_at_most(folder / DESCRIPTION, LARGEST_DESCRIPTION))
    except (OSError, ValueError):
        return {}
    if not isinstance(description, dict) or description.pop("sha256", None) != _seal(description):
        return {}
    return description


def _seal(description: Mapping[str, Any]) -> str:
    """Names what a description says: one that was altered has another name."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def _open(folder: Path) -> EncodedCorpus | None:
    description = _description(folder)
    try:
        train, validation = (
            open_pairs(folder / "train", int(description["left_out"])),
            open_pairs(folder / "validation"),
        )
        account = Account(**description["account"])
        return EncodedCorpus(
            train, validation, fingerprint=str(description["fingerprint"]), account=account, folder=folder
        )
    except (OSError, ValueError, TypeError, KeyError, DataError):
        return None


def _key(rest: str, states: list[State]) -> str:
    """Twelve hexadecimal digits that name everything the token ids follow from."""
    return hashlib.sha256(json.dumps([rest, states]).encode()).hexdigest()[:12]


def _rest(config: DataConfig, source: Language, target: Language, run: Path) -> str:
    """Names what the token ids follow from, but for the texts themselves."""
    values = [
        portable(config, run).model_dump(mode="json"),
        *(hashlib.sha256(language.to_json().encode()).hexdigest() for language in (source, target)),
        code(),
        sys.byteorder,
    ]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


@cache
def code() -> str:
    """Names the code that makes the built-in corpora, splits lines and encodes tokens."""
    digest = hashlib.sha256(diptych.__version__.encode())
    for path in sorted((Path(__file__).parents[1] / "data").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _put_in_place(building: Path, place: Path) -> None:
    """Give a complete folder its name, unless another process has just made the same."""
    try:
        put_folder(building, place, replace=False)
    except OSError:
        if _open(place) is None:
            put_folder(building, place)


def _prune(folder: Path, key: str) -> None:
    """Remove what was encoded before, and what killed processes left."""
    for path in folder.iterdir():
        if not path.name.startswith((".", key)):
            shutil.rmtree(path, ignore_errors=True)
    remove_abandoned(folder)
