"""One side of a run: how its lines become tokens and its tokens ids, as one file in the run's folder."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import chain, islice

from diptych.config import DataConfig
from diptych.data.pairs import Pairs
from diptych.data.tokenizers import Tokenizer, make_tokenizer
from diptych.data.vocabulary import Vocabulary
from diptych.errors import ConfigError, RunError

BLOCK = 4096
"""How many pairs are counted at a time."""


@dataclass(frozen=True)
class Language:
    """A tokenizer and the vocabulary of the text that it was used on."""

    tokenizer: Tokenizer
    vocabulary: Vocabulary

    def to_json(self) -> str:
        """This language as JSON, one token a line: what `from_json` reads."""
        values = {
            "kind": self.tokenizer.kind,
            "lowercase": self.tokenizer.lowercase,
            "vocabulary": json.loads(self.vocabulary.to_json()),
        }
        return json.dumps(values, ensure_ascii=False, indent=0) + "\n"

    @classmethod
    def from_json(cls, text: str, origin: str) -> Language:
        """The language that `to_json` wrote; `origin` names it in the error.

        Raises:
            RunError: the text is anything else.
            DataError: the vocabulary in it is damaged.
        """
        advice = "restore it, or create the run again"
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RunError(f"{origin} is not valid JSON ({error}); {advice}") from error
        if not isinstance(values, dict) or set(values) != {"kind", "lowercase", "vocabulary"}:
            raise RunError(f"{origin} is not an object with kind, lowercase and vocabulary; {advice}")
        kind, lowercase = values["kind"], values["lowercase"]
        if not isinstance(kind, str) or not isinstance(lowercase, bool):
            raise RunError(f"{origin} has kind {kind!r} and lowercase {lowercase!r}, expected a name and a boolean")
        try:
            tokenizer = make_tokenizer(kind, lowercase)
        except ConfigError as error:
            raise RunError(f"{origin}: {error}") from error
        return cls(tokenizer, Vocabulary.from_json(json.dumps(values["vocabulary"]), origin))


def build_languages(config: DataConfig, pairs: Pairs) -> tuple[Language, Language]:
    """The source's and the target's language, with the vocabularies of these training pairs, which are read once.

    Raises:
        DataError: no token at all gets into a vocabulary.
    """
    source = make_tokenizer(config.source_tokenizer, config.lowercase_source)
    target = make_tokenizer(config.target_tokenizer, config.lowercase_target)
    counts = _count_tokens(pairs, source, target)
    limits = config.minimum_frequency, config.maximum_vocabulary
    if config.shared_vocabulary:
        shared = Vocabulary.from_counts(counts[0] + counts[1], *limits)
        return Language(source, shared), Language(target, shared)
    vocabularies = [Vocabulary.from_counts(side, *limits) for side in counts]
    return Language(source, vocabularies[0]), Language(target, vocabularies[1])


def _count_tokens(pairs: Pairs, source: Tokenizer, target: Tokenizer) -> tuple[Counter[str], Counter[str]]:
    """How often each token comes, on either side."""
    counts: tuple[Counter[str], Counter[str]] = Counter(), Counter()
    rest = iter(pairs)
    while block := list(islice(rest, BLOCK)):
        for side, (tokenizer, count) in enumerate(zip((source, target), counts, strict=True)):
            count.update(chain.from_iterable(tokenizer.tokenize(pair[side]) for pair in block))
    return counts
