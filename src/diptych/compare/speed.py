"""How fast one panel trains; runs in that panel's own process."""

from __future__ import annotations

import time
from itertools import islice
from types import ModuleType
from typing import Any

from diptych.data.batches import encode_pairs
from diptych.runs import Run
from diptych.training.schedule import Place, schedule


def training_speed(panel: ModuleType, folder: str, blocks: int = 6, steps: int = 10) -> dict[str, Any]:
    """Time blocks of training steps, after one block of warm-up.

    Every block's batches come twice, in turn: with dropout masks made beside the training, as it is done, and with
    masks that were there before; the difference is what shared randomness costs.

    Args:
        panel: a backend's module.
        folder: a run's folder.
        blocks: how many blocks are timed.
        steps: how many steps a block has.

    Returns:
        For each block its target tokens, and its seconds with masks `made` and with masks `ready`.
    """
    run = Run.open(folder)
    config = run.config
    sizes = len(run.source_vocabulary), len(run.target_vocabulary)
    model = panel.Model(config.model, *sizes, config.training.precision)
    panel.load_parameters(model, run.initial_parameters())
    training = panel.TrainingStep(model, config.training)
    languages = run.source_tokenizer, run.source_vocabulary, run.target_tokenizer, run.target_vocabulary
    pairs = encode_pairs(run.corpus().train, *languages, config.data.maximum_length)

    def train(works: Any) -> tuple[float, int]:
        tokens, mark = 0, time.perf_counter()
        for work in works:
            training.step(work.batch, work.masks, config.training.learning_rate)
            tokens += work.batch.target_tokens
        return time.perf_counter() - mark, tokens

    train(schedule(pairs, config, Place(), steps))
    timed = []
    for block in range(1, blocks + 1):
        place = Place(step=block * steps, position=block * steps)
        ready = list(islice(schedule(pairs, config, place, steps), steps))
        seconds, tokens = {}, 0
        for kind in ("made", "ready") if block % 2 else ("ready", "made"):  # whichever comes first is slower
            works = schedule(pairs, config, place, steps) if kind == "made" else ready
            seconds[kind], tokens = train(works)
        timed.append({"target_tokens": tokens, **seconds})
    return {"blocks": timed, "versions": panel.versions()}
