"""How fast one of our backends trains and decodes, block by block; runs in that backend's own process."""

from __future__ import annotations

from typing import Any

from diptych.benchmark.ceiling import Ceiling
from diptych.benchmark.decoding_trial import DecodingTrial
from diptych.benchmark.speed import endless_parameters, told_by
from diptych.benchmark.training_trial import TrainingTrial
from diptych.benchmark.trial import timed_block, told_ceiling, warm_up
from diptych.data.opening import open_corpus
from diptych.panel import TrainingPanel
from diptych.runs.run import Run


def training_speed(panel: TrainingPanel, folder: str, blocks: int = 6, steps: int = 10) -> dict[str, Any]:
    """Time blocks of training steps, all of the same batches, after one block of warm-up.

    Args:
        panel: the backend's.
        folder: a run's folder.
        blocks: how many blocks are timed.
        steps: how many steps a block has.

    Returns:
        `blocks`: of each its target tokens and seconds; `ceiling`: of its products by themselves, timed between the
        blocks; and what one block of warm-up took, what is compiled and chosen included.
    """
    run = Run.open(folder)
    trial = TrainingTrial(panel, run, run.build(panel, run.initial_parameters()), steps)
    warm = warm_up(trial)
    ceiling = Ceiling(panel, trial.typical(), run.config.training.arithmetic)
    timed = []
    for _ in range(blocks):
        timed.append(timed_block(trial))
        ceiling.measure()
    bound = told_ceiling(ceiling, trial.products())
    return {"blocks": timed, "ceiling": bound, **warm, **trial.details(), **told_by(panel)}


def decoding_speed(
    panel: TrainingPanel, folder: str, beam_size: int = 1, blocks: int = 3, batches: int = 0
) -> dict[str, Any]:
    """Time passes over a run's test sentences, after one pass of warm-up.

    With the best checkpoint where the run is trained, by whichever backend. Where it is not, with the initial weights:
    each translation then has the length of the reference.

    Args:
        panel: the backend's.
        folder: a run's folder.
        beam_size: 1 for greedy search.
        blocks: how many passes are timed.
        batches: only so many batches, evenly spaced in the order of their length; 0: all.

    Returns:
        `blocks`: of each its sentences, target tokens and seconds; what one pass of warm-up took; who ends the
        translations.
    """
    run = Run.open(folder)
    trained = run.trained_backends()
    parameters = run.read_checkpoint(trained[0]).parameters if trained else endless_parameters(run)
    model, test = run.build(panel, parameters), open_corpus(run.config.data).test
    trial = DecodingTrial(panel, run, model, test, beam_size, batches, ends=bool(trained))
    warm = warm_up(trial)
    timed = [timed_block(trial) for _ in range(blocks)]
    return {"blocks": timed, **warm, **trial.details(), **told_by(panel)}
