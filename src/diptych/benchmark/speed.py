"""How fast one panel trains and decodes; runs in that panel's own process."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy.typing as npt

from diptych.benchmark.decoding_trial import DecodingTrial
from diptych.benchmark.training_trial import TrainingTrial
from diptych.benchmark.trial import Trial, measure, timed_block, warm_up
from diptych.config import parse_config
from diptych.data.opening import open_corpus
from diptych.data.tokens.vocabulary import EOS
from diptych.panel import TrainingPanel
from diptych.runs.run import Run

Parameters = Mapping[str, npt.NDArray[Any]]

# The bias of eos in a model that has not been trained: so small that no search takes it.
NEVER = -100.0


def training_speed(panel: TrainingPanel, folder: str, blocks: int = 6, steps: int = 10) -> dict[str, Any]:
    """Time blocks of training steps, all of the same batches, after one block of warm-up.

    Every block's batches come twice, in turn: with dropout masks made beside the training, as it is done, and with
    masks that were there before; the difference is what shared randomness costs.

    Args:
        panel: a backend's module.
        folder: a run's folder.
        blocks: how many blocks are timed.
        steps: how many steps a block has.

    Returns:
        For each block its target tokens, and its seconds with masks `made` and with masks `ready`; and what one block
        of warm-up took, what is compiled and chosen included.
    """
    run = Run.open(folder)
    trial = TrainingTrial(panel, run, run.build(panel, run.initial_parameters()), steps)
    warm = warm_up(trial)
    timed = []
    kinds = {"made": trial.block, "ready": trial.block_with_masks_ready}
    for block in range(blocks):
        order = list(kinds) if block % 2 else list(reversed(kinds))  # whichever comes first is slower
        timed.append({"target_tokens": trial.counts["target_tokens"]} | {kind: kinds[kind]() for kind in order})
    return {"blocks": timed, **warm, **trial.details(), **_told_by(panel)}


def decoding_speed(
    panel: TrainingPanel, folder: str, beam_size: int = 1, blocks: int = 3, batches: int = 0
) -> dict[str, Any]:
    """Time passes over a run's test sentences, after one pass of warm-up.

    With the best checkpoint where the run is trained, by whichever backend. Where it is not, with the initial weights:
    each translation then has the length of the reference.

    Args:
        panel: a backend's module.
        folder: a run's folder.
        beam_size: 1 for greedy search.
        blocks: how many passes are timed.
        batches: only so many batches, evenly spaced in the order of their length; 0: all.

    Returns:
        For each block its sentences, target tokens and seconds; what one pass of warm-up took; who ends the
        translations.
    """
    run = Run.open(folder)
    trained = run.trained_backends()
    parameters = run.read_checkpoint(trained[0]).parameters if trained else endless_parameters(run)
    model = run.build(panel, parameters)
    trial = DecodingTrial(panel, run, model, open_corpus(run.config.data).test, beam_size, batches, ends=bool(trained))
    warm = warm_up(trial)
    timed = [timed_block(trial) for _ in range(blocks)]
    return {"blocks": timed, **warm, **trial.details(), **_told_by(panel)}


def speeds(
    panel: TrainingPanel,
    folder: str,
    config: Mapping[str, Any],
    beam_sizes: Sequence[int],
    steps: int,
    batches: int,
    blocks: int,
    seconds: float,
    started: float,
) -> dict[str, Any]:
    """Measure decoding and training in turn, each beside its own ceiling, from initial weights.

    Args:
        panel: a backend's module.
        folder: a run's folder: its corpus and vocabularies.
        config: what to measure: a run's config as JSON values, in place of that run's own.
        beam_sizes: of each search, from small to large.
        steps: training steps of a block.
        batches: decoded batches of a block.
        blocks: the most blocks of each.
        seconds: so much measured time is enough for each.
        started: the time at which this process was asked for.

    Returns:
        `trials`, see `diptych.benchmark.trial.measure`, by name: "greedy", "beam 5" and so on, "training"; and
        `startup_seconds`, from the start of this process to a model that is ready.
    """
    run = replace(Run.open(folder), config=parse_config(dict(config)))
    model = run.build(panel, endless_parameters(run))
    startup_seconds = time.time() - started
    test = list(open_corpus(run.config.data).test)
    trials: dict[str, Trial] = {
        search_name(size): DecodingTrial(panel, run, model, test, size, batches, ends=False) for size in beam_sizes
    }
    trials["training"] = TrainingTrial(panel, run, model, steps)
    found = measure(panel, trials, run.config.training.precision, blocks, seconds)
    return {"trials": found, "startup_seconds": startup_seconds, **_told_by(panel)}


def search_name(beam_size: int) -> str:
    """What a search is called."""
    return f"beam {beam_size}" if beam_size > 1 else "greedy"


def endless_parameters(run: Run) -> Parameters:
    """Initial weights, but for a model that never ends a sentence."""
    parameters = run.initial_parameters()
    bias = parameters["output_layer.bias"].copy()
    bias[EOS] = NEVER
    return {**parameters, "output_layer.bias": bias}


def _told_by(panel: TrainingPanel) -> dict[str, Any]:
    """What a panel says of itself: its versions, and what it chose by measuring."""
    return {"versions": panel.versions(), "choices": panel.choices()}
