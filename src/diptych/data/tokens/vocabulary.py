"""The vocabulary of one side: which token has which id."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain

from diptych.errors import DataError
from diptych.storage.json_text import parse_json

PAD, BOS, EOS, UNK = 0, 1, 2, 3
SPECIALS = ("<pad>", "<bos>", "<eos>", "<unk>")
"""How the special ids are shown. They are ids, not words: a text that holds "<eos>" never becomes the id of eos."""


@dataclass(frozen=True)
class Vocabulary:
    """V tokens by id: the four special ones, then the tokens of a text.

    A text's token may be spelled like a special one ("<unk>" is common in corpora). It then has an entry of its own
    from id 4 on, and `encode` only ever finds that one; without an entry it is unknown, like any other token.

    Attributes:
        entries: the tokens of the text, all different, the first with id 4.
        tokens: (V,) every token by its id, the special ones first.

    Raises:
        DataError: an entry is empty, stands twice, or is no valid Unicode text.
    """

    entries: tuple[str, ...]
    tokens: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids: dict[str, int] = {}
        for token_id, token in enumerate(self.entries, len(SPECIALS)):
            if not token:
                raise DataError(f"a vocabulary's tokens are not empty, but that of id {token_id} is")
            if ids.setdefault(token, token_id) != token_id:
                raise DataError(
                    f"a vocabulary's tokens are all different, but {token!r} has ids {ids[token]} and {token_id}"
                )
        try:
            "".join(self.entries).encode("utf-8")
        except UnicodeEncodeError as error:
            character = error.object[error.start]
            raise DataError(
                f"a vocabulary's tokens are valid Unicode, but one holds the surrogate {character!r}"
            ) from error
        object.__setattr__(self, "tokens", SPECIALS + self.entries)
        object.__setattr__(self, "_ids", ids)

    @classmethod
    def build(
        cls, token_lists: Iterable[Iterable[str]], minimum_frequency: int = 1, maximum_size: int = 0
    ) -> Vocabulary:
        """The vocabulary of a text, most frequent tokens first; equally frequent ones in the order of code points.

        Args:
            token_lists: the tokens of each sentence.
            minimum_frequency: a rarer token gets no entry.
            maximum_size: the largest V, special tokens included; the rarest tokens get no entry. 0: no limit.

        Raises:
            DataError: no token at all gets an entry.
        """
        return cls.from_counts(Counter(chain.from_iterable(token_lists)), minimum_frequency, maximum_size)

    @classmethod
    def from_counts(cls, counts: Mapping[str, int], minimum_frequency: int = 1, maximum_size: int = 0) -> Vocabulary:
        """The vocabulary of a text whose tokens have been counted; otherwise as `build`.

        Raises:
            DataError: no token at all gets an entry.
        """
        frequent = [token for token, count in counts.items() if count >= minimum_frequency]
        frequent.sort(key=lambda token: (-counts[token], token))
        if maximum_size:
            frequent = frequent[: max(0, maximum_size - len(SPECIALS))]
        if not frequent:
            raise DataError(
                f"none of the text's {len(counts)} different tokens gets into the vocabulary with minimum_frequency = "
                f"{minimum_frequency} and a largest size of {maximum_size or 'any'}; lower the one or raise the other"
            )
        return cls(tuple(frequent))

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """The id of each token, that of "<unk>" where it has none; never one of the other special ids."""
        ids = self._ids
        return [ids.get(token, UNK) for token in tokens]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The token of each id, one for one, special ones as they are shown.

        Raises:
            DataError: an id is negative, or not below V.
        """
        tokens = []
        for token_id in ids:
            if not 0 <= token_id < len(self.tokens):
                raise DataError(f"the vocabulary has ids 0 to {len(self) - 1}, got {token_id}: is it another run's?")
            tokens.append(self.tokens[token_id])
        return tokens

    def to_json(self) -> str:
        """This vocabulary as JSON, one token a line: what `from_json` reads."""
        return json.dumps({"special": SPECIALS, "tokens": self.entries}, ensure_ascii=False, indent=0) + "\n"

    @classmethod
    def from_json(cls, text: str, origin: str = "vocabulary") -> Vocabulary:
        """The vocabulary that `to_json` wrote; `origin` names it in the error.

        Raises:
            DataError: the text is anything else.
        """
        try:
            values = parse_json(text)
        except ValueError as error:
            raise DataError(f"{origin} is not valid JSON ({error}); restore it, or create the run again") from error
        if not isinstance(values, dict) or set(values) != {"special", "tokens"}:
            content = f"the keys {sorted(values)!r:.80}" if isinstance(values, dict) else type(values).__name__
            raise DataError(f"{origin} holds {content}, expected an object with 'special' and 'tokens'")
        if values["special"] != list(SPECIALS):
            raise DataError(f"{origin}: the special tokens are {values['special']!r:.80}, expected {list(SPECIALS)}")
        entries = values["tokens"]
        if not isinstance(entries, list) or not all(isinstance(token, str) for token in entries):
            raise DataError(f"{origin}: 'tokens' must be a list of strings, and is not")
        try:
            return cls(tuple(entries))
        except DataError as error:
            raise DataError(f"{origin}: {error}") from error
