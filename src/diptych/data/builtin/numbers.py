"""Numbers and dates written out in words, English or Korean, which are said from left to right as they are read.

    1,204,017     one million two hundred four thousand seventeen    백이십만 사천십칠
    2026-11-28    twenty twenty-six November twenty-eighth           이천이십육년 십일월 이십팔일

Words stand in the order of the digits they follow from, so a model that looks where its answer is never looks back:
its attention is monotonic.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from diptych.config import Tongue
from diptych.data.pairs import Pair
from diptych.randomness import generator

PAIRS = 60_000
"""How many pairs there are."""
EARLIEST, LATEST = date(1000, 1, 1), date(2999, 12, 31)
DATES = 1 / 3
"""The share of dates among what is drawn; of what is then there it is 0.42, since short numbers run out."""

Value = int | date

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
_MONTHS = "January February March April May June July August September October November December".split()
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth"} | {
    "nine": "ninth",
    "twelve": "twelfth",
    "twenty": "twentieth",
    "thirty": "thirtieth",
}
_DIGITS = " 일이삼사오육칠팔구"


def numbers(seed: int, language: Tongue, pairs: int = PAIRS) -> list[Pair]:
    """The first `pairs` numbers and dates of this seed as they are written and as they are said, none of them twice.

    One in three that are drawn is a date from `EARLIEST` to `LATEST`, each as likely as the others, written 2026-03-05,
    2026/3/5 or 2026. 3. 5. The rest are numbers from 1 to 999,999,999, with or without commas. How many digits a number
    has is drawn first, each of 1 to 9 as likely as the others; what comes again is drawn anew, so nearly all numbers
    of up to three digits are there, and longer ones are equally frequent. The order is random, and the same in both
    languages.

    Args:
        seed: which of them are drawn, and how they are written.
        language: of the words.
        pairs: how many, at most `PAIRS`; fewer are the beginning of more.
    """
    writings: dict[Value, str] = {}
    for value, written in _draws(seed):
        writings.setdefault(value, written)
        if len(writings) == PAIRS:
            break
    values = list(writings)
    order = generator(seed, "order of numbers").permutation(PAIRS).tolist()
    return [(writings[values[row]], said(values[row], language)) for row in order[: max(pairs, 0)]]


def _draws(seed: int) -> Iterator[tuple[Value, str]]:
    """Values and how they are written, without end."""
    days = (LATEST - EARLIEST).days + 1
    block = 0
    while True:
        for kind, form, length, place in generator(seed, "numbers", block).random((4096, 4)).tolist():
            if kind < DATES:
                day = date.fromordinal(EARLIEST.toordinal() + int(place * days))
                plain = day.year, day.month, day.day
                yield day, (day.isoformat(), "{}/{}/{}".format(*plain), "{}. {}. {}.".format(*plain))[int(form * 3)]
            else:
                smallest = 10 ** int(length * 9)
                number = smallest + int(place * 9 * smallest)
                yield number, f"{number:,}" if form < 0.5 else str(number)
        block += 1


def said(value: Value, language: Tongue) -> str:
    """A number or a date in words."""
    if language == "korean":
        return korean_date(value) if isinstance(value, date) else korean_number(value)
    return english_date(value) if isinstance(value, date) else english_number(value)


def english_number(number: int) -> str:
    """A number from 1 to 999,999,999 as Americans say it, without "and": "two hundred four thousand seventeen"."""
    words = []
    for size, name in ((1_000_000, "million"), (1000, "thousand"), (1, "")):
        group, number = divmod(number, size)
        hundreds, rest = divmod(group, 100)
        words += [_ONES[hundreds], "hundred"] if hundreds else []
        words += [_below_hundred(rest)] if rest else []
        words += [name] if group and name else []
    return " ".join(words)


def english_date(day: date) -> str:
    """Year, month and day: "nineteen oh five June third", "two thousand nine May first", "nineteen hundred ..."."""
    century, rest = divmod(day.year, 100)
    if day.year % 1000 < 10:
        year = english_number(day.year)
    else:
        year = f"{_below_hundred(century)} " + ("hundred" if not rest else "oh " * (rest < 10) + _below_hundred(rest))
    start, hyphen, last = _below_hundred(day.day).rpartition("-")
    return f"{year} {_MONTHS[day.month - 1]} {start}{hyphen}{_ORDINALS.get(last, last + 'th')}"


def _below_hundred(number: int) -> str:
    """A number from 1 to 99: "seven", "seventeen", "seventy", "seventy-seven"."""
    if number < 20:
        return _ONES[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")


def korean_number(number: int) -> str:
    """A number from 1 to 999,999,999, spaced at 만 and 억 as the spelling rules say: 일억 이천삼만 사백십.

    One is left out before 천, 백 and 십, and before 만 where the number begins with it: 만 천백십일.
    """
    words: list[str] = []
    for size, name in ((100_000_000, "억"), (10_000, "만"), (1, "")):
        group, number = divmod(number, size)
        if group:
            words.append(("" if group == 1 and name == "만" and not words else _below_ten_thousand(group)) + name)
    return " ".join(words)


def korean_date(day: date) -> str:
    """Year, month and day: 이천이십육년 유월 오일; June and October are 유월 and 시월."""
    month = {6: "유", 10: "시"}.get(day.month) or _below_ten_thousand(day.month)
    return f"{_below_ten_thousand(day.year)}년 {month}월 {_below_ten_thousand(day.day)}일"


def _below_ten_thousand(number: int) -> str:
    """A number from 1 to 9999: 천이백삼."""
    places = zip(f"{number:04}", ("천", "백", "십", ""), strict=True)
    return "".join(
        ("" if digit == "1" and name else _DIGITS[int(digit)]) + name for digit, name in places if digit != "0"
    )
