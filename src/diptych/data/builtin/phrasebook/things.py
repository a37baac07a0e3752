"""Sentence patterns: what things are like, and where they and people are."""

from __future__ import annotations

from diptych.data.builtin.phrasebook.actions import PLACES, SPOTS
from diptych.data.builtin.phrasebook.deeds import PLACE_NAMES
from diptych.data.builtin.phrasebook.grammar import (
    NOTHING,
    OTHERS,
    PLURAL_WORDS,
    Dice,
    Pair,
    article,
    be_clause,
    counted,
    finished,
    joined,
    modifier,
    thing,
    topic,
)
from diptych.data.builtin.phrasebook.korean import attach, predicate
from diptych.data.builtin.phrasebook.nouns import ADJECTIVES, COMPARATIVES, DEGREES, NOUNS, phrases
from diptych.data.builtin.phrasebook.times import TIMES

COUNTABLE = [noun for noun in NOUNS.values() if noun.plural]
NAMES = [subject for subject in OTHERS if subject.form == "singular"]
DESCRIBED = {group: [noun for noun in NOUNS.values() if noun.group == group] for group in ADJECTIVES}
GROUPS = [*DESCRIBED, "place", "food"]
COMPARED = [noun for noun in COUNTABLE if noun.group in COMPARATIVES]
ALIKE = {noun: [other for other in COMPARED if other.group == noun.group] for noun in COMPARED}
IN_A_ROOM = [noun for noun in COUNTABLE if noun.group in ("thing", "wear", "animal")]
IN_A_PARK = [noun for noun in COUNTABLE if noun.group in ("animal", "person", "flower")]
FURNITURE = phrases("desk=책상, table=탁자, chair=의자, bed=침대, door=문")
ROOMS = phrases("in the room=방에, in the classroom=교실에, in the kitchen=부엌에, in the house=집에")
OUTDOORS = phrases(
    "in the park=공원에, at school=학교에, in front of the bank=은행 앞에, behind the school=학교 뒤에, "
    "next to the library=도서관 옆에"
)


def description(dice: Dice) -> Pair:
    """This is big; that was not very difficult; my friend is tall."""
    mood, question = dice.one(["present", "past"]), dice.chance(0.15)
    negative = not question and dice.chance(0.25)
    plural = False
    if dice.chance(0.15):
        subject = dice.one(NAMES)
        start, korean_start, speaker, mood = subject.english, topic(subject), subject.speaker, "present"
        english, phrase = dice.one(ADJECTIVES["person"])
    else:
        noun = dice.one(DESCRIBED[dice.one(GROUPS)])
        start, korean_start = thing(dice, noun._replace(counter=""), particle="은/는", flags="to")
        plural, speaker = noun.singular in PLURAL_WORDS, "other"
        english, phrase = dice.one(ADJECTIVES[noun.group])
    degree = NOTHING
    if dice.chance(0.35):
        degree = ("very", "별로") if negative else dice.one([*DEGREES, ("too", "너무")])
    *before, adjective = phrase.split()
    return finished(
        joined(be_clause(start, mood, negative=negative, question=question, plural=plural), degree[0], english),
        joined(
            korean_start, predicate(joined(*before, degree[1], adjective), mood, negative=negative, speaker=speaker)
        ),
        question,
    )


def comparison(dice: Dice) -> Pair:
    """One thing is bigger than another."""
    one = dice.one(COMPARED)
    two = dice.one(ALIKE[one])
    english, adjective = dice.one(COMPARATIVES[one.group])
    first = dice.one([("the", ""), ("this", "이")])
    second = dice.one([("the", ""), ("that", "그")])
    if one is two and (first[0], second[0]) != ("this", "that"):
        first, second = ("this", "이"), ("that", "그")
    question = dice.chance(0.25)
    head = be_clause(f"{first[0]} {one.singular}", "present", negative=False, question=question)
    end = predicate(adjective, "present", negative=False, speaker="other")
    return finished(
        joined(head, english, "than", second[0], two.singular),
        joined(first[1], attach(one.korean, "은/는"), second[1], two.korean + "보다", "더", end),
        question,
    )


def existence(dice: Dice) -> Pair:
    """There is something somewhere."""
    mood = dice.one(["present", "present", "past"])
    if dice.chance(0.6):
        noun = dice.one(IN_A_ROOM)
        if noun.singular == "chair" or dice.chance(0.4):
            place, korean_place = dice.one(ROOMS)
        else:
            spot, korean_spot = dice.one(SPOTS)
            name, korean = dice.one(FURNITURE[:4] if spot in ("on", "under") else FURNITURE)
            place, korean_place = f"{spot} the {name}", f"{korean} {korean_spot}"
        if noun.korean == korean_place.split()[0]:
            return existence(dice)
    else:
        noun = dice.one(IN_A_PARK)
        place, korean_place = dice.one(OUTDOORS)
    be = {"present": ("is", "are"), "past": ("was", "were")}[mood]
    subject, kind = attach(noun.korean, "이/가"), dice.one(["a", "a", "number", "number", "no", "where"])
    if kind == "number":
        english, count = counted(dice, noun)
        head, tail = f"there {be[not english.startswith('one ')]} {english}", f"{subject} {count}"
    elif kind == "no":
        head, tail = f"there {be[1]} no {noun.plural}", subject
    elif kind == "where":
        start, korean_start = thing(dice, noun._replace(counter=""), particle="은/는", flags="t")
        question = dice.chance(0.3)
        return finished(
            joined(be_clause(start, mood, negative=False, question=question), place),
            joined(korean_start, korean_place, predicate("있다", mood, negative=False, speaker="other")),
            question,
        )
    else:
        adjective, korean = modifier(dice, noun) if noun.group != "person" and dice.chance(0.4) else NOTHING
        question = dice.chance(0.3)
        order = f"{be[0]} there" if question else f"there {be[0]}"
        return finished(
            joined(order, article(joined(adjective, noun.singular)), place),
            joined(korean_place, korean, subject, predicate("있다", mood, negative=False, speaker="other")),
            question,
        )
    return joined(head, place), joined(
        korean_place, tail, predicate("있다", mood, negative=kind == "no", speaker="other")
    )


def whereabouts(dice: Dice) -> Pair:
    """Someone is somewhere; elders "stay" (계시다)."""
    subject, mood = dice.one(OTHERS), dice.one(["present", "past", "future"])
    at, _to, korean = PLACES[dice.one(PLACE_NAMES)]
    question = dice.chance(0.3)
    negative = not question and dice.chance(0.25)
    when = NOTHING
    if dice.chance(0.4):
        when = dice.one(TIMES["now"] if mood == "present" else TIMES[mood])
    plural = subject.form == "plural"
    verb = "계시다" if subject.speaker == "honoured" else "있다"
    end = predicate(verb, mood, negative, speaker="other")
    if question and dice.chance(0.4):
        head = "where " + be_clause(subject.english, mood, negative=False, question=True, plural=plural)
        return finished(joined(head, when[0]), joined(topic(subject), when[1], "어디에", end), True)
    return finished(
        joined(be_clause(subject.english, mood, negative=negative, question=question, plural=plural), at, when[0]),
        joined(topic(subject), when[1], korean + "에", end),
        question,
    )
