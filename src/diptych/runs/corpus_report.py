"""What is in a corpus, and what became of it when a run was made of it: what `diptych data` prints."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Literal

from diptych.data.corpus.account import Account, make_account
from diptych.data.corpus.samples import sample as draw
from diptych.data.corpus.statistics import TextStatistics, TokenStatistics, text_statistics, token_statistics
from diptych.errors import DataError
from diptych.runs.named_corpus import NamedCorpus
from diptych.runs.preparation import DROPPED, Watched
from diptych.runs.progress import Reporter
from diptych.runs.run import Run
from diptych.runs.tokenizer_advice import advice

Part = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Preparation:
    """A run's corpus as it is trained on.

    Attributes:
        run: the run's folder.
        account: what became of every pair that was read.
        dropped_list: the file that lists what was left out; None where nothing was.
        pairs_per_epoch: how many pairs an epoch has, by the texts' weights.
        vocabulary: how many tokens each side's vocabulary has.
        train, validation: by side, how many tokens the part has, how many of them unknown, and the lengths.
        bytes: how much room the token ids take on the disk.
        seconds: how long it took.
        advice: which tokenizer would help where words are often unknown, or punctuation sticks to them.
    """

    run: str
    account: Account
    dropped_list: str | None
    pairs_per_epoch: int
    vocabulary: dict[str, int]
    train: dict[str, TokenStatistics]
    validation: dict[str, TokenStatistics]
    bytes: int
    seconds: float
    advice: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """What is in one part of a corpus.

    Attributes:
        part: which one.
        text: lengths, words, scripts and repetitions; None where the part is empty.
        account: what became of every pair that was read.
        tokens: by side, as in `Preparation`; None where there is no run, and none for its test part.
        vocabulary: how many tokens each side's vocabulary has; None where there is no run.
    """

    part: str
    text: TextStatistics | None
    account: Account
    tokens: dict[str, TokenStatistics] | None = None
    vocabulary: dict[str, int] | None = None


@dataclass(frozen=True)
class Sample:
    """One pair of a corpus.

    Attributes:
        row: its place in its part, from 1.
        source, target: its texts.
        source_tokens, target_tokens: as the run reads them; None where there is no run.
    """

    row: int
    source: str
    target: str
    source_tokens: list[str] | None = None
    target_tokens: list[str] | None = None


def prepared(run: Run, reporter: Reporter, *, strict: bool = False, begun: float | None = None) -> Preparation:
    """Encode a run's corpus where that has not been done, and say what came of it.

    Args:
        run: the run.
        reporter: where to say how far it is.
        strict: bad lines that were dropped are an error.
        begun: when the clock started, as `time.perf_counter` says it; None for now.

    Raises:
        DataError: the corpus cannot be read, or a bad line was dropped that should not be.
    """
    begun = time.perf_counter() if begun is None else begun
    encoded = run.encoded(reporter)
    account = encoded.account
    if strict and account.bad_lines:
        places = [place for reason, pairs in account.examples.items() if reason.startswith("bad") for place, _ in pairs]
        raise DataError(
            f"{account.bad_lines} bad lines of {run.folder} were dropped when it was made, the first of them "
            f"{places[0]}: mend the text and prepare it with --overwrite, or leave out --strict"
        )
    validation = token_statistics(encoded.validation)
    advised = tuple(advice(run, encoded.train, validation))
    return Preparation(
        run=str(run.folder),
        account=account,
        dropped_list=str(encoded.folder / DROPPED) if account.examples else None,
        pairs_per_epoch=len(encoded.train),
        vocabulary=vocabulary_sizes(run),
        train=token_statistics(encoded.train),
        validation=validation,
        bytes=sum(path.stat().st_size for path in encoded.folder.rglob("*") if path.is_file()),
        seconds=time.perf_counter() - begun,
        advice=advised,
    )


def inspected(named: NamedCorpus, part: Part, reporter: Reporter, *, top: int = 10) -> Inspection:
    """What is in one part of a corpus; of a run also how many tokens, and how many its vocabularies do not have.

    Args:
        named: the corpus, see `diptych.runs.named_corpus.open_named`.
        part: "train", "validation" or "test".
        reporter: where to say how far it is.
        top: so many of the most frequent words of either side.
    """
    text = text_statistics(Watched(getattr(named.corpus, part), "counting", reporter), top)
    if named.run is None:
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            account = make_account(named.corpus, bytes(len(named.corpus.train)), named.config, listing=nowhere)
        return Inspection(part, text, account)
    encoded = named.run.encoded(reporter)
    tokens = {} if part == "test" else token_statistics(getattr(encoded, part))
    return Inspection(part, text, encoded.account, tokens=tokens, vocabulary=vocabulary_sizes(named.run))


def sampled(named: NamedCorpus, part: Part, *, count: int = 10, seed: int = 1) -> list[Sample]:
    """Some pairs of one part of a corpus, drawn at random: the same seed draws the same; of a run with their tokens."""
    samples = []
    for row, (source, target) in draw(getattr(named.corpus, part), count, seed):
        if named.run is None:
            samples.append(Sample(row + 1, source, target))
            continue
        sides = ((source, named.run.source), (target, named.run.target))
        tokens = [
            language.vocabulary.decode(language.vocabulary.encode(language.tokenizer.tokenize(text)))
            for text, language in sides
        ]
        samples.append(Sample(row + 1, source, target, source_tokens=tokens[0], target_tokens=tokens[1]))
    return samples


def vocabulary_sizes(run: Run) -> dict[str, int]:
    """How many tokens each side's vocabulary has, the four special ones included."""
    return {"source": len(run.source.vocabulary), "target": len(run.target.vocabulary)}
