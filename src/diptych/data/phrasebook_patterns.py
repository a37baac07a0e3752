"""The phrasebook's sentence patterns: each draws one English sentence and its Korean translation together.

A pattern never asks what was drawn elsewhere, so the Korean follows from the English alone: articles have no
counterpart, Korean drops "I" where someone says how they feel, and honours elders and whoever is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Protocol, TypeVar

from diptych.data import phrasebook_lexicon as words
from diptych.data.phrasebook_korean import attach, attributive, connective, honorific, infinitive, predicate, purpose
from diptych.data.phrasebook_lexicon import Action, Noun, Subject, Verb

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
OTHERS = [subject for subject in words.SUBJECTS if subject.speaker != "self"]
ADULTS = [subject for subject in words.SUBJECTS if subject.english not in words.PUPILS]
HONOURED_SHARE = 0.15
HONOURED = [subject for subject in OTHERS if subject.speaker == "honoured"]
MOODS = (
    ["present"] * 4 + ["past"] * 5 + ["future"] * 4 + ["progressive"] * 4 + ["want"] * 3 + ["wanted"] + ["can"] * 3
)
TENSES = ["present", "past", "future"]
PLACED = [action for action in words.ACTIONS if action.places]
NAMEABLE = [action for action in PLACED if "w" in action.flags]
HOMES = words.COUNTRIES + words.CITIES
WORTH_GOING = [action for action in PLACED if "g" in action.flags]
PLACES = list(words.PLACES)
VISITED = [name for name in PLACES if name not in ("kitchen", "room", "classroom")]
REACHED = [name for name in VISITED if name != "park"]


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
    only, both = words.ATTRIBUTES.get(noun.group, []), words.ADJECTIVES.get(noun.group, [])
    if only and (not both or "o" in flags or dice.chance(0.4)):
        return dice.one(only)
    if not both or "o" in flags:
        return NOTHING
    english, korean = dice.one(both)
    *before, adjective = korean.split()
    return english, joined(*before, attributive(adjective))


def counted(dice: Dice, noun: Noun) -> tuple[str, str]:
    """A number of things: "three apples" and its counter 세 개, "two cups of coffee" and 두 잔."""
    english, korean = words.COUNTS[0] if noun.measure and dice.chance(0.4) else dice.one(words.COUNTS)
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
    if "c" in flags and noun.counter and dice.chance(0.5 if noun.measure else 0.3):
        english, korean = counted(dice, noun)
        return english, f"{marked} {korean}"
    adjective, korean = modifier(dice, noun, flags) if "x" not in flags and dice.chance(0.3) else NOTHING
    name = joined(adjective, noun.singular)
    if "t" in flags or ("p" not in flags and dice.chance(0.5)):
        determiner, korean_determiner = dice.one(determiners(noun))
        return f"{determiner} {name}", joined(korean_determiner, korean, marked)
    if noun.group in ("meal", "food", "drink") and not noun.plural or noun.singular in PLURAL_WORDS:
        return name, joined(korean, marked)
    if noun.plural and noun.group != "transport" and dice.chance(0.4):
        return joined(adjective, noun.plural), joined(korean, marked)
    return article(name), joined(korean, marked)


def determiners(noun: Noun) -> list[tuple[str, str]]:
    """What may stand before a noun that one can point at; "my" only where it can be somebody's."""
    found = [("the", "")]
    if noun.singular not in PLURAL_WORDS:
        found += [("this", "이"), ("that", "그")]
    if noun.group in ("text", "wear", "thing", "paper", "vehicle", "animal", "person", "place"):
        found.append(("my", "제"))
    return found


def someone(dice: Dice, flags: str = "") -> Subject:
    """A subject that can do what an action with these flags is; elders come a little more often."""
    if dice.chance(HONOURED_SHARE):
        return dice.one(HONOURED)
    return dice.one(ADULTS if "a" in flags else words.SUBJECTS)


def asked(dice: Dice, flags: str = "") -> Subject:
    """Whom a question is about: you, or anyone but the speaker."""
    if dice.chance(0.4):
        return words.YOU
    subject = someone(dice, flags)
    return words.YOU if subject.speaker == "self" else subject


def fitting_noun(dice: Dice, action: Action, subject: Subject) -> Noun | None:
    """An object of the action which is not the subject itself."""
    others = [noun for noun in action.objects if noun.korean != subject.korean.split(" ")[-1]]
    return dice.one(others) if others else None


def moment(dice: Dice, mood: str, negative: bool = False) -> tuple[str, str]:
    """A time that goes with the mood, English and Korean."""
    key = "present negative" if mood == "present" and negative else mood
    return dice.one(words.TIMES[key])


def action(dice: Dice) -> Pair:
    """Someone does something, somewhere, at some time, with somebody or by some means."""
    act = dice.one(words.ACTIONS)
    mood = dice.one(MOODS)
    question = dice.chance(0.15) and mood != "wanted"
    negative = not question and dice.chance(0.25)
    subject = asked(dice, act.flags) if question else someone(dice, act.flags)
    noun = fitting_noun(dice, act, subject)
    flags = act.flags.replace("c", "") if negative or question else act.flags
    things = thing(dice, noun, "을/를", flags) if noun else NOTHING
    place = where = NOTHING[0]
    if act.places and dice.chance(0.5):
        _at, _to, korean = words.PLACES[dice.one(act.places)]
        place, where = _at, attach(korean, "에서/에서")
    means = NOTHING
    if act.verb.base in words.INSTRUMENTS and dice.chance(0.3):
        means = dice.one(words.INSTRUMENTS[act.verb.base])
    company = NOTHING
    if not means[0] and dice.chance(0.15):
        english, korean = dice.one(words.COMPANIONS)
        if korean.split()[-1] not in f"{subject.korean} {things[1]}":
            company = english, attach(korean, "과/와") + " 함께"
    often = when = NOTHING
    if mood == "present" and not negative and not question and dice.chance(0.3):
        often = dice.one(words.FREQUENCIES)
    elif dice.chance(0.55):
        when = moment(dice, mood, negative)
    english_subject = clause(subject, act.verb, mood, negative, question)
    if often[0]:
        head = clause(subject, act.verb._replace(tail=""), mood).removeprefix(subject.english + " ")
        english_subject = joined(subject.english, often[0], head, act.verb.tail)
    end = predicate(act.verb.korean, mood, negative, subject.speaker)
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
    subject = words.SUBJECTS[2] if word == "who" else asked(dice, act.flags)
    noun = fitting_noun(dice, act, subject) if word != "what" else None
    things = thing(dice, noun, "을/를", act.flags.replace("c", "")) if noun else NOTHING
    at, _to, korean = words.PLACES[dice.one(act.places)]
    place, where = (at, korean + "에서") if word != "where" and dice.chance(0.6) else NOTHING
    when = moment(dice, mood) if word != "when" and dice.chance(0.4) else NOTHING
    end = predicate(act.verb.korean, mood, False, subject.speaker)
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
    act = dice.one(words.ACTIONS)
    noun = fitting_noun(dice, act, words.YOU)
    things = thing(dice, noun, "을/를", act.flags) if noun else NOTHING
    place = where = ""
    if act.places and dice.chance(0.6):
        place, _to, korean = words.PLACES[dice.one(act.places)]
        where = korean + "에서"
    when = dice.one(words.TIMES["want"]) if dice.chance(0.4) else NOTHING
    english = joined("please", act.verb.base, act.verb.tail, things[0], place, when[0])
    return english, joined(when[1], where, things[1], predicate(act.verb.korean, "present", False, "you"))


def sequence(dice: Dice) -> Pair:
    """Someone does one thing and another."""
    first, second = dice.one(words.ACTIONS), dice.one(words.ACTIONS)
    flags = first.flags + second.flags
    if first.verb == second.verb:
        return sequence(dice)
    subject = someone(dice, flags)
    mood = dice.one(TENSES)
    nouns = fitting_noun(dice, first, subject), fitting_noun(dice, second, subject)
    one = thing(dice, nouns[0], "을/를", first.flags.replace("c", "")) if nouns[0] else NOTHING
    two = thing(dice, nouns[1], "을/를", second.flags.replace("c", "")) if nouns[1] else NOTHING
    when = moment(dice, mood) if dice.chance(0.4) else NOTHING
    form = {"past": second.verb.past, "future": second.verb.base}.get(
        mood, second.verb.third if subject.form == "singular" else second.verb.base
    )
    *before, verb = first.verb.korean.split()
    polite = honorific(verb) if subject.speaker == "honoured" else verb
    chained = connective(polite if polite in ("드시다", "주무시다") else verb)
    english = joined(clause(subject, first.verb, mood), one[0], "and", form, second.verb.tail, two[0], when[0])
    end = predicate(second.verb.korean, mood, False, subject.speaker)
    return english, joined(topic(subject), when[1], one[1], *before, chained, two[1], end)


def errand(dice: Dice) -> Pair:
    """Someone goes somewhere to do something."""
    act = dice.one(WORTH_GOING)
    subject = someone(dice, act.flags)
    mood = dice.one([*TENSES, "want"])
    noun = fitting_noun(dice, act, subject)
    things = thing(dice, noun, "을/를", act.flags.replace("c", "") + "p") if noun else NOTHING
    _at, place, korean = words.PLACES[dice.one(act.places)]
    when = moment(dice, mood) if dice.chance(0.5) else NOTHING
    *before, verb = act.verb.korean.split()
    polite = honorific(verb) if subject.speaker == "honoured" else verb
    aim = purpose(polite if polite in ("드시다", "주무시다") else verb)
    english = joined(clause(subject, words.GO, mood), place, "to", act.verb.base, act.verb.tail, things[0], when[0])
    end = predicate("가다", mood, False, subject.speaker)
    return english, joined(topic(subject), when[1], things[1], *before, aim, korean + "에", end)


def journey(dice: Dice) -> Pair:
    """Someone goes, comes or arrives, by some vehicle, with somebody."""
    verb = dice.one([words.GO, words.GO, words.COME, words.ARRIVE])
    mood = dice.one(["past", "future"] if verb is words.ARRIVE else ["present", "past", "future", "want", "can"])
    question = dice.chance(0.15)
    negative = not question and dice.chance(0.2)
    subject = asked(dice) if question else someone(dice)
    name = dice.one(REACHED if verb is words.ARRIVE else VISITED)
    at, to, korean = words.PLACES[name]
    means = NOTHING
    if verb is not words.ARRIVE and dice.chance(0.4):
        means = dice.one(words.LONG_DISTANCE.get(name, words.VEHICLES))
    company = NOTHING
    if dice.chance(0.3):
        english, friend = dice.one(words.COMPANIONS)
        if friend.split()[-1] not in subject.korean:
            company = english, attach(friend, "과/와") + " 함께"
    when = moment(dice, mood, negative) if dice.chance(0.5) else NOTHING
    end = predicate(verb.korean, mood, negative, subject.speaker)
    return finished(
        joined(clause(subject, verb, mood, negative, question), at if verb is words.ARRIVE else to,
               means[0], company[0], when[0]),
        joined(topic(subject), when[1], company[1], means[1], korean + "에", end),
        question,
    )


def residence(dice: Dice) -> Pair:
    """Someone lives somewhere, or comes from somewhere."""
    subject = someone(dice)
    if dice.chance(0.35):
        english, korean = dice.one(words.COUNTRIES)
        be = {"first": "am", "singular": "is", "plural": "are"}[subject.form]
        end = predicate("오다", "past", False, subject.speaker)
        return joined(subject.english, be, "from", english), joined(topic(subject), korean + "에서", end)
    english, korean = dice.one(HOMES)
    mood, negative = dice.one(["present", "past", "want", "can"]), dice.chance(0.3)
    end = predicate("살다", mood, negative, subject.speaker)
    return joined(clause(subject, words.LIVE, mood, negative), "in", english), joined(topic(subject), korean + "에", end)


def feeling(dice: Dice) -> Pair:
    """Someone feels hungry, cold, sad; of others Korean says how they show it."""
    english, phrase = dice.one(words.FEELINGS)
    mood = dice.one(["present", "past"])
    question = dice.chance(0.3)
    negative = not question and english != "sick" and dice.chance(0.25)
    subject = dice.one([words.YOU, asked(dice)]) if question else (words.SUBJECTS[0] if dice.chance(0.35) else someone(dice))
    if subject.speaker in ("other", "honoured") and " " not in phrase and not phrase.endswith("하다"):
        phrase = infinitive(phrase) + "하다"
    degree = NOTHING
    if dice.chance(0.4):
        degree = ("very", "별로") if negative else dice.one(words.DEGREES)
    *before, verb = phrase.split()
    when = NOTHING
    if dice.chance(0.5):
        when = ("now", "지금") if mood == "present" and dice.chance(0.4) else moment(dice, mood, True)
    verb_english = Verb(*words.FEEL, joined(degree[0], english), "")
    start = "" if subject.english == "I" else topic(subject)
    return finished(
        joined(clause(subject, verb_english, mood, negative, question), when[0]),
        joined(start, when[1], predicate(joined(*before, degree[1], verb), mood, negative, subject.speaker)),
        question,
    )
