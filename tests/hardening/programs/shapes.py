"""Trains and translates batches of ever new shapes with one framework, and tells what memory and files it takes.

    python shapes.py BACKEND SHAPES

A line of JSON at the end: megabytes and open files after a fifth of the shapes and after all, and how many
graphs TensorFlow traced between the two.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from trials.growth import used
from trials.tracing import traced_graphs

from diptych.config import ModelConfig, TrainingConfig
from diptych.data.tokens.batches import BOS, EOS, Batch
from diptych.panel import load
from diptych.parameters.initialization import initial_parameters

WORDS = 12


def batch(random: np.random.Generator) -> Batch:
    """One to nine pairs of one to thirty tokens each."""
    rows = int(random.integers(1, 10))
    lengths = random.integers(1, 31, (2, rows)).astype(np.int32)
    source, output = (np.zeros((rows, longest), np.int32) for longest in lengths.max(1))
    given = np.zeros_like(output)
    for row in range(rows):
        read, said = (random.integers(4, WORDS, count) for count in lengths[:, row])
        source[row, : len(read)] = read
        given[row, : len(said)] = [BOS, *said[:-1]]
        output[row, : len(said)] = [*said[:-1], EOS]
    return Batch(source, lengths[0], given, output, lengths[1], np.arange(rows, dtype=np.int32))


def main(backend: str, shapes: int) -> None:
    """Train on them all, and translate every tenth."""
    panel: Any = load(backend, threads=1, device="cpu")
    traced_graphs(count=backend == "tensorflow")
    config = ModelConfig(embedding_size=4, encoder_size=3, decoder_size=6, dropout=0.0)
    model = panel.Model(config, WORDS, WORDS)
    panel.load_parameters(model, initial_parameters(config, WORDS, WORDS, 1))
    training, stepper = panel.TrainingStep(model, TrainingConfig()), panel.Stepper(model)
    random, before, traced = np.random.default_rng(1), (0.0, 0), 0
    for number in range(shapes):
        given = batch(random)
        training.step(given, {}, 1e-4)
        if number % 10 == 0:
            state = stepper.start(given.source, given.source_lengths)
            stepper.step(state, np.full(len(given.rows), BOS, np.int32))
        if number == shapes // 5:
            before, traced = used(), traced_graphs()
    told = {"before": before, "after": used(), "traced": traced_graphs() - traced}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
