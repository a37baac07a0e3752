"""How probable a model finds given translations, token by token."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from diptych.data.pairs import Pair
from diptych.data.tokens.batches import collate
from diptych.data.tokens.encoded import encode_pairs
from diptych.data.tokens.vocabulary import EOS
from diptych.errors import DataError
from diptych.translation.translator import Translator


@dataclass(frozen=True, eq=False)
class PairScore:
    """What a model thinks of one translation: T tokens, from S source tokens.

    Attributes:
        source, target: the pair.
        source_tokens: (S,).
        tokens: (T,) the target's, "<eos>" last.
        token_log_probabilities: (T,) of each token after those before it, in nats.
        attention: (T, S) float32 where the model looked for each token; zeros without attention.
    """

    source: str
    target: str
    source_tokens: tuple[str, ...]
    tokens: tuple[str, ...]
    token_log_probabilities: tuple[float, ...]
    attention: npt.NDArray[np.float32]

    @property
    def log_probability(self) -> float:
        """Of the whole translation, in nats, eos counted."""
        return math.fsum(self.token_log_probabilities)

    @property
    def perplexity(self) -> float:
        """e to the power of the negative mean log-probability of a token."""
        return math.exp(-self.log_probability / len(self.tokens))


def score_pairs(translator: Translator, pairs: Sequence[Pair], first_line: int = 1) -> list[PairScore]:
    """Have the model read each target after its source (teacher forcing).

    Args:
        translator: whose model, or ensemble.
        pairs: any text; a word that the model does not know is read as "<unk>".
        first_line: the number of the first pair, for errors.

    Returns:
        One for each pair, in order.

    Raises:
        DataError: a side of a pair is empty.
    """
    run = translator.run
    for number, pair in enumerate(pairs, first_line):
        for side, text in zip(("source", "target"), pair):
            if not text.strip():
                raise DataError(f"pair {number} has an empty {side}: a model scores a text after a text; leave it out")
    if not pairs:
        return []
    encoded = encode_pairs(pairs, run.source, run.target)
    order = np.argsort(-encoded.sources.lengths, kind="stable").astype(np.int32)
    scores: dict[int, PairScore] = {}
    for start in range(0, len(order), run.config.search.batch_size):
        rows = order[start : start + run.config.search.batch_size]
        batch = collate(encoded, rows)
        state = translator.stepper.start(batch.source, batch.source_lengths)
        log_probabilities = np.zeros(batch.target_output.shape)  # (B, T)
        attention = np.zeros((*batch.target_output.shape, batch.source.shape[1]), np.float32)  # (B, T, S)
        for step in range(batch.target_output.shape[1]):
            tokens = np.ascontiguousarray(batch.target_input[:, step])
            table, looked, state = translator.stepper.step(state, tokens)
            log_probabilities[:, step] = table[np.arange(len(rows)), batch.target_output[:, step]]
            attention[:, step] = looked
        for place, row in enumerate(rows.tolist()):
            length, width = int(batch.target_lengths[place]), int(batch.source_lengths[place])
            source, target = pairs[row]
            scores[row] = PairScore(
                source,
                target,
                source_tokens=tuple(run.source_tokenizer.tokenize(source)),
                tokens=(*run.target_tokenizer.tokenize(target), *run.target_vocabulary.decode([EOS])),
                token_log_probabilities=tuple(log_probabilities[place, :length].tolist()),
                attention=attention[place, :length, :width],
            )
    return [scores[row] for row in range(len(pairs))]
