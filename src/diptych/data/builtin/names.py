"""Sentences about people with invented names, English to Korean: a name is said as it is written, and none is learnt.

A name is three syllables of a consonant and a vowel, 274,625 in all, so hardly one comes twice; with a
`minimum_frequency` of 3 they have no entries in a vocabulary of both sides. Everything else follows rules: what a model
that copies gets right, and one that cannot copy does not (See et al., 2017).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from diptych.data.pairs import Pair
from diptych.randomness import generator

T = TypeVar("T")
_SYLLABLES = [consonant + vowel for consonant in "bdfghjklmnprs" for vowel in "aeiou"]
_THINGS = {
    "letter": "편지",
    "book": "책",
    "picture": "그림",
    "flower": "꽃",
    "key": "열쇠",
    "lamp": "등불",
    "coat": "외투",
    "map": "지도",
    "song": "노래",
    "chair": "의자",
}
_DEEDS = {
    "gives": "줍니다",
    "shows": "보여 줍니다",
    "sends": "보냅니다",
    "sells": "팝니다",
    "lends": "빌려줍니다",
    "promises": "약속합니다",
}
_DAYS = {"today": "오늘", "tomorrow": "내일", "on Monday": "월요일에", "every day": "날마다", "at night": "밤에"}
_BLOCK = 4096


def names(seed: int, count: int) -> list[Pair]:
    """So many pairs with different sources; a larger count begins with those of a smaller one."""
    found: dict[str, str] = {}
    for source, target in _drawn(seed):
        if len(found) == count:
            return list(found.items())
        found.setdefault(source, target)
    raise AssertionError("drawing does not end")


def _drawn(seed: int) -> Iterator[Pair]:
    things, deeds, days = (list(table.items()) for table in (_THINGS, _DEEDS, _DAYS))
    block = 0
    while True:
        random = generator(seed, "names", block)
        for draws in random.integers(0, 1 << 30, (_BLOCK, 11)).tolist():
            giver, taker, owner = ("".join(_pick(_SYLLABLES, each) for each in draws[k : k + 3]) for k in (0, 3, 6))
            thing, deed = _pick(things, draws[9]), _pick(deeds, draws[10])
            day = _pick(days, draws[9] >> 8)
            if draws[10] >> 8 & 1:
                yield (
                    f"{giver} {deed[0]} {taker} a {thing[0]} {day[0]}",
                    f"{giver} 씨가 {taker} 씨에게 {day[1]} {thing[1]} 하나를 {deed[1]}",
                )
            else:
                yield (
                    f"{day[0]} {giver} {deed[0]} {taker} the {thing[0]} of {owner}",
                    f"{day[1]} {giver} 씨가 {owner} 씨의 {thing[1]} 하나를 {taker} 씨에게 {deed[1]}",
                )
        block += 1


def _pick(choices: Sequence[T], draw: int) -> T:
    return choices[draw % len(choices)]
