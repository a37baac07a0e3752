"""Training that starts from what is there: a model's weights, its vocabularies kept, extended or replaced; embeddings.

What a run starts from is copied into it when it is created, to RUN/start, so that the run needs the other no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych.config import RunConfig, TrainingConfig
from diptych.data.tokens.language import Language, check_languages
from diptych.data.tokens.tokenizers import SubwordTokenizer
from diptych.data.tokens.vocabulary import SPECIALS, Vocabulary
from diptych.data.vectors.vectors import describe, read_vectors
from diptych.errors import ConfigError, RunError, UsageError
from diptych.panel import BACKENDS
from diptych.parameters.checkpoint import Checkpoint, read_checkpoint, read_tensors, write_checkpoint
from diptych.parameters.initialization import initial_parameters
from diptych.parameters.specification import Parameter, specification
from diptych.runs.checksums import read_parts
from diptych.runs.record import TrainingRecord

START = "start"
LARGEST = 1 << 34
"""How many bytes a file of weights may have."""

Arrays = Mapping[str, npt.NDArray[Any]]
Languages = tuple[Language, Language]


@dataclass(frozen=True)
class Base:
    """What a run starts from.

    Attributes:
        where: its name in messages.
        parameters: its weights by name.
        languages: of its source and target; None for a file of weights, which does not say what its rows stand for.
    """

    where: str
    parameters: Arrays
    languages: Languages | None

    @classmethod
    def open(cls, named: str) -> Base:
        """What RUN[:BACKEND[:CHECKPOINT]], or the path of a .safetensors file, stands for; a run for its best one.

        Raises:
            UsageError: it is neither.
            RunError: nothing has been trained in the run.
            CheckpointError: the weights are damaged.
        """
        if named.endswith(".safetensors"):
            return cls(named, read_tensors(Path(named), LARGEST), None)
        folder, backend, which = _parted(named)
        if not (folder / "tokenizer").is_dir():
            raise UsageError(f"training.start_from = {named!r}: give the folder of a run, or a .safetensors file")
        config, source, target = read_parts(folder)
        weights = specification(config.model, len(source.vocabulary), len(target.vocabulary))
        records = {name: TrainingRecord(folder / name, weights) for name in ([backend] if backend else BACKENDS)}
        trained = [record for record in records.values() if record.steps() is not None]
        if not trained:
            raise RunError(
                f"training.start_from = {named!r}: nothing has been trained there; train it, or name another"
            )
        return cls(named, trained[0].read_checkpoint(which).parameters, (source, target))


def languages_of(base: Base, config: RunConfig, own: Languages) -> Languages:
    """The languages of a run that starts from a model: its own, the model's, or the model's and what its own have more.

    Raises:
        RunError: the model's tokenizers are not those of the config, or its vocabularies cannot be extended.
    """
    rule = config.training.start_vocabulary
    if rule == "new" or base.languages is None:
        return own
    check_languages(config.data, *base.languages, origin=base.where)
    shared = base.languages[0].vocabulary == base.languages[1].vocabulary
    if config.data.shared_vocabulary and not shared:
        raise RunError(f"{base.where} has two vocabularies, and data.shared_vocabulary wants one: set it to false")
    if rule == "kept":
        return base.languages
    if any(isinstance(language.tokenizer, SubwordTokenizer) for language in own):
        raise RunError(
            f"the subwords of {base.where} divide any text and cannot be extended: set training.start_vocabulary to "
            f'"kept", or to "new"'
        )
    source, target = (_extended(old, new) for old, new in zip(base.languages, own, strict=True))
    return source, target


def start_values(base: Base, config: RunConfig, languages: Languages) -> tuple[dict[str, npt.NDArray[Any]], list[str]]:
    """The weights that training starts from, and what is to be said of them.

    Rows that stand for tokens are taken by token; a token that the model had not keeps the value that is drawn for it.

    Raises:
        RunError: a weight is missing, left over, or of another shape.
    """
    model, sizes = config.model, (len(languages[0].vocabulary), len(languages[1].vocabulary))
    weights = specification(model, *sizes)
    drawn: dict[str, npt.NDArray[Any]] = dict(initial_parameters(model, *sizes, config.training.seed))
    sides = dict(zip(("source", "target"), zip(base.languages, languages))) if base.languages else {}
    problems = [f"{name} is missing" for name in weights if name not in base.parameters]
    problems += [f"{name} is not in this model" for name in base.parameters if name not in weights]
    notes = []
    for name, weight in weights.items():
        there = base.parameters.get(name)
        if there is None:
            continue
        side = _side(name)
        if side in sides and weight.shape[1:] == there.shape[1:]:
            old, new = (language.vocabulary for language in sides[side])
            known = _copy_rows(drawn[name], there, old=old, new=new)
            if known < len(new):
                notes.append(f"{name}: {len(new) - known:,} of {len(new):,} rows are new")
        elif weight.shape == there.shape:
            drawn[name] = np.asarray(there, np.float64)
        else:
            problems.append(f"{name} is {there.shape}, expected {weight.shape}")
    if problems:
        raise RunError(f"{base.where} is of another model: {'; '.join(problems[:5])}; give the same [model]")
    return drawn, [f"starting from {base.where}: {len(weights):,} weights", *notes]


def start(config: RunConfig, own: Languages) -> tuple[Languages, dict[str, npt.NDArray[Any]], list[str]]:
    """The languages of a run that starts elsewhere, the weights it starts from, and what is to be said of them.

    Args:
        config: of the run.
        own: the languages that its corpus has.

    Raises:
        RunError, UsageError, CheckpointError: as `Base.open`, `languages_of` and `start_values`.
        DataError: a file of embeddings is damaged.
        ConfigError: its vectors are of another size than the model's embeddings.
    """
    languages, training, notes = own, config.training, list[str]()
    if training.start_from:
        base = Base.open(training.start_from)
        languages = languages_of(base, config, own)
        values, notes = start_values(base, config, languages)
        notes += _unknown_tokens(own, languages)
    else:
        sizes = (len(own[0].vocabulary), len(own[1].vocabulary))
        values = dict(initial_parameters(config.model, *sizes, training.seed))
    for side, language in zip(("source", "target"), languages, strict=True):
        if path := getattr(training, f"{side}_embeddings"):
            notes.append(_fill(values, f"{side}_embedding.weight", path=path, language=language, config=config))
    return languages, values, notes


def _fill(values: dict[str, npt.NDArray[Any]], name: str, path: str, language: Language, config: RunConfig) -> str:
    """Put a file's vectors into a table, and say how many there were."""
    if name not in values:
        raise ConfigError(
            "training.target_embeddings: with model.tie_source_target there is one table, the source's; give "
            "training.source_embeddings"
        )
    entries = language.vocabulary.entries
    vectors = read_vectors(path, entries)
    if vectors.size != config.model.embedding_size:
        raise ConfigError(
            f"{path} has vectors of {vectors.size} numbers and the model's have {config.model.embedding_size}: set "
            f"model.embedding_size = {vectors.size}"
        )
    for row, entry in enumerate(entries, len(SPECIALS)):
        vector = vectors.found.get(entry, vectors.made.get(entry))
        if vector is not None:
            values[name][row] = vector
    return describe(name, path, vectors, tokens=len(entries))


def write_start(folder: Path, values: Arrays, training: TrainingConfig) -> None:
    """Put what a run starts from into its folder."""
    named = [training.start_from, training.source_embeddings, training.target_embeddings]
    write_checkpoint(folder / START, Checkpoint(dict(values), state={"from": ", ".join(filter(None, named))}))


def read_start(folder: Path, weights: Mapping[str, Parameter]) -> dict[str, npt.NDArray[np.float64]]:
    """What a run starts from.

    Raises:
        CheckpointError: it is missing, damaged, or of another model.
    """
    return read_checkpoint(folder / START, weights).parameters


def _parted(named: str) -> tuple[Path, str, str]:
    """Folder, backend ("" for whichever was trained) and checkpoint."""
    parts = named.split(":")
    for place, part in enumerate(parts[1:], 1):
        if part in BACKENDS:
            return Path(":".join(parts[:place])), part, ":".join(parts[place + 1 :]) or "best"
    return Path(named), "", "best"


def _side(name: str) -> str:
    """Whose vocabulary a weight has a row for each token of; "" for none."""
    return {
        "source_embedding.weight": "source",
        "target_embedding.weight": "target",
        "output_layer.weight": "target",
        "output_layer.bias": "target",
    }.get(name, "")


def _extended(old: Language, new: Language) -> Language:
    added = tuple(entry for entry in new.vocabulary.entries if entry not in set(old.vocabulary.entries))
    return replace(old, vocabulary=Vocabulary(old.vocabulary.entries + added))


def _unknown_tokens(own: Languages, languages: Languages) -> list[str]:
    """What is to be said of the corpus's tokens that a vocabulary which is kept has no row for."""
    sides = list(zip(("source", "target"), own, languages, strict=True))
    if own[0] == own[1] and languages[0] == languages[1]:  # one vocabulary for both
        sides = [("both sides", own[0], languages[0])]
    subwords = any(isinstance(each.tokenizer, SubwordTokenizer) for each in own)
    advice = "" if subwords else '; training.start_vocabulary = "extended" gives them rows'
    notes = []
    for side, new, taken in sides:
        missing = set(new.vocabulary.entries) - set(taken.vocabulary.entries)
        if missing and not isinstance(taken.tokenizer, SubwordTokenizer):
            notes.append(
                f"{side}: {len(missing):,} of the corpus's {len(new.vocabulary.entries):,} tokens are unknown to the "
                f"vocabulary that is kept{advice}"
            )
    return notes


def _copy_rows(values: npt.NDArray[Any], there: npt.NDArray[Any], old: Vocabulary, new: Vocabulary) -> int:
    """Take over the rows of tokens that both know; how many these are."""
    rows = {entry: row for row, entry in enumerate(old.entries, len(SPECIALS))}
    values[: len(SPECIALS)] = there[: len(SPECIALS)]
    known = len(SPECIALS)
    for row, entry in enumerate(new.entries, len(SPECIALS)):
        if entry in rows:
            values[row] = there[rows[entry]]
            known += 1
    return known
