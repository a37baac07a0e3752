"""Subword regularisation: in each epoch each training pair is divided into subwords anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from diptych.config import DataConfig
from diptych.data.tokens.encoded import EncodedPairs, Ids, Sequences
from diptych.data.tokens.language import Language
from diptych.data.tokens.tokenizers import SubwordTokenizer
from diptych.data.tokens.vocabulary import UNK
from diptych.randomness import generator

DRAWN_AT_ONCE = 64


@dataclass(frozen=True)
class Resampling:
    """Divides pairs anew, each side as a pure function of (seed, epoch, side, the pair's row in the corpus).

    A side whose tokens are no subwords stays as it is, and so does a sentence with an unknown token.

    Attributes:
        source, target: how a line of either side becomes tokens, and their ids.
        strength: what the tokenizer makes of it, see `SubwordTokenizer.sample`.
        seed: the training seed.
    """

    source: Language
    target: Language
    strength: float
    seed: int

    def __call__(self, pairs: EncodedPairs, rows: Ids, epoch: int) -> EncodedPairs:
        """The pairs of these rows as an epoch, counted from 0, sees them; they are now rows 0, 1, ..."""
        numbers = pairs.corpus_rows[rows]
        sources = self._side("source", pairs.sources, rows=rows, numbers=numbers, epoch=epoch)
        targets = self._side("target", pairs.targets, rows=rows, numbers=numbers, epoch=epoch)
        pairs.release()
        return EncodedPairs(sources, targets, numbers)

    def _side(self, side: str, sequences: Sequences, rows: Ids, numbers: Ids, epoch: int) -> Sequences:
        language = self.source if side == "source" else self.target
        tokenizer, vocabulary = language.tokenizer, language.vocabulary
        sentences = [sequences[row].tolist() for row in rows.tolist()]
        if isinstance(tokenizer, SubwordTokenizer):
            for place, number in enumerate(numbers.tolist()):
                if UNK not in sentences[place]:
                    text = tokenizer.join(vocabulary.decode(sentences[place]))
                    draws = _draws(generator(self.seed, "subwords", epoch, side, number))
                    sentences[place] = vocabulary.encode(tokenizer.sample(text, self.strength, draws))
        return Sequences.of(sentences)


def _draws(random: np.random.Generator) -> Iterator[float]:
    """Uniform numbers in [0, 1), as many as are asked for."""
    while True:
        yield from random.random(DRAWN_AT_ONCE).tolist()


def resampling(config: DataConfig, source: Language, target: Language, seed: int) -> Resampling | None:
    """How training divides its pairs anew in each epoch; None where the config does not ask for it."""
    return Resampling(source, target, strength=config.subword_sampling, seed=seed) if config.subword_sampling else None
