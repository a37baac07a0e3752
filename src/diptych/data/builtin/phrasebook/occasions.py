"""Sentence patterns with numbers: hours, dates, prices, ages, floors; and the weather."""

from __future__ import annotations

from diptych.data.builtin.phrasebook.actions import CITIES, PLACES, Verb
from diptych.data.builtin.phrasebook.deeds import TENSES
from diptych.data.builtin.phrasebook.grammar import (
    NOTHING,
    Dice,
    Pair,
    asked,
    be_clause,
    clause,
    finished,
    joined,
    moment,
    someone,
    thing,
    topic,
)
from diptych.data.builtin.phrasebook.korean import attach, predicate
from diptych.data.builtin.phrasebook.nouns import DEGREES, Subject
from diptych.data.builtin.phrasebook.people import copula
from diptych.data.builtin.phrasebook.things import COUNTABLE, NAMES
from diptych.data.builtin.phrasebook.times import (
    AGES,
    COUNTS,
    DAILY,
    DAYS,
    EVENTS,
    FALLING,
    MINUTES,
    MONTHS,
    ON_WHICH_DAY,
    ORDINALS,
    PRICES,
    SCHEDULE,
    WEATHER,
)

PRICED = [
    noun
    for noun in COUNTABLE
    if noun.group in ("food", "meal", "thing", "wear", "text", "flower")
    and noun.singular not in ("computer", "camera", "chair", "email", "letter", "key")
]
CHEAP = ("food", "meal", "flower")
UPSTAIRS = ("office", "library", "bookstore", "restaurant", "cafe", "hospital", "bank", "gym", "store", "pool")
AGED = [subject for subject in NAMES if subject.speaker == "other" and not subject.korean.endswith(("의사", "학생"))]
HOURS = [count for count, _korean in COUNTS]


def _hour(dice: Dice, hours: list[str]) -> tuple[str, str]:
    """A time of the day: "seven twenty" 일곱 시 이십 분, "half past seven" 일곱 시 반."""
    hour = dice.one(hours)
    korean = f"{dict(COUNTS)[hour]} 시"
    if dice.chance(0.4):
        return hour, korean
    if dice.chance(0.2):
        return f"half past {hour}", f"{korean} 반"
    minute, korean_minute = dice.one(MINUTES)
    return f"{hour} {minute}", f"{korean} {korean_minute} 분"


def daily(dice: Dice) -> Pair:
    """What someone does at a certain hour."""
    verb, hours, part, korean_part = dice.one(DAILY)
    mood = dice.one([*TENSES, "want"])
    if dice.chance(0.2):
        mood, subject = dice.one(TENSES), asked(dice)
        word, korean_word = dice.one([("when", "언제"), ("what time", "몇 시에")])
        when = dice.one(ON_WHICH_DAY[mood]) if dice.chance(0.6) else NOTHING
        end = predicate(_without_object(verb.korean)[1], mood, negative=False, speaker=subject.speaker)
        head = f"{word} {clause(subject, verb, mood, question=True)}"
        korean = joined(topic(subject), when[1], korean_word, _without_object(verb.korean)[0], end)
        return finished(joined(head, when[0]), korean, True)
    subject = someone(dice)
    hour, korean_hour = _hour(dice, hours)
    if dice.chance(0.5):
        part = korean_part = ""
    when = dice.one(ON_WHICH_DAY[mood]) if dice.chance(0.4) else NOTHING
    end = predicate(verb.korean, mood, negative=False, speaker=subject.speaker)
    return (
        joined(clause(subject, verb, mood), "at", hour, part, when[0]),
        joined(topic(subject), when[1].removesuffix("에"), korean_part, korean_hour + "에", end),
    )


def _without_object(phrase: str) -> tuple[str, str]:
    """The words before the verb, and the verb."""
    *before, verb = phrase.split()
    return " ".join(before), verb


def schedule(dice: Dice) -> Pair:
    """When a train leaves, a shop opens, a concert starts."""
    verb, things = dice.one(SCHEDULE)
    english, korean = dice.one(things)
    subject = Subject(english, form="singular", korean=korean, speaker="other")
    mood = dice.one(TENSES)
    end = predicate(verb.korean, mood, negative=False, speaker="other")
    day, korean_day = dice.one(DAYS) if dice.chance(0.4) else NOTHING
    if dice.chance(0.2):
        korean_when = f"{korean_day}에" if day else ""
        head = f"what time {clause(subject, verb, mood, question=True)}"
        return finished(joined(head, day and f"on {day}"), joined(topic(subject), korean_when, "몇 시에", end), True)
    hour, korean_hour = _hour(dice, HOURS)
    return (
        joined(clause(subject, verb, mood), "at", hour, day and f"on {day}"),
        joined(topic(subject), korean_day, korean_hour + "에", end),
    )


def date(dice: Dice) -> Pair:
    """On which date or day something is, and what time it is."""
    kind = dice.one(["date", "date", "day", "day", "clock"])
    if kind == "clock":
        part, hours = dice.one(
            [
                (("now", "지금"), HOURS),
                (("in the morning", "아침"), HOURS[4:11]),
                (("in the afternoon", "오후"), HOURS[:5]),
            ]
        )
        hour, korean_hour = _hour(dice, hours)
        return joined("it is", hour, part[0]), joined(part[1], attach(korean_hour, "이에요/예요"))
    english, korean = dice.one([*EVENTS, ("birthday", "생일")])
    owner, korean_owner = ("my", "제") if english == "birthday" else ("the", "")
    mood = dice.one(["present", "past"]) if kind == "date" and owner == "the" else "present"
    question = owner == "the" and dice.chance(0.2)
    if kind == "day":
        day, korean_day = dice.one(DAYS)
        when, korean_when = f"on {day}", korean_day
    else:
        month, korean_month = dice.one(MONTHS)
        ordinal, number = dice.one(ORDINALS)
        when, korean_when = f"on {month} {ordinal}", f"{korean_month} {number}일"
    return finished(
        joined(be_clause(f"{owner} {english}", mood, negative=False, question=question), when),
        joined(korean_owner, attach(korean, "은/는"), copula(korean_when, mood, negative=False, speaker="other")),
        question,
    )


def amount(dice: Dice) -> Pair:
    """What something costs, how old someone is, on which floor something is."""
    kind = dice.one(["price", "age", "floor"])
    if kind == "age":
        subject = dice.one(AGED)
        english, korean = dice.one(AGES)
        mood = dice.one(["present", "past"])
        return (
            joined(be_clause(subject.english, mood, negative=False, question=False), english, "years old"),
            joined(topic(subject), korean, copula("살", mood, negative=False, speaker="other")),
        )
    if kind == "floor":
        at, _to, korean = PLACES[dice.one(UPSTAIRS)]
        ordinal, number = dice.one(ORDINALS)
        return (
            f"{at.removeprefix('at ')} is on the {ordinal} floor",
            joined(attach(korean, "은/는"), number, "층에", "있어요"),
        )
    noun = dice.one(PRICED)
    english, korean = thing(dice, noun._replace(counter=""), particle="은/는", flags="tx")
    cheap = noun.group in CHEAP or noun.singular in ("pen", "pencil")
    price, won = dice.one(PRICES[:8] if cheap else PRICES[4:])
    return f"{english} costs {price} won", joined(korean, won, "원이에요")


def weather(dice: Dice) -> Pair:
    """It is cold in Seoul; it rained yesterday."""
    mood, negative = dice.one(TENSES), dice.chance(0.3)
    city, korean_city = dice.one(CITIES) if dice.chance(0.6) else NOTHING
    when = ("now", "지금") if mood == "present" else moment(dice, mood)
    when = when if dice.chance(0.7) else NOTHING
    it = Subject("it", form="singular", korean="", speaker="other")
    if dice.chance(0.5):
        verb: Verb = dice.one(FALLING)
        shown = "progressive" if mood == "present" else mood
        english, end = (
            clause(it, verb, mood=shown, negative=negative),
            predicate(verb.korean, mood, negative, speaker="other"),
        )
        where = korean_city and korean_city + "에"
    else:
        adjective, phrase = dice.one(WEATHER)
        degree = NOTHING if negative or dice.chance(0.6) else dice.one(DEGREES)
        *before, verb_korean = phrase.split()
        english = joined(be_clause("it", mood, negative, question=False), degree[0], adjective)
        end = predicate(joined(*before, degree[1], verb_korean), mood, negative, speaker="other")
        where = korean_city and attach(korean_city, "은/는")
    return joined(english, city and f"in {city}", when[0]), joined(when[1], where, end)
