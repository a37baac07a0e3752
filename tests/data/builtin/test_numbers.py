"""Numbers in words: read back by a reader that shares nothing with the writer, over the whole range."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.config import Tongue
from diptych.data.builtin.numbers import EARLIEST, LATEST, PAIRS, numbers, said

LARGEST = 999_999_999
"""The largest number that the corpus promises."""

ENGLISH = dict(
    zip(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety".split(),
        [*range(1, 20), *range(20, 100, 10)],
        strict=True,
    )
)
ORDINALS = dict(
    zip(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
        "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth".split(),
        [*range(1, 21), 30],
        strict=True,
    )
)
MONTHS = "January February March April May June July August September October November December".split()
KOREAN_MONTHS = "일 이 삼 사 오 유 칠 팔 구 시 십일 십이".split()
SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}


def english_value(words: str) -> int:
    """The number that English words say."""
    total = group = 0
    for word in words.replace("-", " ").split():
        if word == "hundred":
            group *= 100
        elif word in SCALES:
            total, group = total + group * SCALES[word], 0
        else:
            group += ENGLISH[word]
    return total + group


def english_day(words: str) -> date:
    """The date that English words say."""
    *year_words, month, day = words.split()
    tens, _, ones = day.rpartition("-")
    first, *rest = year_words
    if rest and rest[0] in ("thousand", "hundred"):
        year = english_value(" ".join(year_words))
    else:
        year = 100 * english_value(first) + english_value(" ".join(rest).removeprefix("oh "))
        assert (rest[0] == "oh") == (year % 100 < 10)
    return date(year, MONTHS.index(month) + 1, ENGLISH.get(tens, 0) + ORDINALS[ones])


def korean_value(words: str) -> int:
    """The number that Korean words say."""
    total = group = digit = 0
    for letter in words.replace(" ", ""):
        if letter in "일이삼사오육칠팔구":
            assert not digit
            digit = " 일이삼사오육칠팔구".index(letter)
        elif letter in "십백천":
            group, digit = group + (digit or 1) * 10 ** (" 십백천".index(letter)), 0
        else:
            total, group, digit = total + (group + digit or 1) * {"만": 10**4, "억": 10**8}[letter], 0, 0
    return total + group + digit


def korean_day(words: str) -> date:
    """The date that Korean words say."""
    year, month, day = re.fullmatch("(.+)년 (.+)월 (.+)일", words).groups()  # type: ignore[union-attr]
    return date(korean_value(year), KOREAN_MONTHS.index(month) + 1, korean_value(day))


def written_value(text: str) -> int | date:
    """What digits stand for."""
    parts = [int(part) for part in re.split(r"[-/.]\s*", text.replace(",", "")) if part]
    return date(*parts) if len(parts) == 3 else parts[0]


VALUE = {"english": english_value, "korean": korean_value}
DAY = {"english": english_day, "korean": korean_day}
LANGUAGES = get_args(Tongue)


@pytest.mark.parametrize("language", LANGUAGES)
@given(number=st.integers(1, 9).flatmap(lambda digits: st.integers(10 ** (digits - 1), 10**digits - 1)))
def test_a_number_in_words_is_that_number(language: Tongue, number: int) -> None:
    assert VALUE[language](said(number, language)) == number


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_group_of_digits_at_every_place(language: Tongue) -> None:
    for group in range(1, 10_000):
        for size in (1, 1000, 10_000, 100_000):
            for rest in (0, 1):
                number = group * size + rest
                if number <= LARGEST:
                    assert VALUE[language](said(number, language)) == number
    assert VALUE[language](said(LARGEST, language)) == LARGEST


@pytest.mark.parametrize("language", LANGUAGES)
@given(day=st.dates(EARLIEST, LATEST))
def test_a_date_in_words_is_that_date(language: Tongue, day: date) -> None:
    assert DAY[language](said(day, language)) == day


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_year_and_every_day_of_a_year(language: Tongue) -> None:
    years = [date(year, 6, 10) for year in range(EARLIEST.year, LATEST.year + 1)]
    days = [date.fromordinal(date(2024, 1, 1).toordinal() + day) for day in range(366)]
    for day in years + days:
        assert DAY[language](said(day, language)) == day


@given(millions=st.integers(1, 999), rest=st.integers(1, 999_999))
def test_english_words_come_in_the_order_of_the_digits(millions: int, rest: int) -> None:
    whole = said(millions * 1_000_000 + rest, "english")
    assert whole == f"{said(millions, 'english')} million {said(rest, 'english')}"


@given(high=st.integers(2, 9999), rest=st.integers(1, 9999))
def test_korean_words_come_in_the_order_of_the_digits(high: int, rest: int) -> None:
    assert said(high * 10_000 + rest, "korean") == f"{said(high, 'korean')}만 {said(rest, 'korean')}"


CHECKED = [
    (7, "seven", "칠"),
    (10_000, "ten thousand", "만"),
    (11_111, "eleven thousand one hundred eleven", "만 천백십일"),
    (100_010_000, "one hundred million ten thousand", "일억 일만"),
    (1_204_017, "one million two hundred four thousand seventeen", "백이십만 사천십칠"),
    (200_000_019, "two hundred million nineteen", "이억 십구"),
    (date(2026, 11, 28), "twenty twenty-six November twenty-eighth", "이천이십육년 십일월 이십팔일"),
    (date(1905, 6, 3), "nineteen oh five June third", "천구백오년 유월 삼일"),
    (date(2009, 10, 12), "two thousand nine October twelfth", "이천구년 시월 십이일"),
    (date(1900, 1, 20), "nineteen hundred January twentieth", "천구백년 일월 이십일"),
]


@pytest.mark.parametrize(("value", "english", "korean"), CHECKED)
def test_words_checked_by_hand(value: int | date, english: str, korean: str) -> None:
    assert said(value, "english") == english
    assert said(value, "korean") == korean


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_say_what_is_written_and_no_value_comes_twice(language: Tongue) -> None:
    pairs = numbers(1, language)
    values = [written_value(source) for source, _ in pairs]
    assert len(set(values)) == len(pairs) == PAIRS
    for value, (_, words) in zip(values, pairs, strict=True):
        assert (DAY if isinstance(value, date) else VALUE)[language](words) == value


def test_they_follow_from_the_seed_and_are_the_same_in_both_languages() -> None:
    first, second = numbers(1, "english"), numbers(1, "korean")
    assert [source for source, _ in first] == [source for source, _ in second]
    assert numbers(1, "english", 500) == first[:500]
    assert numbers(1, "english", 0) == [] == numbers(1, "english", -1)
    assert numbers(2, "english", 500) != first[:500]


def test_forms_and_lengths_are_spread_as_it_is_said() -> None:
    sources = [source for source, _ in numbers(1, "english")]
    dates = {source for source in sources if isinstance(written_value(source), date)}
    assert len(dates) == pytest.approx(PAIRS * 0.42, rel=0.05)  # more than a third: short numbers run out
    for mark in "-/.":
        assert sum(mark in source for source in dates) == pytest.approx(len(dates) / 3, rel=0.05)
    values = {value for value in map(written_value, sources) if isinstance(value, int)}
    assert set(range(1, 1000)) <= values
    lengths = Counter(len(str(value)) for value in values)
    assert sorted(lengths) == list(range(1, 10))
    assert min(lengths[digits] for digits in range(5, 10)) > 0.9 * max(lengths.values())
    long = [source for source in sources if source not in dates and len(source) > 3]
    assert sum("," in source for source in long) == pytest.approx(len(long) / 2, rel=0.05)
