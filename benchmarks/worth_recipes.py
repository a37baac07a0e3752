"""What `benchmarks/worth.py` trains: for each capability a small task, and its models with and without it.

The texts are not part of the project: Multi30k's captions and SIGMORPHON's words and phones (docs/recipes.md), in
../shared/data or where --data says. The names are made by the project itself.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worth_vectors import write_vectors

Values = dict[str, Any]
NAMES = Path(__file__).parents[1] / "configs" / "names.toml"
SMALL = {"embedding_size": 64, "encoder_size": 64, "decoder_size": 128, "dropout": 0.2}
OTHERS = ("dut", "vie")
LATIN = ("dut", "ice", "vie")


@dataclass(frozen=True)
class Recipe:
    """A capability's task.

    Attributes:
        task: what is learnt, as the table says it.
        models: by name, how the config of a seed differs: the first is without the capability.
        measure: the score that tells.
        tokenize: how BLEU cuts a text.
    """

    task: str
    models: dict[str, Callable[[int], Values]]
    measure: str
    tokenize: str = "13a"


def recipes(data: Path, folder: Path) -> dict[str, Recipe]:
    """All of them; the texts that they need are written into `folder`."""
    return {
        "start": Recipe(
            "Icelandic words to phones from 300 pairs; the other model has learnt Dutch and Vietnamese",
            {"drawn": lambda seed: few(data, folder, seed), "started": lambda seed: few(data, folder, seed, True)},
            "per",
        ),
        "features": Recipe(
            "one model for the phones of Dutch, Icelandic and Vietnamese words, from 3,600 of their pairs",
            {
                "none": lambda seed: languages(data, folder, seed),
                "tag": lambda seed: languages(data, folder, seed, source_tags=["language"]),
                "factor": lambda seed: languages(data, folder, seed, factors=1, source_tags=["language"]),
            },
            "exact_match",
        ),
        "copying": Recipe(
            "sentences with names that nobody has seen, `configs/names.toml`",
            {"plain": lambda seed: names(seed, False), "copies": lambda seed: names(seed, True)},
            "exact_match",
        ),
        "embeddings": Recipe(
            "German to English captions from 2,000 pairs; vectors from all 29,000 captions of each language",
            {
                "drawn": lambda seed: captions(data, folder, seed),
                "given": lambda seed: captions(data, folder, seed, given=True),
                "frozen": lambda seed: captions(data, folder, seed, given=True, frozen=True),
            },
            "bleu",
            "none",
        ),
    }


def names(seed: int, copies: bool) -> Values:
    """The config that comes with the project."""
    from diptych.config import read_config

    values = read_config(NAMES).model_dump(mode="json")
    values["model"]["copies"], values["training"]["seed"] = copies, seed
    return values


def base(data: Path, folder: Path) -> Values:
    """Two languages in one model that is not told which: where the others start from."""
    texts = {"train": [phones(data, folder, OTHERS, "train")], "validation": [phones(data, folder, OTHERS, "dev")]}
    return spoken(texts | {"test": [phones(data, folder, ("ice",), "test")]}, 1, epochs=6, batch_size=64)


def few(data: Path, folder: Path, seed: int, started: bool = False) -> Values:
    """300 Icelandic words."""
    parts = {"train": "train", "validation": "dev", "test": "test"}
    texts = {key: [phones(data, folder, ("ice",), part)] for key, part in parts.items()}
    values = spoken(texts | {"maximum_pairs": 300}, seed, epochs=40, batch_size=16, validate_every=190)
    if started:
        values["training"] |= {"start_from": str(folder / "base"), "start_vocabulary": "extended"}
    return values


def languages(data: Path, folder: Path, seed: int, factors: int = 0, **more: Any) -> Values:
    """Three languages that are written with Latin letters."""
    parts = {"train": "train", "validation": "dev", "test": "test"}
    texts: Values = {key: [phones(data, folder, LATIN, part)] for key, part in parts.items()}
    values = spoken(texts | {"maximum_pairs": 3600} | more, seed, epochs=12, batch_size=64, validate_every=171)
    values["model"]["factors"] = factors
    return values


def spoken(texts: Values, seed: int, **training: Any) -> Values:
    """Words to phones."""
    columns = {
        "corpus": "files",
        "source_column": "word",
        "target_column": "phones",
        "maximum_pairs": 0,
        "line": "word",
        "source_tokenizer": "jamo",
        "target_tokenizer": "word",
    }
    how = {"learning_rate": 0.002, "stop_metric": "exact_match", "validation_sentences": 200, "seed": seed}
    return {"name": "worth", "data": columns | texts, "model": dict(SMALL), "training": how | training}


def captions(data: Path, folder: Path, seed: int, given: bool = False, frozen: bool = False) -> Values:
    """2,000 pairs of Multi30k."""
    sides = {part: [str(unpacked(data, folder, f"{part}.{side}")) for side in ("de", "en")] for part in PARTS}
    texts = {"corpus": "files", "train": sides["train"], "validation": sides["val"], "test": sides["test"]}
    training: Values = {"epochs": 30, "learning_rate": 0.002, "seed": seed, "validate_every": 160}
    if given:
        for key, path in ("source_embeddings", sides["train"][0]), ("target_embeddings", sides["train"][1]):
            training[key] = str(write_vectors(Path(path), size=128))
    if frozen:
        training["freeze"] = ["source_embedding.weight", "target_embedding.weight"]
    model = {"embedding_size": 128, "encoder_size": 96, "decoder_size": 192, "attention": "general", "dropout": 0.4}
    return {
        "name": "worth",
        "data": texts | {"maximum_pairs": 2000, "minimum_frequency": 2},
        "model": model,
        "training": training,
    }


PARTS = ("train", "val", "test")


def phones(data: Path, folder: Path, languages: tuple[str, ...], part: str) -> str:
    """A table of these languages' words in this part, in an order drawn once: its path."""
    path = folder / f"{'-'.join(languages)}-{part}.tsv"
    if not path.is_file():
        rows = [
            f"{language}\t{line}"
            for language in languages
            for line in (data / "g2p" / f"{language}_{part}.tsv").read_text("utf-8").splitlines()
        ]
        random.Random(1).shuffle(rows)
        path.write_text("\n".join(["language\tword\tphones", *rows]) + "\n", "utf-8")
    return str(path)


def unpacked(data: Path, folder: Path, name: str) -> Path:
    """A text of Multi30k without gzip: its path."""
    path = folder / name
    if not path.is_file():
        path.write_bytes(gzip.decompress((data / "multi30k" / f"{name}.gz").read_bytes()))
    return path
