"""Several models that vote: each translates by itself, and what most of them say is the translation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from diptych.config import Precision, SearchConfig
from diptych.runs.run import Run
from diptych.translation.members import Member, MemberProcess, load_models
from diptych.translation.translation import Translation
from diptych.translation.translator import Translator


class Vote:
    """Translates lines by the plurality of several models' whole translations.

    Unlike the members of an ensemble, which say each token together, voters may have other vocabularies, tokenizers and
    normal forms. A tie goes to the text that its voters find more probable, on the average of their log-probabilities;
    then to that of the voter who was named first.

    Attributes:
        voters: the models, the run's own first.
        run, backend: those of the first.
        attends: whether every voter has an attention, so that each translation can show where its voter looked.
    """

    def __init__(self, voters: Sequence[Translator], processes: Sequence[MemberProcess] = ()) -> None:
        """Vote with models that are there; `close` ends the processes in which some of them compute."""
        self.voters = tuple(voters)
        self.run, self.backend = voters[0].run, voters[0].backend
        self.attends = all(voter.attends for voter in voters)
        self._processes = tuple(processes)

    def close(self) -> None:
        """End the processes of the voters in another framework."""
        for process in self._processes:
            process.close()

    def __enter__(self) -> Vote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def translate(
        self,
        lines: Sequence[str],
        search: SearchConfig | None = None,
        *,
        first_row: int = 0,
        prefix: str | Sequence[str] = "",
        **overrides: Any,
    ) -> list[Translation]:
        """Translate each line, see `Translator.translate`: the winner's text, tokens, probabilities and attention."""
        ballots = [
            voter.translate(lines, search, first_row=first_row, prefix=prefix, **overrides) for voter in self.voters
        ]
        return [elected(each) for each in zip(*ballots, strict=True)]


def elected(ballot: Sequence[Translation]) -> Translation:
    """The translation that most say, as the first of those who say it came to it; alternatives are left out."""
    votes = Counter(each.text for each in ballot)

    def rank(text: str) -> tuple[int, float]:
        said = [each.log_probability for each in ballot if each.text == text]
        return votes[text], sum(said) / len(said)

    winner = max(votes, key=rank)  # of equals the first, and a counter keeps the order in which they came
    return replace(next(each for each in ballot if each.text == winner), alternatives=())


def load_vote(
    run: Run | str | Path,
    backend: str = "pytorch",
    which: str = "best",
    threads: int | None = None,
    precision: Precision | None = None,
    device: str = "auto",
    members: Sequence[str | Member] = (),
) -> Vote:
    """Load models that vote; the options are those of `diptych.load`.

    Raises:
        BackendError: a backend is unknown, not installed or broken.
        RunError: nothing has been trained in a run.
        CheckpointError: there is no such checkpoint, or it is damaged.
        UsageError: a member names no backend that there is.
    """
    first = Member(Run.of(run), backend, which)
    others = [each if isinstance(each, Member) else Member.open(each, backend) for each in members]
    _, steppers, processes = load_models(first, others, threads=threads, precision=precision, device=device)
    voters = [
        Translator(member.run, stepper, member.backend)
        for member, stepper in zip((first, *others), steppers, strict=True)
    ]
    return Vote(voters, processes)
