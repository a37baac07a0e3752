"""The standard workload of the benchmark: a model of common size, and a corpus of known shape that is made by rule.

The corpus has the shape of Multi30k German to English, words (Elliott et al., 2016): its sentences' lengths on both
sides and how they go together, its vocabularies where a word counts from its second use on, and words by Zipf's law.
Nothing can be learnt from it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.randomness import generator

# Special tokens counted.
SOURCE_VOCABULARY, TARGET_VOCABULARY = 7859, 5921
PARTS = {"train": 10_000, "validation": 64, "test": 1000}
SPECIALS = 4

MODEL = ModelConfig(
    embedding_size=256, encoder_size=256, decoder_size=512, bridge="dense", attention="general", dropout=0.3
)


def standard_config(folder: Path) -> RunConfig:
    """The config of the standard workload; its corpus is written into a folder.

    Each vocabulary is in the training part from end to end, so it has exactly the size it is meant to have.
    """
    paths = {}
    for part, count in PARTS.items():
        lengths = sentence_lengths(part, count)
        paths[part] = tuple(str(folder / f"{part}.{side}") for side in ("source", "target"))
        for path, each, size in zip(paths[part], lengths, (SOURCE_VOCABULARY, TARGET_VOCABULARY), strict=True):
            Path(path).write_text(_text(f"{part} {Path(path).suffix}", each, size - SPECIALS), encoding="utf-8")
    return RunConfig(
        name="standard",
        data=DataConfig(
            corpus="files",
            train=paths["train"],
            validation=paths["validation"],
            test=paths["test"],
            maximum_pairs=0,
        ),
        model=MODEL,
        training=TrainingConfig(learning_rate=0.001, schedule="constant"),
    )


def sentence_lengths(part: str, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The words of so many sentences on each side: 12.4 in the source and 13.0 in the target on average."""
    random = generator(1, "standard lengths", part)
    target = np.clip(np.rint(np.exp(random.normal(2.522, 0.296, count))), 4, 40)
    source = np.clip(np.rint(target - 0.58 + random.normal(0.0, 2.15, count)), 2, 44)
    return source.astype(np.int64), target.astype(np.int64)


def _text(purpose: str, lengths: npt.NDArray[np.int64], words: int) -> str:
    """Sentences of these lengths; each of so many words comes at least once if the text is long enough."""
    total = int(lengths.sum())
    frequencies = 1.0 / np.arange(1, words + 1)
    random = generator(1, "standard words", purpose)
    drawn = random.choice(words, total, p=frequencies / frequencies.sum())
    everyone = np.arange(min(words, total))
    drawn[random.permutation(total)[: len(everyone)]] = everyone
    ends = np.cumsum(lengths)
    sentences = np.split(drawn, ends[:-1])
    return "".join(" ".join(f"w{word}" for word in sentence.tolist()) + "\n" for sentence in sentences)
