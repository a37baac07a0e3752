"""More of the phrasebook's patterns: what things are like, what there is, what someone has, and when."""

from __future__ import annotations

from diptych.data import phrasebook_lexicon as words
from diptych.data.phrasebook_korean import attach, predicate
from diptych.data.phrasebook_lexicon import Noun, Subject, Verb
from diptych.data.phrasebook_patterns import (
    NOTHING,
    OTHERS,
    PLACES,
    PLURAL_WORDS,
    TENSES,
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

COUNTABLE = [noun for noun in words.NOUNS.values() if noun.plural]
DESCRIBED = {group: [noun for noun in words.NOUNS.values() if noun.group == group] for group in words.ADJECTIVES}
OWNABLE = [noun for noun in COUNTABLE if noun.group in ("thing", "wear", "text", "vehicle", "animal", "paper")]
HAD = [*OWNABLE, *(words.NOUNS[name] for name in ("money", "time", "shoes", "socks"))]
COMPARED = [noun for noun in COUNTABLE if noun.group in words.COMPARATIVES]
ALIKE = {noun: [other for other in COMPARED if other.group == noun.group] for noun in COMPARED}
PRICED = [noun for noun in COUNTABLE if noun.group in ("food", "meal", "thing", "wear", "text", "flower")]
PRICED = [noun for noun in PRICED if noun.singular not in ("computer", "camera", "chair", "email", "letter", "key")]
CHEAP = ("food", "meal", "flower")
UPSTAIRS = ("office", "library", "bookstore", "restaurant", "cafe", "hospital", "bank", "gym", "store", "pool")

IN_A_ROOM = [noun for noun in COUNTABLE if noun.group in ("thing", "wear", "animal")]
IN_A_PARK = [noun for noun in COUNTABLE if noun.group in ("animal", "person", "flower")]
FURNITURE = ["desk=책상", "table=탁자", "chair=의자", "bed=침대", "door=문"]
LIKED = [noun for noun in words.NOUNS.values() if noun.group in ("food", "drink", "animal", "flower", "fixed")]
LIKED = [noun for noun in LIKED if not noun.singular.startswith("the ") and noun.singular not in ("money", "time")]
KNOWN = [words.NOUNS[name] for name in ("song", "word", "book", "movie", "restaurant", "child", "student", "house")]
GIVEN = [
    (words.GIVE, words.nouns("book,flower,gift,pencil,hat,ticket,watch,magazine")),
    (words.SHOW, words.nouns("book,picture,hat,ticket,watch,letter,cat")),
    (words.SEND, words.nouns("letter,email,gift,flower,book,picture")),
]
NAMES = [subject for subject in OTHERS if subject.form == "singular"]
AGED = [subject for subject in NAMES if subject.speaker == "other"]
WORKING = [subject for subject in NAMES if not subject.english.startswith("the ")]
NAMED = words.nouns("book,letter,ticket,picture,hat,coat,bag,umbrella,watch,cup,box,pencil,key,gift,computer,cat")
GROUPS = list(DESCRIBED)
HOURS = [count for count, _korean in words.COUNTS]


def _name(noun: Noun) -> str:
    """The name of any of this kind, for likes: "apples", "milk"."""
    return noun.plural or noun.singular


def description(dice: Dice) -> Pair:
    """This is big; that was not very difficult; my friend is tall."""
    mood, question = dice.one(["present", "past"]), dice.chance(0.15)
    negative = not question and dice.chance(0.25)
    plural = False
    if dice.chance(0.15):
        subject = dice.one(NAMES)
        start, korean_start, speaker, mood = subject.english, topic(subject), subject.speaker, "present"
        english, phrase = dice.one(words.ADJECTIVES["person"])
    else:
        noun = dice.one(DESCRIBED[dice.one(GROUPS)])
        start, korean_start = thing(dice, noun._replace(counter=""), "은/는", "to")
        plural, speaker = noun.singular in PLURAL_WORDS, "other"
        english, phrase = dice.one(words.ADJECTIVES[noun.group])
    degree = NOTHING
    if dice.chance(0.35):
        degree = ("very", "별로") if negative else dice.one([*words.DEGREES, ("too", "너무")])
    *before, adjective = phrase.split()
    return finished(
        joined(be_clause(start, mood, negative, question, plural), degree[0], english),
        joined(korean_start, predicate(joined(*before, degree[1], adjective), mood, negative, speaker)),
        question,
    )


def comparison(dice: Dice) -> Pair:
    """One thing is bigger than another."""
    one = dice.one(COMPARED)
    two = dice.one(ALIKE[one])
    english, adjective = dice.one(words.COMPARATIVES[one.group])
    first = dice.one([("the", ""), ("this", "이")])
    second = dice.one([("the", ""), ("that", "그")])
    if one is two and (first[0], second[0]) != ("this", "that"):
        first, second = ("this", "이"), ("that", "그")
    question = dice.chance(0.25)
    return finished(
        joined(be_clause(f"{first[0]} {one.singular}", "present", False, question), english,
               "than", second[0], two.singular),
        joined(first[1], attach(one.korean, "은/는"), second[1], two.korean + "보다", "더",
               predicate(adjective, "present", False, "other")),
        question,
    )


def existence(dice: Dice) -> Pair:
    """There is something somewhere."""
    mood = dice.one(["present", "present", "past"])
    if dice.chance(0.6):
        noun = dice.one(IN_A_ROOM)
        if noun.singular == "chair" or dice.chance(0.4):
            place, korean_place = dice.one([("in the room", "방에"), ("in the classroom", "교실에"),
                                            ("in the kitchen", "부엌에"), ("in the house", "집에")])
        else:
            spot, korean_spot = dice.one(words.SPOTS)
            name, korean = dice.one(FURNITURE[:4] if spot in ("on", "under") else FURNITURE).split("=")
            place, korean_place = f"{spot} the {name}", f"{korean} {korean_spot}"
        if noun.korean == korean_place.split()[0]:
            return existence(dice)
    else:
        noun = dice.one(IN_A_PARK)
        place, korean_place = dice.one([("in the park", "공원에"), ("at school", "학교에"),
                                        ("in front of the bank", "은행 앞에"), ("behind the school", "학교 뒤에"),
                                        ("next to the library", "도서관 옆에")])
    be = {"present": ("is", "are"), "past": ("was", "were")}[mood]
    subject, kind = attach(noun.korean, "이/가"), dice.one(["a", "a", "number", "number", "no", "where"])
    if kind == "number":
        english, count = counted(dice, noun)
        head, tail = f"there {be[not english.startswith('one ')]} {english}", f"{subject} {count}"
    elif kind == "no":
        head, tail = f"there {be[1]} no {noun.plural}", subject
    elif kind == "where":
        start, korean_start = thing(dice, noun._replace(counter=""), "은/는", "t")
        question = dice.chance(0.3)
        return finished(
            joined(be_clause(start, mood, False, question), place),
            joined(korean_start, korean_place, predicate("있다", mood, False, "other")),
            question,
        )
    else:
        adjective, korean = modifier(dice, noun) if noun.group != "person" and dice.chance(0.4) else NOTHING
        question = dice.chance(0.3)
        order = f"{be[0]} there" if question else f"there {be[0]}"
        return finished(
            joined(order, article(joined(adjective, noun.singular)), place),
            joined(korean_place, korean, subject, predicate("있다", mood, False, "other")),
            question,
        )
    return joined(head, place), joined(korean_place, tail, predicate("있다", mood, kind == "no", "other"))


def whereabouts(dice: Dice) -> Pair:
    """Someone is somewhere; elders "stay" (계시다)."""
    subject, mood = dice.one(OTHERS), dice.one(["present", "past", "future"])
    at, _to, korean = words.PLACES[dice.one(PLACES)]
    question = dice.chance(0.3)
    negative = not question and dice.chance(0.25)
    when = NOTHING
    if dice.chance(0.4):
        when = dice.one([("now", "지금"), ("today", "오늘")]) if mood == "present" else moment(dice, mood)
    plural = subject.form == "plural"
    verb = "계시다" if subject.speaker == "honoured" else "있다"
    end = predicate(verb, mood, negative, "other")
    if question and dice.chance(0.4):
        head = "where " + be_clause(subject.english, mood, False, True, plural)
        return finished(joined(head, when[0]), joined(topic(subject), when[1], "어디에", end), True)
    return finished(
        joined(be_clause(subject.english, mood, negative, question, plural), at, when[0]),
        joined(topic(subject), when[1], korean + "에", end),
        question,
    )


def possession(dice: Dice) -> Pair:
    """Someone has or needs something; in Korean it is what is there, or what is needed."""
    verb = dice.one([words.HAVE, words.NEED])
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
    when = moment(dice, mood, True) if dice.chance(0.4) else NOTHING
    return finished(
        joined(clause(subject, verb, mood, negative, question), english, when[0]),
        joined(topic(subject), when[1], korean, predicate(verb.korean, mood, negative, subject.speaker)),
        question,
    )


def liking(dice: Dice) -> Pair:
    """Someone likes, dislikes or knows something."""
    verb = dice.one([words.LIKE, words.LIKE, words.DISLIKE, words.KNOW])
    mood, question = dice.one(["present", "present", "past"]), dice.chance(0.2)
    negative = not question and verb is not words.DISLIKE and dice.chance(0.35)
    subject = asked(dice) if question else someone(dice)
    degree = NOTHING
    if verb is words.KNOW:
        noun = dice.one([noun for noun in KNOWN if noun.korean != subject.korean])
        english, korean = thing(dice, noun, "을/를", "t")
    else:
        noun = dice.one(LIKED)
        adjective, before = modifier(dice, noun) if dice.chance(0.3) else NOTHING
        english, korean = joined(adjective, _name(noun)), joined(before, attach(noun.korean, "을/를"))
        if not negative and not question and dice.chance(0.3):
            degree = "really", "정말"
    head = clause(subject, verb, mood, negative, question)
    if degree[0]:
        head = head.replace(subject.english, f"{subject.english} {degree[0]}", 1)
    end = predicate(verb.korean, mood, negative, subject.speaker)
    return finished(joined(head, english), joined(topic(subject), korean, degree[1], end), question)


def giving(dice: Dice) -> Pair:
    """Someone gives, shows, sends or lends something to somebody; to elders one "offers" (드리다) it."""
    verb, given = dice.one(GIVEN)
    recipient, korean_recipient = dice.one(words.RECIPIENTS)
    mood, question = dice.one([*TENSES, "want"]), dice.chance(0.12)
    negative = not question and dice.chance(0.2)
    subject = asked(dice) if question else someone(dice)
    if subject.english == recipient or (subject.english == "my friend" and recipient == "a friend"):
        return giving(dice)
    english, korean = thing(dice, dice.one(given), "을/를", "" if negative or question else "c")
    phrase = verb.korean
    if korean_recipient.endswith("께"):
        phrase = phrase.replace("주다", "드리다")
    when = moment(dice, mood, negative) if dice.chance(0.4) else NOTHING
    end = predicate(phrase, mood, negative, subject.speaker)
    return finished(
        joined(clause(subject, verb, mood, negative, question), english, "to", recipient, when[0]),
        joined(topic(subject), when[1], korean_recipient, korean, end),
        question,
    )


def _copula(noun: str, mood: str, negative: bool, speaker: str) -> str:
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
        subject = words.SUBJECTS[0]
    english, korean = dice.one(words.PROFESSIONS)
    if dice.chance(0.5):
        mood, negative = dice.one(["past", "future", "want", "can"]), dice.chance(0.25)
        when = dice.one([NOTHING, ("last year", "작년에")] if mood == "past" else [NOTHING, ("next year", "내년에")])
        end = predicate("되다", mood, negative, subject.speaker)
        return (
            joined(clause(subject, words.BECOME, mood, negative), english, when[0]),
            joined(topic(subject), when[1], attach(korean, "이/가"), end),
        )
    negative = dice.chance(0.25)
    question = subject.form != "first" and not negative and dice.chance(0.25)
    head = be_clause(subject.english, "present", negative, question)
    if subject.form == "first":
        head = head.replace("I is", "I am")
    return finished(
        joined(head, english), joined(topic(subject), _copula(korean, "present", negative, subject.speaker)), question
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
        joined(be_clause(start, "present", negative, question), english),
        joined(korean_start, owner, before, _copula(noun.korean, "present", negative, "other")),
        question,
    )


def _hour(dice: Dice, hours: list[str]) -> tuple[str, str]:
    """A time of the day: "seven twenty" 일곱 시 이십 분, "half past seven" 일곱 시 반."""
    hour = dice.one(hours)
    korean = f"{dict(words.COUNTS)[hour]} 시"
    if dice.chance(0.4):
        return hour, korean
    if dice.chance(0.2):
        return f"half past {hour}", f"{korean} 반"
    minute, korean_minute = dice.one(words.MINUTES)
    return f"{hour} {minute}", f"{korean} {korean_minute} 분"


def daily(dice: Dice) -> Pair:
    """What someone does at a certain hour."""
    verb, hours, part, korean_part = dice.one(words.DAILY)
    mood = dice.one([*TENSES, "want"])
    if dice.chance(0.2):
        mood, subject = dice.one(TENSES), asked(dice)
        word, korean_word = dice.one([("when", "언제"), ("what time", "몇 시에")])
        when = moment(dice, mood, True) if dice.chance(0.6) else NOTHING
        end = predicate(_without_object(verb.korean)[1], mood, False, subject.speaker)
        head = f"{word} {clause(subject, verb, mood, question=True)}"
        korean = joined(topic(subject), when[1], korean_word, _without_object(verb.korean)[0], end)
        return finished(joined(head, when[0]), korean, True)
    subject = someone(dice)
    hour, korean_hour = _hour(dice, hours)
    if dice.chance(0.5):
        part = korean_part = ""
    when = moment(dice, mood) if dice.chance(0.4) else NOTHING
    if when[0] in ("now", "these days", "every weekend"):
        when = ("every day", "매일") if mood == "present" else ("tomorrow", "내일")
    end = predicate(verb.korean, mood, False, subject.speaker)
    return (
        joined(clause(subject, verb, mood), "at", hour, part, when[0]),
        joined(topic(subject), when[1], korean_part, korean_hour + "에", end),
    )


def _without_object(phrase: str) -> tuple[str, str]:
    """The words before the verb, and the verb."""
    *before, verb = phrase.split()
    return " ".join(before), verb


def schedule(dice: Dice) -> Pair:
    """When a train leaves, a shop opens, a concert starts."""
    things, verb = dice.one(words.SCHEDULE)
    english, korean = dice.one(things).split("=")
    subject = Subject(english, "singular", korean, "other")
    mood = dice.one(TENSES)
    end = predicate(verb.korean, mood, False, "other")
    day, korean_day = dice.one(words.DAYS) if dice.chance(0.4) else NOTHING
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
    kind = dice.one(["date", "date", "day", "clock"])
    if kind == "clock":
        part, hours = dice.one([
            (("now", "지금"), HOURS),
            (("in the morning", "아침"), HOURS[4:11]),
            (("in the afternoon", "오후"), HOURS[:5]),
        ])
        hour, korean_hour = _hour(dice, hours)
        return joined("it is", hour, part[0]), joined(part[1], attach(korean_hour, "이에요/예요"))
    english, korean = dice.one([*words.EVENTS, ("birthday", "생일")])
    owner, korean_owner = ("my", "제") if english == "birthday" else ("the", "")
    mood = dice.one(["present", "past"]) if kind == "date" and owner == "the" else "present"
    question = owner == "the" and dice.chance(0.2)
    if kind == "day":
        day, korean_day = dice.one(words.DAYS)
        when, korean_when = f"on {day}", korean_day
    else:
        month, korean_month = dice.one(words.MONTHS)
        ordinal, number = dice.one(words.ORDINALS)
        when, korean_when = f"on {month} {ordinal}", f"{korean_month} {number}일"
    return finished(
        joined(be_clause(f"{owner} {english}", mood, False, question), when),
        joined(korean_owner, attach(korean, "은/는"), _copula(korean_when, mood, False, "other")),
        question,
    )


def amount(dice: Dice) -> Pair:
    """What something costs, how old someone is, on which floor something is."""
    kind = dice.one(["price", "age", "floor"])
    if kind == "age":
        subject = dice.one(AGED)
        english, korean = dice.one(words.AGES)
        mood = dice.one(["present", "past"])
        return (
            joined(be_clause(subject.english, mood, False, False), english, "years old"),
            joined(topic(subject), korean, _copula("살", mood, False, "other")),
        )
    if kind == "floor":
        at, _to, korean = words.PLACES[dice.one(UPSTAIRS)]
        ordinal, number = dice.one(words.ORDINALS)
        return (
            f"{at.removeprefix('at ')} is on the {ordinal} floor",
            joined(attach(korean, "은/는"), number, "층에", "있어요"),
        )
    noun = dice.one(PRICED)
    english, korean = thing(dice, noun._replace(counter=""), "은/는", "tx")
    cheap = noun.group in CHEAP or noun.singular in ("pen", "pencil")
    price, won = dice.one(words.PRICES[:8] if cheap else words.PRICES[4:])
    return f"{english} costs {price} won", joined(korean, won, "원이에요")


def weather(dice: Dice) -> Pair:
    """It is cold in Seoul; it rained yesterday."""
    mood, negative = dice.one(TENSES), dice.chance(0.2)
    city, korean_city = dice.one(words.CITIES) if dice.chance(0.6) else NOTHING
    when = ("now", "지금") if mood == "present" else moment(dice, mood)
    when = when if dice.chance(0.7) else NOTHING
    it = Subject("it", "singular", "", "other")
    if dice.chance(0.5):
        verb: Verb = dice.one(words.FALLING)
        shown = "progressive" if mood == "present" else mood
        english, end = clause(it, verb, shown, negative), predicate(verb.korean, mood, negative, "other")
        where = korean_city and korean_city + "에"
    else:
        adjective, phrase = dice.one(words.WEATHER)
        degree = NOTHING if negative or dice.chance(0.6) else dice.one(words.DEGREES)
        *before, verb_korean = phrase.split()
        english = joined(be_clause("it", mood, negative, False), degree[0], adjective)
        end = predicate(joined(*before, degree[1], verb_korean), mood, negative, "other")
        where = korean_city and attach(korean_city, "은/는")
    return joined(english, city and f"in {city}", when[0]), joined(when[1], where, end)
