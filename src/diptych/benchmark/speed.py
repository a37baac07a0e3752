"""How fast one panel trains and decodes; runs in that panel's own process."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy.typing as npt

from diptych.benchmark.decoding_trial import DecodingTrial
from diptych.benchmark.training_trial import TrainingTrial
from diptych.benchmark.trial import Trial, measure
from diptych.config import parse_config
from diptych.data.opening import open_corpus
from diptych.data.tokens.vocabulary import EOS
from diptych.panel import TrainingPanel
from diptych.runs.run import Run

Parameters = Mapping[str, npt.NDArray[Any]]

# The bias of eos in a model that has not been trained: so small that no search takes it.
NEVER = -100.0


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
        search_name(size): DecodingTrial(
            panel, run, model=model, test=test, beam_size=size, batches=batches, ends=False
        )
        for size in beam_sizes
    }
    trials["training"] = TrainingTrial(panel, run, model=model, steps=steps)
    measured = measure(panel, trials, precision=run.config.training.arithmetic, blocks=blocks, seconds=seconds)
    return {"trials": measured, "startup_seconds": startup_seconds, **told_by(panel)}


def search_name(beam_size: int) -> str:
    """What a search is called."""
    return f"beam {beam_size}" if beam_size > 1 else "greedy"


def endless_parameters(run: Run) -> Parameters:
    """Initial weights, but for a model that never ends a sentence."""
    parameters = run.initial_parameters()
    bias = parameters["output_layer.bias"].copy()
    bias[EOS] = NEVER
    return {**parameters, "output_layer.bias": bias}


def told_by(panel: TrainingPanel) -> dict[str, Any]:
    """What a panel says of itself: its versions, and what it chose by measuring."""
    return {"versions": panel.versions(), "choices": panel.choices()}
