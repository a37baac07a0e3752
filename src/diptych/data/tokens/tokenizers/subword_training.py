"""Subword pieces from a text's words, found by sentencepiece."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from diptych.data.tokens.vocabulary import SPECIALS
from diptych.errors import DataError

SPACE = "\u2581"
"""How sentencepiece writes a space."""
RESERVED = "\0\t\n\r\x1f\u2581\u2585"
"""Characters that mean something else to sentencepiece, or that it drops: never part of a longer piece."""
SPELT = 100
"""For unigram pieces, one character in so many stands by itself."""


def train_subwords(
    kind: str, counts: Mapping[str, int], size: int, coverage: float = 1.0
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The pieces for a text, best first, and their scores: a pure function of the arguments.

    Args:
        kind: "unigram" or "bpe".
        counts: how often each word of the text comes, see `SubwordTokenizer.words`.
        size: how many pieces there shall be, and the special tokens with them.
        coverage: which part of all characters has to be made of characters that are pieces; the rarest are not.

    Raises:
        DataError: the text has fewer pieces, or more different characters.
    """
    from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

    reserved = sorted({character for word in counts for character in word if character in RESERVED})
    others = len(SPECIALS) - 1 + len(reserved)  # sentencepiece counts one special token, that for what is unknown
    written = io.BytesIO()
    try:
        SentencePieceTrainer.train(
            sentence_iterator=_lines(kind, counts), input_format="tsv", model_writer=written, model_type=kind,
            vocab_size=max(2, size - others), character_coverage=coverage, max_sentence_length=1 << 30,
            # The text has the form it shall have.
            normalization_rule_name="identity", add_dummy_prefix=False, remove_extra_whitespaces=False,
            # The special tokens are the vocabulary's; this one's name has a character that never comes.
            unk_id=0, bos_id=-1, eos_id=-1, pad_id=-1, unk_piece=RESERVED[-1],
            # With more threads the sums, and so the pieces, may differ from time to time.
            num_threads=1, minloglevel=4,
        )  # fmt: skip
    except (RuntimeError, ValueError, IndexError) as error:
        raise DataError(_explain(str(error), size, others)) from error
    model = SentencePieceProcessor(model_proto=written.getvalue())
    numbers = range(1, model.get_piece_size())
    pieces = [model.id_to_piece(number).replace(SPACE, " ") for number in numbers]
    scores = [min(0.0, model.get_score(number)) for number in numbers]  # rounded, a probability of 1 may be above
    lowest = min(scores)
    return (*pieces, *reserved), (*scores, *(lowest for _ in reserved))


def _lines(kind: str, counts: Mapping[str, int]) -> Iterator[str]:
    """Words with the space before them, and how often they come, as sentencepiece reads them.

    Two things make unigram pieces better than whole sentences would. Of a string it considers only what different
    characters follow, which are not there after a word: so a word comes twice in a line, before a space and at the end.
    And where whole words explain the text, characters lose all probability, though the words that get no piece are made
    of them: so each character also comes by itself.
    """
    characters: Counter[str] = Counter()
    for word, count in sorted(counts.items()):
        first, *others = re.split(f"[{RESERVED}]", word)
        first = SPACE + first
        lines = [(first, count)] if kind == "bpe" else [(first + first, count // 2), (first, count % 2)]
        for part, times in (*lines, *((other, count) for other in others)):
            if part and times:
                yield f"{part}\t{times}"
        for character in first + "".join(others):
            characters[character] += count
    if kind == "unigram":
        for character, count in sorted(characters.items()):
            yield f"{character}\t{max(1, count // SPELT)}"


def _explain(message: str, size: int, others: int) -> str:
    """What sentencepiece says, in terms of the config."""
    if largest := re.search(r"size too high .*<= (\d+)", message):
        return (
            f"subword_size = {size} is more than this text has pieces for, special tokens counted: at most "
            f"{int(largest[1]) + others}; lower subword_size, or give more text"
        )
    if smallest := re.search(r"smaller than required_chars.* vs (\d+)", message):
        return (
            f"subword_size = {size} is too small for every character of this text to be a piece, special tokens "
            f"counted: at least {int(smallest[1]) + others}; raise subword_size, or lower character_coverage"
        )
    return f"sentencepiece found no subwords in the training text ({message}); use another tokenizer, or more text"
