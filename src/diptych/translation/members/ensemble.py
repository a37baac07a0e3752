"""All models of an ensemble, loaded: those of one framework here, those of another in a process of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from diptych.config import Precision
from diptych.search import Ensemble
from diptych.search.ensemble import Average
from diptych.translation.members.loading import Loaded, load_model
from diptych.translation.members.member import Member, check_same_languages
from diptych.translation.members.remote import MemberProcess


def load_ensemble(
    first: Member,
    others: Sequence[Member],
    average: Average = "probability",
    threads: int | None = None,
    precision: Precision | None = None,
    device: str = "auto",
) -> tuple[Loaded, tuple[MemberProcess, ...]]:
    """Load models that say each token together; without others, the first alone.

    Args:
        first: the member whose framework is loaded into this process.
        others: the members beside it. One of another framework is loaded in that framework's process, meanwhile.
        average: of their probabilities, see `diptych.search.Ensemble`.
        threads: how many each process's backend may use; None leaves that to it.
        precision: None for each run's own, or float64 in the reference, which has no other.
        device: "auto", "cpu" or "cuda".

    Returns:
        The first one's model with the stepper of all, and the processes, which end when nothing refers to them any more
        or when they are closed.

    Raises:
        BackendError: a backend is unknown, not installed or broken.
        RunError: nothing has been trained in a run, or another's vocabularies are not the first one's.
        CheckpointError: there is no such checkpoint, or it is damaged.
        ConfigError: there is no such average.
    """
    for member in others:
        check_same_languages(first.run, member.run)
    here = (first.backend, "reference")
    processes = {name: MemberProcess(name) for name in dict.fromkeys(m.backend for m in others) if name not in here}
    try:
        for member in others:
            if member.backend in processes:
                processes[member.backend].ask_to_load(member, threads, precision, device)
        loaded = load_model(first.run, first.backend, first.which, threads, precision, device)
        steppers = [loaded.stepper]
        for member in others:
            if member.backend in processes:
                steppers.append(processes[member.backend].loaded())
            else:
                model = load_model(member.run, member.backend, member.which, threads, precision, device)
                steppers.append(model.stepper)
        if others:
            loaded = replace(loaded, stepper=Ensemble(steppers, average))
    except BaseException:
        for process in processes.values():
            process.close()
        raise
    return loaded, tuple(processes.values())
