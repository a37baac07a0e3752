"""A translator of one sentence at a time, within its time: what the server asks in a framework's process."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from diptych.config import SearchConfig
from diptych.exported.folder import ONNX_RUNTIME, read_certificate
from diptych.runs.run import Run
from diptych.search import Stepper
from diptych.translation.members import load_model
from diptych.translation.translation import Translation
from diptych.translation.translator import Translator
from diptych.web.limits import Limits

LARGEST_MAP = Limits.attention_weights
WARMING_UP: tuple[dict[str, Any], ...] = ({}, {"beam_size": 2, "temperature": 0.0})


class TimeLimitError(Exception):
    """A translation took longer than it may."""


class BoundedStepper:
    """A stepper that stops a search at its deadline."""

    def __init__(self, stepper: Stepper) -> None:
        """Drive this stepper."""
        self.stepper = stepper
        self.deadline = math.inf

    def start(self, *request: Any) -> Any:
        """See `Stepper.start`."""
        return self.stepper.start(*request)

    def step(self, *request: Any) -> Any:
        """See `Stepper.step`.

        Raises:
            TimeLimitError: the deadline is past.
        """
        if time.monotonic() > self.deadline:
            raise TimeLimitError
        return self.stepper.step(*request)

    def reorder(self, *request: Any) -> Any:
        """See `Stepper.reorder`."""
        return self.stepper.reorder(*request)


class BoundedTranslator(Translator):
    """A translator of one sentence at a time, within a time limit.

    One at a time, so that a translation is the same, to the last bit of its score, whatever else is asked for.
    """

    def __init__(self, run: Run, backend: str, threads: int | None = None, device: str = "auto") -> None:
        """Load the run's best model and search with it once, so that the first sentence is as quick as any."""
        loaded = load_model(run, backend, threads=threads, device=device)
        self.panel, self._bounded = loaded.panel, BoundedStepper(loaded.stepper)
        super().__init__(run, self._bounded, backend, trained_in=loaded.trained_in)
        for overrides in WARMING_UP:
            self.translate(["a"], **overrides, maximum_length=4)

    def translate_within(self, sentence: str, row: int, search: SearchConfig, seconds: float) -> Translation:
        """Translate one sentence; its sample belongs to the row.

        Raises:
            TimeLimitError: it takes longer.
        """
        self._bounded.deadline = time.monotonic() + seconds
        try:
            return self.translate([sentence], search, first_row=row)[0]
        finally:
            self._bounded.deadline = math.inf


class Sentences:
    """What the process holds: a run's model in one framework, which answers in JSON."""

    def __init__(self, run: str, backend: str, threads: int | None, device: str) -> None:
        """Load the model, see `BoundedTranslator`."""
        self.translator = BoundedTranslator(Run.open(run), backend, threads=threads, device=device)

    def facts(self) -> dict[str, Any]:
        """What is told of this process: `versions`, `precision`, and in which framework its weights were trained."""
        translator = self.translator
        backend = translator.backend
        return {
            "versions": translator.panel.versions(),
            "precision": _precision(translator.run, backend),
            "trained_in": translator.trained_in,
        }

    def translate(self, sentence: str, row: int, search: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Translate one sentence, see `to_json`; {} where that takes longer than so many seconds."""
        started = time.perf_counter()
        try:
            translation = self.translator.translate_within(
                sentence, row, search=SearchConfig.model_validate(search), seconds=seconds
            )
        except TimeLimitError:
            return {}
        return to_json(translation, 1000.0 * (time.perf_counter() - started))


def _precision(run: Run, backend: str) -> str:
    if backend == ONNX_RUNTIME:  # exports of an older Diptych do not say it
        return str(read_certificate(run.folder).get("precision", "float32"))
    return "float64" if backend == "reference" else run.config.training.arithmetic


def to_json(translation: Translation, milliseconds: float) -> dict[str, Any]:
    """A translation as the API gives it; its attention is None where there is none, or the map would be too large."""
    attention = translation.attention
    drawn = 0 < attention.size <= LARGEST_MAP and bool(attention.any())
    alternatives = [{"text": each.text, "score": each.score} for each in translation.alternatives]
    return {
        "text": translation.text,
        "tokens": list(translation.tokens),
        "score": alternatives[0]["score"] if alternatives else translation.log_probability,
        "log_probability": translation.log_probability,
        "alternatives": alternatives,
        "doubts": list(translation.doubts),
        "attention": attention.astype(np.float64).round(6).tolist() if drawn else None,
        "milliseconds": round(milliseconds, 3),
    }
