"""Where to find what people look for: from a word of the field to the code that does it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from diptych.errors import UsageError
from diptych.side_by_side.excerpts import (
    PACKAGE,
    PANELS,
    SideBySide,
    excerpt,
    facing,
    side_by_side,
)
from diptych.side_by_side.terms import TERMS, Term


@dataclass(frozen=True)
class Part:
    """Some of a term's code, and what it is."""

    title: str
    code: SideBySide


def find_term(word: str) -> Term | None:
    """The term that a word stands for, however it is written; None if there is none."""
    return _index().get(_plain(word))


def parts(term: Term, with_reference: bool = False) -> Iterator[Part]:
    """A term's code: in each panel, where it is written once, and with stock layers."""
    for name in term.panels:
        yield Part(f"in each panel: {name}", side_by_side(name, with_reference))
    for place in term.shared:
        path, _, name = place.partition(":")
        yield Part("written once, for all panels", facing(name, (excerpt("shared", PACKAGE / path, name),)))
    if term.stock:
        folder = PACKAGE / "side_by_side" / "stock" / term.stock
        programs = tuple(excerpt(panel, folder / f"in_{panel}.py", "") for panel in PANELS)
        yield Part("the same numbers with stock layers, given the same weights", facing(term.stock, programs))


def find_code(name: str, with_reference: bool = False) -> Term | SideBySide:
    """What a user's word stands for: a name of the panels' code as it is written there, else a term.

    Raises:
        UsageError: neither; what is near is told.
    """
    term = find_term(name)
    try:
        excerpts = side_by_side(name, with_reference)
    except UsageError as error:
        if term is not None:
            return term
        near = difflib.get_close_matches(_plain(name), _index(), n=3)
        if near and "did you mean" not in str(error):
            names = ", ".join(dict.fromkeys(repr(_index()[each].name) for each in near))
            raise UsageError(f"{error}; did you mean {names}?") from None
        raise
    # A bare file's name, or a function's, gives way to a term; `loss.py` and `Decoder` are names of code.
    return term if term is not None and name == name.lower() and not name.endswith(".py") else excerpts


def _index() -> dict[str, Term]:
    return {_plain(word): term for term in reversed(TERMS) for word in (*term.also, term.name)}


def _plain(word: str) -> str:
    return " ".join(word.lower().replace("-", " ").replace("_", " ").split())
