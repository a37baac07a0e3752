"""All models of an ensemble, loaded: those of one framework here, those of another in a process of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from diptych.config import Precision
from diptych.search import Ensemble, Stepper
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
    loaded, steppers, processes = load_models(first, others, threads=threads, precision=precision, device=device)
    try:
        return (replace(loaded, stepper=Ensemble(steppers, average)) if others else loaded), processes
    except BaseException:
        for process in processes:
            process.close()
        raise


def load_models(
    first: Member,
    others: Sequence[Member],
    *,
    threads: int | None = None,
    precision: Precision | None = None,
    device: str = "auto",
) -> tuple[Loaded, list[Stepper], tuple[MemberProcess, ...]]:
    """Load several models, whatever their vocabularies, see `load_ensemble`.

    Returns:
        The first one's model, the steppers of all in their order, and the processes of those in another framework.

    Raises:
        BackendError, RunError, CheckpointError: as `load_ensemble`.
    """
    here = (first.backend, "reference")
    processes = {name: MemberProcess(name) for name in dict.fromkeys(m.backend for m in others) if name not in here}
    try:
        for member in others:
            if member.backend in processes:
                processes[member.backend].ask_to_load(member, threads, precision=precision, device=device)
        loaded = load_model(
            first.run, first.backend, which=first.which, threads=threads, precision=precision, device=device
        )
        steppers: list[Stepper] = [loaded.stepper]
        for member in others:
            if member.backend in processes:
                steppers.append(processes[member.backend].loaded())
            else:
                model = load_model(
                    member.run, member.backend, which=member.which, threads=threads, precision=precision, device=device
                )
                steppers.append(model.stepper)
    except BaseException:
        for process in processes.values():
            process.close()
        raise
    return loaded, steppers, tuple(processes.values())
