"""The phrasebook: English sentences and their Korean translations, drawn from a small grammar of both languages."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TypeVar

from diptych.data.builtin.phrasebook import deeds, occasions, people, things
from diptych.data.builtin.phrasebook.grammar import Pair, Pattern
from diptych.randomness import generator

T = TypeVar("T")

PAIRS = 60_000
"""How many pairs a phrasebook has."""
FIRST: Pair = ("I feel hungry", "배가 고파요")
"""The pair every phrasebook starts with."""
SHORTEST, LONGEST = 3, 12
"""English sentences have so many words."""

# Every pattern, and how often it is drawn.
WEIGHTS: dict[Pattern, int] = {
    deeds.action: 36,
    deeds.open_question: 8,
    deeds.request: 5,
    deeds.sequence: 9,
    deeds.errand: 5,
    deeds.journey: 6,
    deeds.residence: 3,
    deeds.feeling: 13,
    things.description: 14,
    things.comparison: 5,
    things.existence: 5,
    things.whereabouts: 4,
    people.possession: 6,
    people.liking: 5,
    people.giving: 7,
    people.identity: 9,
    people.naming: 5,
    occasions.daily: 6,
    occasions.schedule: 5,
    occasions.date: 7,
    occasions.amount: 6,
    occasions.weather: 5,
}


class PhiloxDice:
    """Choices that follow from a seed; random numbers are drawn in blocks, which is quicker than one by one."""

    def __init__(self, seed: int) -> None:
        self._next = _uniform_numbers(seed).__next__

    def one(self, items: list[T] | tuple[T, ...]) -> T:
        """One of the items, each as likely as the others."""
        return items[int(self._next() * len(items))]

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self._next() < probability


def _uniform_numbers(seed: int) -> Iterator[float]:
    block = 0
    while True:
        yield from generator(seed, "phrasebook", block).random(16384).tolist()
        block += 1


def draws(seed: int) -> Iterator[Pair]:
    """Sentence pairs without end, as the patterns give them: some come more than once."""
    dice = PhiloxDice(seed)
    bag = [pattern for pattern, weight in WEIGHTS.items() for _ in range(weight)]
    while True:
        english, korean = dice.one(bag)(dice)
        if SHORTEST <= english.count(" ") + 1 <= LONGEST:
            yield english[0].upper() + english[1:], korean


def phrasebook(seed: int, pairs: int = PAIRS) -> list[Pair]:
    """The first `pairs` pairs of the phrasebook of this seed, in random order, no English sentence twice.

    The first is always "I feel hungry". An English sentence has the same translation under every seed.

    Args:
        seed: which phrasebook.
        pairs: how many pairs, at most `PAIRS`; fewer are the beginning of more.
    """
    translations = dict([FIRST])
    for english, korean in islice(draws(seed), 10 * PAIRS):
        if len(translations) >= min(pairs, PAIRS):
            break
        translations.setdefault(english, korean)
    return list(translations.items())[: max(pairs, 0)]
