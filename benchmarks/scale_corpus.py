"""Corpora made by rule, of any number of pairs, words and characters: the same arguments give the same text."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from diptych.randomness import generator

BLOCK = 50_000
SHORTEST, LONGEST = 6, 18
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def write_words(folder: Path, pairs: int, words: int) -> tuple[Path, Path]:
    """Sentences of 6 to 18 words; the translation of "s7 s3" is "t3 t7", last word first.

    Few words are frequent and most are rare, as in a text, but each comes at least once: the first sentences together
    go through them all.
    """

    def block(number: int, count: int) -> tuple[list[str], list[str]]:
        random = generator(1, "scale corpus", words, number)
        lengths = random.integers(SHORTEST, LONGEST + 1, count)
        chosen = np.minimum(words * random.random(int(lengths.sum())) ** 4, words - 1).astype(np.int64)
        every = np.arange(number * len(chosen), (number + 1) * len(chosen))
        chosen = np.where(every < words, every, chosen)
        ends = np.cumsum(lengths).tolist()
        numbers = [chosen[end - length : end].tolist() for end, length in zip(ends, lengths.tolist(), strict=True)]
        sources = [" ".join([f"s{word}" for word in sentence]) for sentence in numbers]
        targets = [" ".join([f"t{word}" for word in reversed(sentence)]) for sentence in numbers]
        return sources, targets

    return _write(folder / f"{pairs}-pairs-{words}-words", pairs, block)


def write_characters(folder: Path, pairs: int, length: int) -> tuple[Path, Path]:
    """Lines of exactly so many letters; the translation of a letter is the next one of the alphabet."""

    def block(number: int, count: int) -> tuple[list[str], list[str]]:
        letters = generator(1, "scale characters", length, number).integers(0, len(LETTERS), (count, length))
        table = np.frombuffer(LETTERS.encode(), np.uint8)
        lines = [table[moved % len(LETTERS)].tobytes().decode() for moved in (letters, letters + 1)]
        sources, targets = ([text[i : i + length] for i in range(0, len(text), length)] for text in lines)
        return sources, targets

    return _write(folder / f"{pairs}-pairs-{length}-characters", pairs, block)


def _write(stem: Path, pairs: int, block) -> tuple[Path, Path]:
    """The two aligned files, written unless they are there."""
    source, target = stem.with_suffix(".source"), stem.with_suffix(".target")
    if not (source.is_file() and target.is_file()):
        stem.parent.mkdir(parents=True, exist_ok=True)
        building = source.with_suffix(".source.tmp"), target.with_suffix(".target.tmp")
        with building[0].open("w", encoding="utf-8") as sources, building[1].open("w", encoding="utf-8") as targets:
            for number, start in enumerate(range(0, pairs, BLOCK)):
                lines = block(number, min(BLOCK, pairs - start))
                for file, side in zip((sources, targets), lines, strict=True):
                    file.write("\n".join(side) + "\n")
        building[0].replace(source)
        building[1].replace(target)
    return source, target
