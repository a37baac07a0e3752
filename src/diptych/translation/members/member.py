"""A member of an ensemble: which run's which checkpoint, in which backend."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from diptych.errors import RunError, UsageError
from diptych.panel import NAMES
from diptych.runs.checksums import SIDES
from diptych.runs.run import Run

FORM = "RUN[:BACKEND[:CHECKPOINT]]"


@dataclass(frozen=True, eq=False)
class Member:
    """One model.

    Attributes:
        run: what was trained.
        backend: in which it computes.
        which: "best", "latest" or a checkpoint's name.
    """

    run: Run
    backend: str
    which: str = "best"

    @classmethod
    def open(cls, text: str, backend: str) -> Member:
        """The member that RUN[:BACKEND[:CHECKPOINT]] names; a backend that is left out, or empty, is `backend`.

        Raises:
            UsageError: it names no backend that there is.
            RunError: there is no such run.
        """
        if Path(text).is_dir():
            return cls(Run.open(text), backend)
        match = re.fullmatch(rf"(?P<run>.+):(?P<backend>{'|'.join(NAMES)}|)(:(?P<which>[^:/\\]+))?", text)
        if match is None and ":" in text:
            raise UsageError(
                f"member {text!r}: there is no such folder, and it is not {FORM} with one of the backends "
                f"{', '.join(NAMES)}"
            )
        if match is None:
            return cls(Run.open(text), backend)
        return cls(Run.open(match["run"]), match["backend"] or backend, match["which"] or "best")


def check_same_languages(run: Run, member: Run) -> None:
    """Refuse a member that reads or says other tokens than the run does.

    Raises:
        RunError: a tokenizer or a vocabulary differs; the message says of which run, on which side and where.
    """
    for side in SIDES:
        ours, theirs = getattr(run, side), getattr(member, side)
        if ours.to_json() == theirs.to_json():
            continue
        pairs = zip_longest(ours.vocabulary.tokens, theirs.vocabulary.tokens)
        for token_id, (one, other) in enumerate(pairs):
            if one != other:
                raise RunError(
                    f"{member.folder} cannot be in an ensemble with {run.folder}: their {side} vocabularies differ, "
                    f"first at id {token_id}, which is {_show(other)} there and {_show(one)} here; take runs that were "
                    f"created from the same corpus with the same [data]"
                )
        raise RunError(
            f"{member.folder} cannot be in an ensemble with {run.folder}: their {side} tokenizers differ, "
            f"{theirs.tokenizer} there and {ours.tokenizer} here; take runs with the same [data]"
        )


def _show(token: str | None) -> str:
    return "no token" if token is None else repr(token)
