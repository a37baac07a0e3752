"""One side of a run: how its lines become tokens and its tokens ids, as one file in the run's folder."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, cast, get_args

from diptych.config import DataConfig, Normalization
from diptych.data.pairs import Pairs
from diptych.data.tokens.tokenizers import SubwordTokenizer, Tokenizer, make_tokenizer
from diptych.data.tokens.tokenizers.subword_training import train_subwords
from diptych.data.tokens.tokenizers.word_counts import WordCounts
from diptych.data.tokens.vocabulary import UNK, Vocabulary
from diptych.errors import ConfigError, DataError, RunError
from diptych.storage.json_text import parse_json

BLOCK = 4096
"""How many pairs are counted at a time."""
MOST_TAGS = 100
KEYS = {"kind", "lowercase", "vocabulary"}
LATER_KEYS = {"normalization", "scores", "reverse", "tags", "copies"}
"""What a file need not have: runs made before there were normal forms lack them, only subwords have scores, and only a
language that is said from its end, has tags in front, or belongs to a model that copies, says so."""


@dataclass(frozen=True)
class Language:
    """A tokenizer and the vocabulary of the text that it was used on; of subwords, that is their pieces, and tags.

    Attributes:
        tokenizer: how a line becomes tokens.
        vocabulary: their ids.
        copies: whether a token without an entry has an id all the same: V and the place at which the source has it, for
            a model that copies.
    """

    tokenizer: Tokenizer
    vocabulary: Vocabulary
    copies: bool = False

    def encode(self, tokens: Sequence[str], source: Sequence[str] | None = None) -> list[int]:
        """The ids of a line's tokens.

        Args:
            tokens: what `tokenizer` gave.
            source: the tokens of the pair's source; None: they are these.
        """
        ids = self.vocabulary.encode(tokens)
        if not self.copies or UNK not in ids:
            return ids
        places: dict[str, int] = {}
        for place, token in enumerate(tokens if source is None else source):
            places.setdefault(token, len(self.vocabulary) + place)
        return [places.get(token, UNK) if number == UNK else number for token, number in zip(tokens, ids, strict=True)]

    def decode(self, ids: Iterable[int], source: Sequence[str] = ()) -> list[str]:
        """The token of each id, one for one; of a copy, that of the source, or the unknown one where it has none.

        Raises:
            DataError: an id is of no token.
        """
        size, known = len(self.vocabulary), self.vocabulary.decode
        if not self.copies:
            return known(ids)
        beyond = [*source, *known([UNK])]
        return [beyond[min(each - size, len(source))] if each >= size else known([each])[0] for each in ids]

    def to_values(self) -> dict[str, Any]:
        """This language as JSON values."""
        values: dict[str, Any] = {
            "kind": self.tokenizer.kind,
            "lowercase": self.tokenizer.lowercase,
            "normalization": self.tokenizer.normalization,
            "vocabulary": json.loads(self.vocabulary.to_json()),
        }
        if isinstance(self.tokenizer, SubwordTokenizer):
            values["scores"] = self.tokenizer.scores
        if self.tokenizer.reverse:
            values["reverse"] = True
        if self.copies:
            values["copies"] = True
        if self.tokenizer.tags:
            values["tags"] = self.tokenizer.tags
        return values

    def to_json(self) -> str:
        """This language as JSON, one token a line: what `from_json` reads."""
        return json.dumps(self.to_values(), ensure_ascii=False, indent=0) + "\n"

    @classmethod
    def from_json(cls, text: str, origin: str) -> Language:
        """The language that `to_json` wrote; `origin` names it in the error.

        Raises:
            RunError: the text is anything else.
            DataError: the vocabulary in it is damaged.
        """
        advice = "restore it, or create the run again"
        try:
            values = parse_json(text)
        except ValueError as error:
            raise RunError(f"{origin} is not valid JSON ({error}); {advice}") from error
        if not isinstance(values, dict) or not KEYS <= set(values) <= KEYS | LATER_KEYS:
            raise RunError(f"{origin} is not an object with kind, lowercase, normalization and vocabulary; {advice}")
        kind, lowercase = values["kind"], values["lowercase"]
        if not isinstance(kind, str) or not isinstance(lowercase, bool):
            raise RunError(
                f"{origin} has kind {kind!r:.60} and lowercase {lowercase!r:.60}, expected a name and a boolean"
            )
        if not isinstance(reverse := values.get("reverse", False), bool):
            raise RunError(f"{origin} has reverse {reverse!r:.60}, expected a boolean")
        if not isinstance(copies := values.get("copies", False), bool):
            raise RunError(f"{origin} has copies {copies!r:.60}, expected a boolean")
        tags = values.get("tags", 0)
        if type(tags) is not int or not 0 <= tags <= MOST_TAGS:
            raise RunError(f"{origin} has tags {tags!r:.60}, expected a number from 0 to {MOST_TAGS}")
        normalization = values.get("normalization", "none")
        if not isinstance(normalization, str) or normalization not in get_args(Normalization):
            choices = ", ".join(get_args(Normalization))
            raise RunError(f"{origin} has normalization {normalization!r:.60}, expected one of: {choices}")
        vocabulary = Vocabulary.from_json(json.dumps(values["vocabulary"]), origin)
        try:
            tokenizer = make_tokenizer(
                kind, lowercase, normalization=cast(Normalization, normalization), reverse=reverse, tags=tags
            )
            if isinstance(tokenizer, SubwordTokenizer):
                scores = _scores(values)
                pieces = vocabulary.entries[: len(scores)] if tags else vocabulary.entries
                tokenizer = replace(tokenizer, pieces=pieces, scores=scores)
            elif "scores" in values:
                raise DataError(f"only subwords have scores, not tokens of the kind {kind!r}")
        except (ConfigError, DataError) as error:
            raise RunError(f"{origin}: {error}; {advice}") from error
        return cls(tokenizer, vocabulary, copies)


def _scores(values: Mapping[str, Any]) -> tuple[float, ...]:
    scores = values.get("scores")
    if not isinstance(scores, list):
        raise DataError(f"subwords have a list of scores, got {type(scores).__name__}")
    return tuple(scores)


def check_languages(config: DataConfig, source: Language, target: Language, origin: str) -> None:
    """Refuse tokenizers that a config did not ask for; `origin` names their folder in the error.

    Raises:
        RunError: a tokenizer is of another kind, or lower-cases, reverses or has tags where it should not, or does not.
    """
    sides = {"source": source.tokenizer, "target": target.tokenizer}
    for side, tokenizer in sides.items():
        expected = getattr(config, f"{side}_tokenizer"), getattr(config, f"lowercase_{side}")
        if (tokenizer.kind, tokenizer.lowercase) != expected:
            raise RunError(
                f"{origin}: the {side} tokenizer has kind {tokenizer.kind!r} and lowercase {tokenizer.lowercase}, but "
                f"the config says {expected[0]!r} and {expected[1]}: restore it, or create the run again"
            )
        tags = len(config.source_tags) if side == "source" else 0
        if tokenizer.tags != tags:
            raise RunError(
                f"{origin}: the {side} tokenizer has {tokenizer.tags} tags in front, but the config says {tags}: "
                f"restore it, or create the run again"
            )
        reverse = config.reverse_target and side == "target"
        if tokenizer.reverse != reverse:
            raise RunError(
                f"{origin}: the {side} tokenizer has reverse {tokenizer.reverse}, but the config says {reverse}: "
                f"restore it, or create the run again"
            )


def build_languages(config: DataConfig, pairs: Pairs) -> tuple[Language, Language]:
    """The source's and the target's language, with the vocabularies of these training pairs, which are read once.

    Raises:
        DataError: no token at all gets into a vocabulary, or a side has not enough text for its subwords.
    """
    source = make_tokenizer(
        config.source_tokenizer, config.lowercase_source, config.normalization, tags=len(config.source_tags)
    )
    target = make_tokenizer(
        config.target_tokenizer, config.lowercase_target, config.normalization, reverse=config.reverse_target
    )
    tags: Counter[str] = Counter()
    counts = _count_tokens(pairs, source, target, tags=tags)
    if config.shared_vocabulary:
        shared = _language(config, source, counts=counts[0] + counts[1], tags=tags, text="corpus")
        target = replace(shared.tokenizer, lowercase=config.lowercase_target, reverse=config.reverse_target, tags=0)
        return shared, replace(shared, tokenizer=target)
    return _language(config, source, counts=counts[0], tags=tags, text="source"), _language(
        config, target, counts=counts[1], tags=Counter(), text="target"
    )


def _language(
    config: DataConfig, tokenizer: Tokenizer, counts: Counter[str], tags: Counter[str], text: str
) -> Language:
    """The language of a text whose tags have been counted, and its tokens, or words that become subwords."""
    if not isinstance(tokenizer, SubwordTokenizer):
        limits = config.minimum_frequency, config.maximum_vocabulary
        return Language(tokenizer, Vocabulary.from_counts(counts + tags if tags else counts, *limits))
    try:
        pieces, scores = train_subwords(
            tokenizer.kind, counts, size=config.subword_size, coverage=config.character_coverage
        )
    except DataError as error:
        raise DataError(f"the {text}'s subwords: {error}") from error
    others = tuple(sorted(tags.keys() - set(pieces)))
    return Language(replace(tokenizer, pieces=pieces, scores=scores), Vocabulary((*pieces, *others)))


def _count_tokens(pairs: Pairs, *tokenizers: Tokenizer, tags: Counter[str]) -> list[Counter[str]]:
    """How often each token comes, or word that is to become subwords, on either side; `tags` counts those."""
    counts: list[WordCounts | Counter[str]] = [
        WordCounts() if isinstance(each, SubwordTokenizer) else Counter() for each in tokenizers
    ]
    rest = iter(pairs)
    while block := list(islice(rest, BLOCK)):
        for side, (tokenizer, count) in enumerate(zip(tokenizers, counts, strict=True)):
            units = tokenizer.words if isinstance(tokenizer, SubwordTokenizer) else tokenizer.split
            parted = [tokenizer.parted(pair[side]) for pair in block] if tokenizer.tags else None
            tags.update(chain.from_iterable(tags for tags, _ in parted or ()))
            texts = (text for _, text in parted) if parted else (pair[side] for pair in block)
            count.update(chain.from_iterable(units(tokenizer.normalize(text)) for text in texts))
    return [count.counts if isinstance(count, WordCounts) else count for count in counts]
