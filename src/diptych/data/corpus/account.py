"""What became of every pair that was read: how many are in which part, how many were left out and why, and which."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TextIO

from diptych.config import DataConfig
from diptych.data.corpus.corpus import OpenCorpus, count_dropped
from diptych.data.reasons import Reason

EXAMPLES = 3
"""How many pairs are shown for each reason."""
SHOWN = 120
"""How many characters of a pair are shown."""


@dataclass(frozen=True)
class Account:
    """Every pair of the texts once: `read == train + validation + test + sum(dropped.values())`.

    Attributes:
        read: how many rows the texts have, blank ones at the end not counted.
        train: how many pairs are trained on; weights make no difference here.
        validation: how many are in the validation part.
        test: how many are in the test part.
        dropped: how many were left out, by reason.
        bad_lines: how many of these are no pairs at all.
        examples: for each reason the first of them, as "FILE:LINE" and text.
    """

    read: int
    train: int
    validation: int
    test: int
    dropped: dict[str, int] = field(default_factory=dict)
    bad_lines: int = 0
    examples: dict[str, list[list[str]]] = field(default_factory=dict)


def make_account(
    corpus: OpenCorpus, verdicts: bytes, config: DataConfig, listing: TextIO, root: Path | None = None
) -> Account:
    """The account of a corpus whose training pairs have these verdicts; writes a line for each pair that is left out.

    A line has file, line number, reason and text with tabs between. Pairs beyond `maximum_pairs`, or not drawn because
    of a weight, are counted and not listed. The texts are read once more if there is anything to list. A file below
    `root` is named from there.
    """
    listing.write("file\tline\treason\ttext\n")
    validation, test = len(corpus.validation), len(corpus.test)
    if not corpus.texts:
        counts = {reason: verdicts.count(reason) for reason in Reason}
        dropped = corpus.dropped | {reason.describe(config): count for reason, count in counts.items() if count}
        train = verdicts.count(0)
        return Account(
            train + validation + test + sum(dropped.values()), train, validation=validation, test=test, dropped=dropped
        )
    texts = corpus.judged(verdicts)
    examples: dict[str, list[list[str]]] = {}
    for drop in chain.from_iterable(text.drops() for text in texts):
        reason, text = drop.reason.describe(config), shown(drop.text)
        path = _named(drop.path, root)
        listing.write(f"{path}\t{drop.line}\t{reason}\t{text}\n")
        examples_of = examples.setdefault(reason, [])
        if len(examples_of) < EXAMPLES:
            examples_of.append([f"{path}:{drop.line}", text])
    return Account(
        read=sum(len(text.verdicts) for text in texts),
        train=sum(map(len, texts[: corpus.training_texts])),
        validation=validation,
        test=test,
        dropped=count_dropped(texts, config),
        bad_lines=sum(count for text in texts for reason, count in text.counts().items() if reason.is_bad_line),
        examples=examples,
    )


def _named(path: str, root: Path | None) -> str:
    return str(Path(path).relative_to(root)) if root and Path(path).is_relative_to(root) else path


def shown(text: str) -> str:
    """The beginning of a text on one line, with no character that would end it or move about."""
    cut = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
    return re.sub("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]", _escaped, cut)


def _escaped(match: re.Match[str]) -> str:
    return repr(match[0])[1:-1]
