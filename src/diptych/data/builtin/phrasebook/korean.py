"""Korean word forms: particles that agree with the final consonant, and conjugation in the polite -아요/어요 style.

A Hangul syllable is one code point, 0xAC00 + (initial * 21 + vowel) * 28 + final, so every rule here is arithmetic.
"""

from __future__ import annotations

from functools import cache

VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"

# Spelling does not tell these from regular verbs (듣다 and 닫다, 춥다 and 입다), so they are listed.
IRREGULAR = {
    "ㄷ": frozenset("걷다 듣다 묻다 싣다".split()),
    "ㅂ": frozenset("가볍다 굽다 귀엽다 덥다 돕다 뜨겁다 맵다 무겁다 무섭다 쉽다 어렵다 외롭다 차갑다 춥다".split()),
    "ㅅ": frozenset("낫다 붓다 짓다".split()),
    "르": frozenset("고르다 다르다 마르다 모르다 부르다 빠르다 자르다 흐르다".split()),
}
HONORIFIC = {"먹다": "드시다", "마시다": "드시다", "자다": "주무시다", "아프다": "편찮으시다"}
NEGATIVE = {"알다": "모르다", "있다": "없다"}


def final_of(word: str) -> str:
    """The final consonant of the last syllable, " " where it ends in a vowel."""
    return FINALS[(ord(word[-1]) - 0xAC00) % 28]


def _vowel_of(word: str) -> str:
    return VOWELS[(ord(word[-1]) - 0xAC00) // 28 % 21]


def _with_vowel(word: str, vowel: str) -> str:
    code = ord(word[-1]) - 0xAC00
    return word[:-1] + chr(0xAC00 + (code // 588 * 21 + VOWELS.index(vowel)) * 28 + code % 28)


def _with_final(word: str, final: str) -> str:
    code = ord(word[-1]) - 0xAC00
    return word[:-1] + chr(0xAC00 + code - code % 28 + FINALS.index(final))


def _is_irregular(verb: str, kind: str) -> bool:
    return verb in IRREGULAR[kind]


@cache
def attach(word: str, particle: str) -> str:
    """A noun with its particle, given in both forms: `attach("책", "을/를")` is 책을, `attach("사과", "을/를")` 사과를.

    The first form follows a final consonant; for "으로/로" a final ㄹ counts as a vowel.
    """
    after_consonant, after_vowel = particle.split("/")
    ends_in_vowel = final_of(word) == " " or (after_consonant == "으로" and final_of(word) == "ㄹ")
    return word + (after_vowel if ends_in_vowel else after_consonant)


@cache
def infinitive(verb: str) -> str:
    """The form in 아 or 어 that 요 follows: 먹어 from 먹다, 도와 from 돕다, 들어 from 듣다, 몰라 from 모르다."""
    stem = verb[:-1]
    if stem.endswith("하"):
        return stem[:-1] + "해"
    if _is_irregular(verb, "ㅂ"):
        return _with_final(stem, " ") + ("와" if verb == "돕다" else "워")
    if _is_irregular(verb, "르"):
        before = stem[:-1]
        return _with_final(before, "ㄹ") + ("라" if _vowel_of(before) in "ㅏㅗ" else "러")
    if _is_irregular(verb, "ㄷ"):
        stem = _with_final(stem, "ㄹ")
    if _vowel_of(stem) == "ㅡ" and final_of(stem) == " ":
        harmonic = len(stem) > 1 and _vowel_of(stem[:-1]) in "ㅏㅗ"
        return _with_vowel(stem, "ㅏ" if harmonic else "ㅓ")
    ending = "아" if _vowel_of(stem) in "ㅏㅑㅗ" else "어"
    if _is_irregular(verb, "ㅅ"):
        return _with_final(stem, " ") + ending
    if final_of(stem) != " ":
        return stem + ending
    contracted = {"ㅗ": "ㅘ", "ㅜ": "ㅝ", "ㅣ": "ㅕ", "ㅚ": "ㅙ"}.get(_vowel_of(stem))
    if contracted:
        return _with_vowel(stem, contracted)
    return stem if _vowel_of(stem) in "ㅏㅐㅓㅔㅕ" else stem + ending


@cache
def polite(verb: str) -> str:
    """The polite present: 먹어요, 도와요; an honorific in -시다 ends in 세요."""
    return verb[:-2] + "세요" if verb.endswith("시다") and verb != "마시다" else infinitive(verb) + "요"


@cache
def past(verb: str) -> str:
    """The polite past: 먹었어요, 샀어요, 추웠어요, 드셨어요."""
    return _with_final(infinitive(verb), "ㅆ") + "어요"


def _before_vowel(verb: str) -> str:
    """The stem as it stands before endings in (으): 먹으, 사, 도우, 들으, 지으; a final ㄹ is dropped."""
    stem = verb[:-1]
    if final_of(stem) in " ㄹ":
        return _with_final(stem, " ")
    if _is_irregular(verb, "ㅂ"):
        return _with_final(stem, " ") + "우"
    if _is_irregular(verb, "ㄷ"):
        stem = _with_final(stem, "ㄹ")
    elif _is_irregular(verb, "ㅅ"):
        stem = _with_final(stem, " ")
    return stem + "으"


@cache
def prospective(verb: str) -> str:
    """The form before 거예요 and 수 있어요: 먹을, 살, 도울, 들을, 만들."""
    return _with_final(_before_vowel(verb), "ㄹ")


@cache
def attributive(adjective: str) -> str:
    """An adjective before its noun: 작은, 큰, 추운, 긴, 맛있는."""
    if adjective.endswith("있다"):
        return adjective[:-1] + "는"
    return _with_final(_before_vowel(adjective), "ㄴ")


@cache
def honorific(verb: str) -> str:
    """The verb that honours its subject: 사시다 from 사다, 읽으시다 from 읽다, 드시다 from 먹다."""
    return HONORIFIC.get(verb) or _before_vowel(verb) + "시다"


def connective(verb: str) -> str:
    """The form before 있어요 and 싶어요, also "and": 먹고."""
    return verb[:-1] + "고"


def purpose(verb: str) -> str:
    """In order to, before a verb of motion: 먹으러, 사러, 만들러."""
    return (verb[:-1] if final_of(verb[:-1]) == "ㄹ" else _before_vowel(verb)) + "러"


@cache
def predicate(phrase: str, mood: str, negative: bool, speaker: str) -> str:
    """The end of a Korean sentence.

    Args:
        phrase: a verb in its dictionary form, words before it allowed: "춤을 추다".
        mood: "present", "past", "future", "progressive", "want", "wanted" or "can".
        negative: 안 before the verb, or -지 않아요 after longer verbs in 하다 and 있다.
        speaker: whose deed it is: "self" (I, we), "other", "honoured", or "you" (asked, and honoured).
    """
    *before, verb = phrase.split()
    honoured = speaker in ("honoured", "you")
    if negative and verb in NEGATIVE and mood in ("present", "past", "future"):
        verb, negative = NEGATIVE[verb], False
    base = honorific(verb) if honoured else verb
    if mood in ("want", "wanted"):
        joined = connective(base if verb in HONORIFIC and honoured else verb)
        wish = "싶다" if speaker in ("self", "you") else "싶어 하다"
        words = [joined, _finish(wish, "present" if mood == "want" else "past", negative=negative, honoured=honoured)]
    elif mood == "progressive":
        stays = "계시다" if honoured else "있다"
        joined = connective(base if verb in HONORIFIC and honoured else verb)
        words = [joined, f"{stays[:-1]}지 않아요" if negative else polite(stays)]
    elif mood == "can":
        words = [prospective(base), "수", "없어요" if negative else "있어요"]
    else:
        words = [_finish(verb, mood, negative=negative, honoured=honoured)]
    return " ".join([*before, *words])


def _finish(phrase: str, mood: str, negative: bool, honoured: bool) -> str:
    """Tense, honorific and negation on the last verb of `phrase`."""
    *before, verb = phrase.split()
    if negative and (phrase in ("싶다", "싶어 하다") or _takes_long_negation(verb)):
        before, verb = [*before, verb[:-1] + "지"], "않다"
    elif negative:
        before = [*before, "안"]
    base = honorific(verb) if honoured else verb
    ending = {"present": polite, "past": past}.get(mood)
    return " ".join([*before, ending(base) if ending else prospective(base) + " 거예요"])


def _takes_long_negation(verb: str) -> bool:
    return (verb.endswith("하다") and verb != "하다") or verb.endswith("있다")
