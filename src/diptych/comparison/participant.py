"""What each backend does in a comparison, in its own process: train, translate, and measure both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

from diptych.benchmark.ceiling import Ceiling
from diptych.benchmark.training_trial import TrainingTrial
from diptych.panel import TrainingPanel
from diptych.processes.machine import peak_memory
from diptych.runs.progress import make_reporter
from diptych.runs.run import Run
from diptych.training.loop import TrainingReport, train
from diptych.translation.translation import Translation
from diptych.translation.translator import Translator, load

# Decoding is timed over whole passes, as many as fit into this time, at least one and at most so many.
SECONDS, PASSES = 3.0, 5
# Training's spread is that of the speeds of so many blocks of steps.
BLOCKS = 20
# The ceiling is that of so many batches, from short to long; each of their products is timed so often.
CEILING_STEPS, CEILING_ROUNDS = 5, 5


def train_and_translate(
    panel: TrainingPanel,
    folder: str,
    backend: str,
    sentences: Sequence[str],
    examples: Sequence[str],
    threads: int,
    device: str,
    quiet: bool,
    tensorboard: bool,
    quick: bool,
    started: float,
    trained: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Train a run with a backend from its beginning and translate with the best checkpoint.

    Args:
        panel: the backend's panel.
        folder: the run's.
        backend: its name.
        sentences: what is translated, and decoding speed measured on.
        examples: what is translated only to be shown.
        threads: how many the backend uses.
        device: "auto", "cpu" or "cuda".
        quiet: whether to show no progress.
        tensorboard: whether to write for TensorBoard too.
        quick: whether to measure decoding and the ceiling only once.
        started: the time at which this process was asked for.
        trained: the report of workers that have trained the run already; None: it is trained here.

    Returns:
        Measurements, and the translations with their attention as arrays (T, S).
    """
    run = Run.open(folder)
    startup_seconds = _startup_seconds(panel, run, started)
    reporter = make_reporter(quiet)
    options: dict[str, Any] = {"threads": threads, "device": device, "tensorboard": tensorboard}
    if trained is None:
        report = train(run, backend, reporter=reporter, measure_gaps=True, **options)
    else:
        report = TrainingReport(**trained)
    if report.interrupted:
        raise KeyboardInterrupt
    translator = load(run, backend, threads=threads, device=device)
    translations = translator.translate(sentences)
    shown = translator.translate(examples)
    memory = peak_memory()  # before what is only measured
    passes = decoding_seconds(translator, sentences, 1 if quick else PASSES)
    decoding_speeds = [len(sentences) / seconds for seconds in passes]
    return {
        "versions": panel.versions(),
        "training": _training(report) | {"speeds": block_speeds(run.read_metrics(backend))},
        "startup_seconds": startup_seconds,
        "compile_seconds": _compile_seconds(run, report),
        "decoding": {"sentences_per_second": statistics.median(decoding_speeds), "speeds": decoding_speeds},
        "memory": {"peak_rss_bytes": memory},
        "ceiling": {"target_tokens_per_second": _ceiling(panel, run, 1 if quick else CEILING_ROUNDS)},
        "dropped": report.dropped,
        "translations": [_translation(each) for each in translations],
        "examples": [_translation(each) for each in shown],
    }


def _startup_seconds(panel: TrainingPanel, run: Run, started: float) -> float:
    """From the start of this process to a model that is ready: Python, the framework's import, the model."""
    run.build(panel)
    return time.time() - started


def _training(report: TrainingReport) -> dict[str, Any]:
    return {
        "seconds": report.seconds,
        "steps": report.steps,
        "epochs": report.epochs,
        "target_tokens_per_second": report.target_tokens_per_second,
        "final_loss": report.losses[-1],
        "best_validation_loss": report.best_validation_loss,
        "best_step": report.best_step,
        "losses": report.losses,
        "validation_losses": [list(pair) for pair in report.validation_losses],
    }


def _compile_seconds(run: Run, report: TrainingReport) -> float:
    """How much longer the first step took than a typical one."""
    seconds = [line["seconds"] for line in run.read_metrics(report.backend) if "seconds" in line]
    typical = statistics.median(seconds[1:]) if len(seconds) > 1 else 0.0
    return max(0.0, report.compile_seconds - typical)


def block_speeds(metrics: Sequence[Mapping[str, Any]]) -> list[float]:
    """Target tokens per second in blocks of steps, from the lines of metrics.jsonl; the first step is in none."""
    steps = [line for line in metrics if "loss" in line][1:]
    size = max(1, -(-len(steps) // BLOCKS))
    blocks = [steps[start : start + size] for start in range(0, len(steps), size)]
    if len(blocks) > 1 and len(blocks[-1]) < size / 2:
        blocks.pop()  # a rest so short says little
    return [sum(line["target_tokens"] for line in block) / sum(line["seconds"] for line in block) for block in blocks]


def decoding_seconds(translator: Translator, sentences: Sequence[str], most: int) -> list[float]:
    """The time of each pass over all sentences; a pass before them has compiled what there is to compile."""
    passes: list[float] = []
    while len(passes) < most and sum(passes) < SECONDS:
        start = time.perf_counter()
        translator.translate(sentences)
        passes.append(time.perf_counter() - start)
    return passes


def _ceiling(panel: TrainingPanel, run: Run, rounds: int) -> float:
    """How many target tokens a second training's matrix products alone would allow, in this process."""
    trial = TrainingTrial(panel, run, model=None, steps=CEILING_STEPS)
    ceiling = Ceiling(panel, trial.typical(), run.config.training.arithmetic)
    for _ in range(rounds):
        ceiling.measure()
    return float(trial.counts["target_tokens"] / ceiling.seconds(trial.products()))


def _translation(translation: Translation) -> dict[str, Any]:
    return {
        "text": translation.text,
        "source_tokens": translation.source_tokens,
        "tokens": translation.tokens,
        "log_probability": translation.log_probability,
        "attention": translation.attention,
    }
