"""Sentence patterns: what someone does, asks, is asked to do, and feels.

A pattern never asks what was drawn elsewhere, so the Korean follows from the English alone: articles have no
counterpart, Korean drops "I" where someone says how they feel, and honours elders and whoever is asked.
"""

from __future__ import annotations

from diptych.data.builtin.phrasebook.actions import (
    ACTIONS,
    ARRIVE,
    CITIES,
    COME,
    COMPANIONS,
    COUNTRIES,
    FEEL,
    FEELINGS,
    GO,
    INSTRUMENTS,
    LIVE,
    LONG_DISTANCE,
    PLACES,
    VEHICLES,
    Action,
    Verb,
)
from diptych.data.builtin.phrasebook.grammar import (
    NOTHING,
    Dice,
    Pair,
    asked,
    clause,
    finished,
    joined,
    moment,
    someone,
    thing,
    told_apart,
    topic,
)
from diptych.data.builtin.phrasebook.korean import attach, connective, honorific, infinitive, predicate, purpose
from diptych.data.builtin.phrasebook.nouns import DEGREES, SUBJECTS, YOU, Noun, Subject
from diptych.data.builtin.phrasebook.times import FREQUENCIES, TIMES

MOODS = ["present"] * 4 + ["past"] * 5 + ["future"] * 4 + ["progressive"] * 4 + ["want"] * 3 + ["wanted"] + ["can"] * 3
TENSES = ["present", "past", "future"]
PLACED = [action for action in ACTIONS if action.places]
NAMEABLE = [action for action in PLACED if "w" in action.flags]
WORTH_GOING = [action for action in PLACED if "g" in action.flags]
PLACE_NAMES = list(PLACES)
VISITED = [name for name in PLACE_NAMES if name not in ("kitchen", "room", "classroom")]
REACHED = [name for name in VISITED if name != "park"]
HOMES = COUNTRIES + CITIES


def fitting_noun(dice: Dice, action: Action, subject: Subject) -> Noun | None:
    """An object of the action which is not the subject itself."""
    others = [noun for noun in action.objects if noun.korean != subject.korean.split(" ")[-1]]
    return dice.one(others) if others else None


def action(dice: Dice) -> Pair:
    """Someone does something, somewhere, at some time, with somebody or by some means."""
    act = dice.one(ACTIONS)
    mood = dice.one(MOODS)
    question = dice.chance(0.15) and mood != "wanted"
    negative = not question and dice.chance(0.25)
    subject = asked(dice, act.flags) if question else someone(dice, act.flags)
    noun = fitting_noun(dice, act, subject)
    flags = act.flags.replace("c", "") if negative or question else act.flags
    things = thing(dice, noun, particle="을/를", flags=flags) if noun else NOTHING
    place = where = ""
    if act.places and dice.chance(0.5):
        place, _to, korean = PLACES[dice.one(act.places)]
        where = korean + "에서"
    means = NOTHING
    base = act.verb.base
    instruments = INSTRUMENTS.get(f"eat {noun.singular}" if noun and base == "eat" else base)
    if instruments and dice.chance(0.8 if base == "eat" else 0.4):
        means = dice.one(instruments)
    company = NOTHING
    if "m" in act.flags and not means[0] and dice.chance(0.25):
        english, korean = dice.one(COMPANIONS)
        if korean.split()[-1] not in f"{subject.korean} {things[1]}":
            company = english, attach(korean, "과/와") + " 함께"
    often = when = NOTHING
    if mood == "present" and not negative and not question and dice.chance(0.3):
        often = dice.one(FREQUENCIES)
    elif dice.chance(0.55):
        when = moment(dice, mood, negative)
    if not (often[0] or when[0] or negative or question):
        mood = told_apart(mood, subject, act.verb)
    english_subject = clause(subject, act.verb, mood=mood, negative=negative, question=question)
    if often[0]:
        head = clause(subject, act.verb._replace(tail=""), mood).removeprefix(subject.english + " ")
        english_subject = joined(subject.english, often[0], head, act.verb.tail)
    end = predicate(act.verb.korean, mood, negative=negative, speaker=subject.speaker)
    return finished(
        joined(english_subject, things[0], means[0], company[0], place, when[0]),
        joined(topic(subject), when[1], company[1], where, often[1], means[1], things[1], end),
        question,
    )


def open_question(dice: Dice) -> Pair:
    """Where, when, what or who."""
    word = dice.one(["where", "when", "what", "who"])
    act = dice.one(NAMEABLE if word == "what" else PLACED)
    mood = dice.one(["present", "past", "past", "future"])
    subject = SUBJECTS[2] if word == "who" else asked(dice, act.flags)
    noun = fitting_noun(dice, act, subject) if word != "what" else None
    things = thing(dice, noun, particle="을/를", flags=act.flags.replace("c", "")) if noun else NOTHING
    at, _to, korean = PLACES[dice.one(act.places)]
    place, where = (at, korean + "에서") if word != "where" and dice.chance(0.6) else NOTHING
    when = moment(dice, mood) if word != "when" and dice.chance(0.4) else NOTHING
    end = predicate(act.verb.korean, mood, negative=False, speaker=subject.speaker)
    if word == "who":
        head = clause(subject, act.verb, mood).replace(subject.english, "who", 1)
        return finished(joined(head, things[0], place, when[0]), joined("누가", when[1], where, things[1], end), True)
    head = f"{word} {clause(subject, act.verb, mood, question=True)}"
    asked_words = {"where": ("", "어디에서", ""), "when": ("언제", "", ""), "what": ("", "", "무엇을")}[word]
    before, at_which, which = asked_words
    korean = joined(topic(subject), when[1], before, at_which or where, which or things[1], end)
    return finished(joined(head, things[0], place, when[0]), korean, True)


def request(dice: Dice) -> Pair:
    """Please do something somewhere."""
    act = dice.one(ACTIONS)
    noun = fitting_noun(dice, act, YOU)
    things = thing(dice, noun, particle="을/를", flags=act.flags) if noun else NOTHING
    place = where = ""
    if act.places and dice.chance(0.6):
        place, _to, korean = PLACES[dice.one(act.places)]
        where = korean + "에서"
    when = dice.one(TIMES["want"]) if dice.chance(0.4) else NOTHING
    english = joined("please", act.verb.base, act.verb.tail, things[0], place, when[0])
    return english, joined(
        when[1], where, things[1], predicate(act.verb.korean, "present", negative=False, speaker="you")
    )


def sequence(dice: Dice) -> Pair:
    """Someone does one thing and another."""
    first, second = dice.one(ACTIONS), dice.one(ACTIONS)
    flags = first.flags + second.flags
    if first.verb == second.verb:
        return sequence(dice)
    subject = someone(dice, flags)
    mood = dice.one(TENSES)
    nouns = fitting_noun(dice, first, subject), fitting_noun(dice, second, subject)
    one = thing(dice, nouns[0], particle="을/를", flags=first.flags.replace("c", "")) if nouns[0] else NOTHING
    two = thing(dice, nouns[1], particle="을/를", flags=second.flags) if nouns[1] else NOTHING
    when = moment(dice, mood) if dice.chance(0.4) else NOTHING
    mood = mood if when[0] else told_apart(mood, subject, first.verb, second.verb)
    form = {"past": second.verb.past, "future": second.verb.base}.get(
        mood, second.verb.third if subject.form == "singular" else second.verb.base
    )
    *before, verb = first.verb.korean.split()
    polite = honorific(verb) if subject.speaker == "honoured" else verb
    chained = connective(polite if polite in ("드시다", "주무시다") else verb)
    english = joined(clause(subject, first.verb, mood), one[0], "and", form, second.verb.tail, two[0], when[0])
    end = predicate(second.verb.korean, mood, negative=False, speaker=subject.speaker)
    return english, joined(topic(subject), when[1], one[1], *before, chained, two[1], end)


def errand(dice: Dice) -> Pair:
    """Someone goes somewhere to do something."""
    act = dice.one(WORTH_GOING)
    subject = someone(dice, act.flags)
    mood = dice.one([*TENSES, "want"])
    noun = fitting_noun(dice, act, subject)
    things = thing(dice, noun, particle="을/를", flags=act.flags + "p") if noun else NOTHING
    _at, place, korean = PLACES[dice.one(act.places)]
    when = moment(dice, mood) if dice.chance(0.5) else NOTHING
    *before, verb = act.verb.korean.split()
    polite = honorific(verb) if subject.speaker == "honoured" else verb
    aim = purpose(polite if polite in ("드시다", "주무시다") else verb)
    english = joined(clause(subject, GO, mood), place, "to", act.verb.base, act.verb.tail, things[0], when[0])
    end = predicate("가다", mood, negative=False, speaker=subject.speaker)
    return english, joined(topic(subject), when[1], things[1], *before, aim, korean + "에", end)


def journey(dice: Dice) -> Pair:
    """Someone goes, comes or arrives, by some vehicle, with somebody."""
    verb = dice.one([GO, GO, COME, ARRIVE])
    mood = dice.one(["past", "future"] if verb is ARRIVE else ["present", "past", "future", "want", "can"])
    question = dice.chance(0.15)
    negative = not question and dice.chance(0.2)
    subject = asked(dice) if question else someone(dice)
    name = dice.one(REACHED if verb is ARRIVE else VISITED)
    at, to, korean = PLACES[name]
    means = NOTHING
    if verb is not ARRIVE and dice.chance(0.4):
        means = dice.one(LONG_DISTANCE.get(name, VEHICLES))
    company = NOTHING
    if dice.chance(0.3):
        english, friend = dice.one(COMPANIONS)
        if friend.split()[-1] not in subject.korean:
            company = english, attach(friend, "과/와") + " 함께"
    when = moment(dice, mood, negative) if dice.chance(0.5) else NOTHING
    end = predicate(verb.korean, mood, negative=negative, speaker=subject.speaker)
    return finished(
        joined(
            clause(subject, verb, mood=mood, negative=negative, question=question),
            at if verb is ARRIVE else to,
            means[0],
            company[0],
            when[0],
        ),
        joined(topic(subject), when[1], company[1], means[1], korean + "에", end),
        question,
    )


def residence(dice: Dice) -> Pair:
    """Someone lives somewhere, or comes from somewhere."""
    subject = someone(dice)
    if dice.chance(0.35):
        english, korean = dice.one(COUNTRIES)
        be = {"first": "am", "singular": "is", "plural": "are"}[subject.form]
        end = predicate("오다", "past", negative=False, speaker=subject.speaker)
        return joined(subject.english, be, "from", english), joined(topic(subject), korean + "에서", end)
    english, korean = dice.one(HOMES)
    mood, negative = dice.one(["present", "past", "want", "can"]), dice.chance(0.3)
    end = predicate("살다", mood, negative=negative, speaker=subject.speaker)
    head = clause(subject, LIVE, mood=mood, negative=negative)
    return joined(head, "in", english), joined(topic(subject), korean + "에", end)


def feeling(dice: Dice) -> Pair:
    """Someone feels hungry, cold, sad; of others Korean says how they show it."""
    english, phrase = dice.one(FEELINGS)
    mood = dice.one(["present", "past"])
    question = dice.chance(0.3)
    negative = not question and english != "sick" and dice.chance(0.25)
    subject = SUBJECTS[0] if dice.chance(0.35) else someone(dice)
    if question:
        subject = dice.one([YOU, asked(dice)])
    if subject.speaker in ("other", "honoured") and " " not in phrase and not phrase.endswith("하다"):
        phrase = infinitive(phrase) + "하다"
    degree = NOTHING
    if dice.chance(0.4):
        degree = ("very", "별로") if negative else dice.one(DEGREES)
    *before, verb = phrase.split()
    when = NOTHING
    if dice.chance(0.5):
        when = ("now", "지금") if mood == "present" and dice.chance(0.4) else moment(dice, mood, True)
    verb_english = Verb(*FEEL, joined(degree[0], english), "")
    start = "" if subject.english == "I" else topic(subject)
    return finished(
        joined(clause(subject, verb_english, mood=mood, negative=negative, question=question), when[0]),
        joined(
            start,
            when[1],
            predicate(joined(*before, degree[1], verb), mood, negative=negative, speaker=subject.speaker),
        ),
        question,
    )
