"""A run's folder is made: the vocabularies, the config, the pairs as token ids; whole, or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from diptych.config import RunConfig, parse_config, read_config
from diptych.data.corpus.corpus import OpenCorpus
from diptych.data.opening import open_corpus
from diptych.data.tokens.language import Language, build_languages
from diptych.errors import DiptychError, RunError
from diptych.parameters.freezing import frozen_weights
from diptych.parameters.specification import specification
from diptych.processes.environment import environment
from diptych.runs.checksums import CONFIG, SIDES, read_parts, write_checksums
from diptych.runs.given_pairs import GivenPairs
from diptych.runs.locks import nobody_trains
from diptych.runs.paths import absolute, moved, portable
from diptych.runs.preparation import State, Watched, code, open_prepared, prepare, text_states
from diptych.runs.progress import Reporter
from diptych.runs.standard_input import StandardInput
from diptych.runs.starting import start, write_start
from diptych.storage.building import building_folder, remove_abandoned
from diptych.storage.place import put_folder, replace_file

ENVIRONMENT, DATA = "environment.json", "data"

ConfigLike = RunConfig | Mapping[str, Any] | str | Path
"""A config, its values by section, or the path of a TOML file."""
Given = GivenPairs | StandardInput
"""What a run keeps because it is no file of anybody's."""


def as_config(config: ConfigLike) -> RunConfig:
    """The config that is meant.

    Raises:
        ConfigError: there is no such file, or a key is unknown or a value does not fit.
    """
    if isinstance(config, RunConfig):
        return config
    return parse_config(dict(config)) if isinstance(config, Mapping) else read_config(config)


def config_of(config: ConfigLike, given: Given | None, folder: Path) -> RunConfig:
    """A run's config, with absolute paths, the pairs that it keeps among them.

    Raises:
        ConfigError: as `as_config`.
    """
    if given is None:
        return absolute(as_config(config))
    if isinstance(config, (str, Path)):
        config = read_config(config)
    values = config.model_dump(mode="json", exclude_unset=True) if isinstance(config, RunConfig) else config
    return absolute(given.config(values, folder))


def create_folder(config: RunConfig, folder: Path, given: Given | None, *, reporter: Reporter, strict: bool) -> None:
    """Make a run's folder in the place of what is there, see `Run.create`.

    Raises:
        DataError: the corpus cannot be read, or a pair cannot be encoded.
        RunError: the disk refuses, or another process trains the run that is there.
        ConfigError: what is to be frozen is not in the model.
    """
    frozen_weights(config.training.freeze, specification(config.model, 5, 5))
    key = _key(config, given, text_states(config.data, folder))
    try:
        with nobody_trains(folder), building_folder(folder.parent, f"{folder.name}.{key}") as building:
            if given is not None:
                given.write(building)
            here = moved(config, folder, building)
            texts = text_states(here.data, building)
            corpus = watched_corpus(here, reporter, strict)
            languages = _taken_up(building, reporter) or _build_languages(
                building, here, corpus=corpus, reporter=reporter
            )
            if open_prepared(building / DATA, here.data, *languages) is None:
                prepare(building / DATA, here.data, *languages, corpus, texts, reporter)
            put_folder(building, folder)
    except OSError as error:
        raise RunError(
            f"cannot write the run {folder}: {error.strerror or error}; choose another --run folder"
        ) from error
    remove_abandoned(folder.parent, f".{folder.name}.")


def watched_corpus(config: RunConfig, reporter: Reporter, strict: bool = False) -> OpenCorpus:
    """The corpus of a config; the reporter says how far it has been read.

    Raises:
        DataError: it cannot be read.
    """
    data = config.data.model_copy(update={"bad_lines": "error"}) if strict else config.data
    return open_corpus(data, lambda rows, what: reporter.watch(rows, what, None))


def is_taken(folder: Path) -> bool:
    """Whether a run is there; an empty folder is free.

    Raises:
        RunError: something is there that is no run: it is neither opened nor overwritten.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    if not (folder / CONFIG).is_file() or not (folder / "tokenizer").is_dir():
        raise RunError(f"{folder} is there but is not a run (no {CONFIG} and tokenizer/): choose another --run folder")
    return True


def check_same(config: RunConfig, there: RunConfig, folder: Path) -> None:
    """Refuse to go on in a run of another config.

    Raises:
        RunError: the configs differ; the message says where.
    """
    if config.hash() == there.hash():
        return
    listed = [f"{key} = {held!r} there, {wanted!r} now" for key, (held, wanted) in differences(there, config).items()]
    raise RunError(
        f"{folder} is a run of another config ({there.hash()}, expected {config.hash()}): {'; '.join(listed)}. Give "
        f"another --run folder, --resume to go on with what can be obeyed, or --overwrite to remove that run and start "
        f"anew"
    )


def differences(there: RunConfig, wanted: RunConfig) -> dict[str, tuple[Any, Any]]:
    """The keys, with their sections, in which two configs differ: the value in the first, and in the second."""
    before, after = _flatten(there.model_dump(mode="json")), _flatten(wanted.model_dump(mode="json"))
    return {key: (before[key], after[key]) for key in after if before[key] != after[key]}


def tokenizer_file(folder: Path, side: str) -> Path:
    """Where a run keeps one side's tokenizer and vocabulary."""
    return folder / "tokenizer" / f"{side}.json"


def _build_languages(
    folder: Path, config: RunConfig, corpus: OpenCorpus, reporter: Reporter
) -> tuple[Language, Language]:
    """Make a run's vocabularies and write all but its data; the checksums, the last, say that all is there."""
    source, target = build_languages(config.data, Watched(corpus.train, "counting tokens", reporter))
    languages = replace(source, copies=config.model.copies), replace(target, copies=config.model.copies)
    if config.training.starts_elsewhere:
        languages, values, notes = start(config, languages)
        write_start(folder, values, config.training)
        for note in notes:
            reporter.note(note)
        source, target = languages
        languages = replace(source, copies=config.model.copies), replace(target, copies=config.model.copies)
    (folder / "tokenizer").mkdir(exist_ok=True)
    replace_file(folder / ENVIRONMENT, json.dumps(environment(), indent=2) + "\n")
    for side, language in zip(SIDES, languages, strict=True):
        replace_file(tokenizer_file(folder, side), language.to_json())
    written = config.model_copy(update={"data": portable(config.data, folder)})
    replace_file(folder / CONFIG, written.to_toml())
    write_checksums(folder)
    return languages


def _taken_up(folder: Path, reporter: Reporter) -> tuple[Language, Language] | None:
    """The vocabularies that an interrupted call left; None where it had not come so far."""
    try:
        _, source, target = read_parts(folder)
    except DiptychError:
        return None
    reporter.note("going on: the vocabularies were made before")
    return source, target


def _key(config: RunConfig, given: Given | None, texts: list[State]) -> str:
    """Twelve hexadecimal digits that name everything a run that is created follows from."""
    values = [config.hash(), given.hash() if given else "", texts, code()]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:12]


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested sections as one level: "section.key" to value."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat
