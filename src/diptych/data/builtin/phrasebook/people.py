"""Sentence patterns: what someone has, needs, likes, knows, gives and is."""

from __future__ import annotations

from diptych.data.builtin.phrasebook.actions import BECOME, DISLIKE, GIVE, HAVE, KNOW, LIKE, NEED, SEND, SHOW
from diptych.data.builtin.phrasebook.deeds import TENSES
from diptych.data.builtin.phrasebook.grammar import (
    NOTHING,
    PLURAL_WORDS,
    Dice,
    Pair,
    article,
    asked,
    be_clause,
    clause,
    counted,
    finished,
    joined,
    modifier,
    moment,
    someone,
    thing,
    topic,
)
from diptych.data.builtin.phrasebook.korean import attach, predicate
from diptych.data.builtin.phrasebook.nouns import NOUNS, PROFESSIONS, RECIPIENTS, SUBJECTS, nouns
from diptych.data.builtin.phrasebook.things import COUNTABLE, NAMES
from diptych.data.builtin.phrasebook.times import TIMES

OWNABLE = [noun for noun in COUNTABLE if noun.group in ("thing", "wear", "text", "vehicle", "animal", "paper")]
HAD = [*OWNABLE, *(NOUNS[name] for name in ("money", "time", "shoes", "socks"))]
LIKED = [
    noun
    for noun in NOUNS.values()
    if noun.group in ("food", "meal", "drink", "animal", "flower", "fixed")
    and not noun.singular.startswith("the ")
    and noun.singular not in ("money", "time")
]
KNOWN = [NOUNS[name] for name in ("song", "word", "book", "movie", "restaurant", "child", "student", "house")]
GIVEN = [
    (GIVE, nouns("book,flower,gift,pencil,hat,ticket,watch,magazine")),
    (SHOW, nouns("book,picture,hat,ticket,watch,letter,cat")),
    (SEND, nouns("letter,email,gift,flower,book,picture")),
]
WORKING = [subject for subject in NAMES if not subject.english.startswith("the ")]
NAMED = nouns("book,letter,ticket,picture,hat,coat,bag,umbrella,watch,cup,box,pencil,key,gift,computer,cat")


def possession(dice: Dice) -> Pair:
    """Someone has or needs something; in Korean it is what is there, or what is needed."""
    verb = dice.one([HAVE, NEED])
    mood, question = dice.one(["present", "present", "past"]), dice.chance(0.2)
    negative = not question and dice.chance(0.25)
    subject = asked(dice) if question else someone(dice)
    noun = dice.one(HAD)
    if noun.group == "fixed":
        english, korean = noun.singular, attach(noun.korean, "이/가")
    elif noun.counter and not negative and dice.chance(0.7 if noun.measure else 0.4):
        english, count = counted(dice, noun)
        korean = joined(attach(noun.korean, "이/가"), count)
    else:
        adjective, before = modifier(dice, noun) if dice.chance(0.4) else NOTHING
        english = joined(adjective, noun.singular)
        english = english if noun.singular in PLURAL_WORDS else article(english)
        korean = joined(before, attach(noun.korean, "이/가"))
    when = NOTHING
    if dice.chance(0.3):
        when = dice.one(TIMES["now"] if mood == "present" else TIMES["past"])
    return finished(
        joined(clause(subject, verb, mood=mood, negative=negative, question=question), english, when[0]),
        joined(
            topic(subject), when[1], korean, predicate(verb.korean, mood, negative=negative, speaker=subject.speaker)
        ),
        question,
    )


def liking(dice: Dice) -> Pair:
    """Someone likes, dislikes or knows something."""
    verb = dice.one([LIKE, LIKE, DISLIKE, KNOW])
    mood, question = dice.one(["present", "present", "past"]), dice.chance(0.2)
    negative = not question and verb is not DISLIKE and dice.chance(0.35)
    subject = asked(dice) if question else someone(dice)
    degree = NOTHING
    if verb is KNOW:
        noun = dice.one([noun for noun in KNOWN if noun.korean != subject.korean])
        english, korean = thing(dice, noun, particle="을/를", flags="t")
    else:
        noun = dice.one(LIKED)
        adjective, before = modifier(dice, noun) if dice.chance(0.3) else NOTHING
        english, korean = joined(adjective, noun.plural or noun.singular), joined(before, attach(noun.korean, "을/를"))
        if not negative and not question and dice.chance(0.3):
            degree = "really", "정말"
    head = clause(subject, verb, mood=mood, negative=negative, question=question)
    if degree[0]:
        head = head.replace(subject.english, f"{subject.english} {degree[0]}", 1)
    end = predicate(verb.korean, mood, negative=negative, speaker=subject.speaker)
    return finished(joined(head, english), joined(topic(subject), korean, degree[1], end), question)


def giving(dice: Dice) -> Pair:
    """Someone gives, shows, sends or lends something to somebody; to elders one "offers" (드리다) it."""
    verb, given = dice.one(GIVEN)
    recipient, korean_recipient = dice.one(RECIPIENTS)
    mood, question = dice.one([*TENSES, "want"]), dice.chance(0.12)
    negative = not question and dice.chance(0.2)
    subject = asked(dice) if question else someone(dice)
    if subject.english == recipient or (subject.english == "my friend" and recipient == "a friend"):
        return giving(dice)
    english, korean = thing(dice, dice.one(given), particle="을/를", flags="" if negative or question else "c")
    phrase = verb.korean
    if korean_recipient.endswith("께"):
        phrase = phrase.replace("주다", "드리다")
    when = moment(dice, mood, negative) if dice.chance(0.4) else NOTHING
    end = predicate(phrase, mood, negative=negative, speaker=subject.speaker)
    return finished(
        joined(
            clause(subject, verb, mood=mood, negative=negative, question=question), english, "to", recipient, when[0]
        ),
        joined(topic(subject), when[1], korean_recipient, korean, end),
        question,
    )


def copula(noun: str, mood: str, negative: bool, speaker: str) -> str:
    """Is, was, is not: 의사예요, 학생이었어요, 선생님이 아니에요; elders 의사세요."""
    if negative:
        return f"{attach(noun, '이/가')} {'아니세요' if speaker == 'honoured' else '아니에요'}"
    if speaker == "honoured":
        return attach(noun, "이세요/세요")
    return attach(noun, {"present": "이에요/예요", "past": "이었어요/였어요"}[mood])


def identity(dice: Dice) -> Pair:
    """Who someone is or becomes."""
    subject = dice.one(WORKING)
    if dice.chance(0.15):
        subject = SUBJECTS[0]
    english, korean = dice.one(PROFESSIONS)
    if dice.chance(0.5):
        mood, negative = dice.one(["past", "future", "want", "can"]), dice.chance(0.25)
        when = dice.one([NOTHING, ("last year", "작년에")] if mood == "past" else [NOTHING, ("next year", "내년에")])
        end = predicate("되다", mood, negative=negative, speaker=subject.speaker)
        return (
            joined(clause(subject, BECOME, mood=mood, negative=negative), english, when[0]),
            joined(topic(subject), when[1], attach(korean, "이/가"), end),
        )
    negative = dice.chance(0.25)
    question = subject.form != "first" and not negative and dice.chance(0.25)
    head = be_clause(subject.english, "present", negative=negative, question=question)
    if subject.form == "first":
        head = head.replace("I is", "I am")
    return finished(
        joined(head, english),
        joined(topic(subject), copula(korean, "present", negative=negative, speaker=subject.speaker)),
        question,
    )


def naming(dice: Dice) -> Pair:
    """This is a red hat."""
    noun = dice.one(NAMED)
    question = dice.chance(0.3)
    negative = not question and dice.chance(0.3)
    start, korean_start = dice.one([("this", "이것은"), ("that", "그것은")])
    adjective, before = modifier(dice, noun) if dice.chance(0.6) else NOTHING
    name = joined(adjective, noun.singular)
    english, owner = dice.one([(article(name), ""), (article(name), ""), (f"my {name}", "제")])
    return finished(
        joined(be_clause(start, "present", negative=negative, question=question), english),
        joined(korean_start, owner, before, copula(noun.korean, "present", negative, speaker="other")),
        question,
    )
