"""A line of several sentences, cut into them and put together again as it was."""

from __future__ import annotations

import re
from dataclasses import dataclass

# What ends a sentence; in Chinese and Japanese no space follows.
_ENDS = ".!?\u2026\u203d\u061f\u0964\u06d4"
_WIDE = "\u3002\uff01\uff1f\uff61\uff0e"
# What may follow the end and still belongs to the sentence: quotes and brackets that close.
_CLOSING = "\"'\u2019\u201d\u00bb\u203a)\\]}\u300d\u300f\uff09\u3011\u300b\u3009"
_OPENING = "\"'\u2018\u201c\u00ab\u201e\u201a\u2039(\\[{\u00bf\u00a1\u300c\u300e\uff08\u3010"
_END = re.compile(rf"(?:[{_WIDE}]+[{_CLOSING}]*\s*|[{_ENDS}]+[{_CLOSING}\u201c]*(?:\s+|$))")
# Words before a full stop that do not end a sentence, in English, German and French, without their stops.
_SHORT = frozenset(
    "mr mrs ms dr prof st sr jr vs etc eg ie cf fig no vol pp ed approx dept est inc ltd co corp gen col lt sgt rev "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun u s a m p e g i "
    "bzw ca d h evtl ggf inkl max min mio mrd nr o str tel u usw vgl z zb abs bd hrsg jh kap "
    "m mme mlle env ex art av".split()
)


@dataclass(frozen=True)
class Cut:
    """A line's sentences, and what stands between them.

    Attributes:
        sentences: without white space at their ends.
        between: what stood before the first, between each two and after the last: one more than there are sentences.
    """

    sentences: tuple[str, ...]
    between: tuple[str, ...]

    def joined(self, sentences: tuple[str, ...] | list[str]) -> str:
        """Other sentences, as many, with the same between them."""
        parts = [self.between[0]]
        for sentence, after in zip(sentences, self.between[1:], strict=True):
            parts += [sentence, after]
        return "".join(parts)


def cut(line: str) -> Cut:
    """Cut a line after each stop, question or exclamation mark, and the quotes and brackets that close after it.

    Rules for English, German, French, Korean, Chinese and Japanese. Nothing ends before a word in lower case. A full
    stop ends nothing inside a number, a web address or an abbreviation, after a single letter or a German ordinal ("am
    3. Oktober"). What is cut can be put together again: `cut(line).joined(cut(line).sentences) == line`.
    """
    ends = [match for match in _END.finditer(line) if _is_end(line, match)]
    sentences, between, start = [], [], 0
    lead = len(line) - len(line.lstrip())
    between.append(line[:lead])
    start = lead
    for match in ends:
        piece = line[start : match.end()]
        stripped = piece.rstrip()
        if stripped:
            sentences.append(stripped)
            between.append(piece[len(stripped) :])
            start = match.end()
    rest = line[start:]
    if stripped := rest.rstrip():
        sentences.append(stripped)
        between.append(rest[len(stripped) :])
    elif rest:
        between[-1] += rest
    return Cut(tuple(sentences), tuple(between))


def _is_end(line: str, match: re.Match[str]) -> bool:
    mark = match[0].rstrip()
    if mark[0] in _WIDE:
        return True
    after = line[match.end() :].lstrip(_OPENING.replace("\\", ""))[:1]
    if after.islower():
        return False
    if mark[0] != ".":
        return True
    word = re.search(r"[^\s(\[\"'\u201c\u201e]*$", line[: match.start()])
    before = word[0] if word else ""
    if len(mark) > 1 and mark.startswith(".."):
        return True
    last = before.rpartition(".")[2]
    abbreviated = last.lower() in _SHORT and not last.isdigit()
    letter = len(last) == 1 and last.isalpha() and last.isascii()
    ordinal = last.isdigit() and len(last) <= 2 and after.isalpha() and after.isascii()
    return not after or not (abbreviated or letter or ordinal)
