"""Pieces of sentences that the patterns share: subjects, English verb groups, noun phrases."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Protocol, TypeVar

from diptych.data.builtin.phrasebook.actions import Verb
from diptych.data.builtin.phrasebook.korean import attach, attributive
from diptych.data.builtin.phrasebook.nouns import ADJECTIVES, ATTRIBUTES, PUPILS, SUBJECTS, YOU, Noun, Subject
from diptych.data.builtin.phrasebook.times import COUNTS, TIMES

T = TypeVar("T")
Pair = tuple[str, str]
Pattern = Callable[["Dice"], Pair]


class Dice(Protocol):
    """Where patterns get their choices from."""

    def one(self, items: list[T] | tuple[T, ...]) -> T:
        """One of the items, each as likely as the others."""

    def chance(self, probability: float) -> bool:
        """True with this probability."""


NOTHING = ("", "")
PLURAL_WORDS = ("noodles", "shoes", "socks")
OTHERS = [subject for subject in SUBJECTS if subject.speaker != "self"]
ADULTS = [subject for subject in SUBJECTS if subject.english not in PUPILS]
HONOURED_SHARE = 0.15
HONOURED = [subject for subject in OTHERS if subject.speaker == "honoured"]


def joined(*parts: str) -> str:
    """The parts that are not empty, with spaces between."""
    return " ".join(filter(None, parts))


def topic(subject: Subject) -> str:
    """The subject with 은/는; nothing where "you" is left out."""
    return attach(subject.korean, "은/는") if subject.korean else ""


@cache
def clause(subject: Subject, verb: Verb, mood: str, negative: bool = False, question: bool = False) -> str:
    """The English subject and verb: "Minsu does not buy", "did the teacher buy"."""
    singular = subject.form == "singular"
    be = {"first": "am", "singular": "is", "plural": "are"}[subject.form]
    auxiliary = {"progressive": be, "past": "did", "wanted": "did", "future": "will", "can": "can"}.get(
        mood, "does" if singular else "do"
    )
    main = verb.ing if mood == "progressive" else verb.base
    wish = "want to " if mood in ("want", "wanted") else ""
    if not question and not negative and auxiliary in ("do", "does", "did"):
        auxiliary = ""
        if wish:
            wish = "wanted to " if mood == "wanted" else ("wants to " if singular else "want to ")
        else:
            main = verb.past if mood == "past" else (verb.third if singular else verb.base)
    if negative:
        auxiliary = "cannot" if mood == "can" else f"{auxiliary} not"
    order = (auxiliary, subject.english) if question else (subject.english, auxiliary)
    return joined(*order, wish + main, verb.tail)


def told_apart(mood: str, subject: Subject, *verbs: Verb) -> str:
    """The mood, but past for present where English has one form for both: "I read", "the students cut"."""
    alike = subject.form != "singular" and all(verb.base == verb.past for verb in verbs)
    return "past" if mood == "present" and alike else mood


def be_clause(subject: str, mood: str, negative: bool, question: bool, plural: bool = False) -> str:
    """The subject with a form of "to be": "the book was not", "will the book be"."""
    verb = {"past": "were" if plural else "was", "future": "will"}.get(mood, "are" if plural else "is")
    order = (verb, subject) if question else (subject, verb)
    return joined(*order, "not" if negative else "", "be" if mood == "future" else "")


def finished(english: str, korean: str, question: bool) -> Pair:
    """The pair, with a question mark of its own on both sides of a question."""
    return (f"{english} ?", f"{korean} ?") if question else (english, korean)


def article(english: str) -> str:
    """The phrase with a or an before it."""
    return f"{'an' if english[0] in 'aeiou' else 'a'} {english}"


def modifier(dice: Dice, noun: Noun, flags: str = "") -> tuple[str, str]:
    """An adjective as it stands before the noun, or nothing where none fits."""
    only, both = ATTRIBUTES.get(noun.group, []), ADJECTIVES.get(noun.group, [])
    if only and (not both or "o" in flags or dice.chance(0.4)):
        return dice.one(only)
    if not both or "o" in flags:
        return NOTHING
    english, korean = dice.one(both)
    *before, adjective = korean.split()
    return english, joined(*before, attributive(adjective))


def counted(dice: Dice, noun: Noun) -> tuple[str, str]:
    """A number of things: "three apples" and its counter 세 개, "two cups of coffee" and 두 잔."""
    english, korean = COUNTS[0] if noun.measure and dice.chance(0.4) else dice.one(COUNTS)
    if noun.measure:
        measure, of = noun.measure.split()
        name = f"{measure}{'' if english == 'one' else 's'} {of} {noun.singular}"
    else:
        name = noun.singular if english == "one" else noun.plural
    return f"{english} {name}", f"{korean} {noun.counter}"


def thing(dice: Dice, noun: Noun, particle: str, flags: str = "") -> tuple[str, str]:
    """A noun phrase as the sentence's object or subject.

    Args:
        particle: what Korean puts after the noun: "을/를", "이/가" or "은/는".
        flags: c: may be counted, p: not "the", "this" or "my", x: no adjective, o: only adjectives that do not
            compare, t: always "the", "this" or "my".
    """
    marked = attach(noun.korean, particle)
    if noun.group in ("fixed", "name"):
        return noun.singular, marked
    if "c" in flags and noun.counter and dice.chance(0.65 if noun.measure else 0.3):
        english, korean = counted(dice, noun)
        return english, f"{marked} {korean}"
    adjective, korean = modifier(dice, noun, flags) if "x" not in flags and dice.chance(0.3) else NOTHING
    name = joined(adjective, noun.singular)
    if "t" in flags or ("p" not in flags and dice.chance(0.5)):
        determiner, korean_determiner = dice.one(determiners(noun))
        return f"{determiner} {name}", joined(korean_determiner, korean, marked)
    if (noun.group in ("meal", "food", "drink") and not noun.plural) or noun.singular in PLURAL_WORDS:
        return name, joined(korean, marked)
    if noun.plural and noun.group != "transport" and dice.chance(0.4):
        return joined(adjective, noun.plural), joined(korean, marked)
    return article(name), joined(korean, marked)


def determiners(noun: Noun) -> list[tuple[str, str]]:
    """What may stand before a noun that one can point at; "my" only where it can be somebody's."""
    words = [("the", "")]
    if noun.singular not in PLURAL_WORDS:
        words += [("this", "이"), ("that", "그")]
    if noun.group in ("text", "wear", "thing", "paper", "vehicle", "animal", "person", "place"):
        words.append(("my", "제"))
    return words


def someone(dice: Dice, flags: str = "") -> Subject:
    """A subject that can do what an action with these flags is; elders come a little more often."""
    if dice.chance(HONOURED_SHARE):
        return dice.one(HONOURED)
    return dice.one(ADULTS if "a" in flags else SUBJECTS)


def asked(dice: Dice, flags: str = "") -> Subject:
    """Whom a question is about: you, or anyone but the speaker."""
    if dice.chance(0.4):
        return YOU
    subject = someone(dice, flags)
    return YOU if subject.speaker == "self" else subject


def moment(dice: Dice, mood: str, negative: bool = False) -> tuple[str, str]:
    """A time that goes with the mood, English and Korean."""
    key = "present negative" if mood == "present" and negative else mood
    return dice.one(TIMES[key])
