"""One framework in a process that stays: a line of JSON in for each sentence, a line of JSON back.

    first back   {"ready": {"versions": {...}, "precision": "float32", "trained_in": "pytorch"}}
                 or {"failed": {"kind": "CheckpointError", "message": "..."}}, and the process ends
    in           {"sentence": "I feel hungry", "row": 0, "search": {"beam_size": 4, ...}, "seconds": 20.0}
    back         {"translation": {...}} or {"error": {"kind": "TimeLimitError", "message": "..."}}

The process ends when its standard input does, so it never outlives the server.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import signal
import sys
import time
from typing import Any, BinaryIO

import numpy as np

from diptych.config import SearchConfig
from diptych.errors import DiptychError
from diptych.runs.run import Run
from diptych.search import Stepper
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

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Load the model, see `Translator`, and search with it once, so that the first sentence is as quick as any."""
        super().__init__(*arguments, **options)
        self._bounded = self._stepper = BoundedStepper(self._stepper)
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


def answer(translator: BoundedTranslator, job: dict[str, Any]) -> dict[str, Any]:
    """Translate a job's sentence, or say why not."""
    try:
        started = time.perf_counter()
        search = SearchConfig.model_validate(job["search"])
        translation = translator.translate_within(job["sentence"], job["row"], search, job["seconds"])
        return {"translation": to_json(translation, 1000.0 * (time.perf_counter() - started))}
    except Exception as error:
        return {"error": _explain(error)}


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
        "attention": attention.astype(np.float64).round(6).tolist() if drawn else None,
        "milliseconds": round(milliseconds, 3),
    }


def _explain(error: Exception) -> dict[str, str]:
    """An error as JSON: Diptych's own say everything themselves."""
    kind = type(error).__name__
    return {"kind": kind, "message": str(error) if isinstance(error, DiptychError) else f"{kind}: {error}"}


def serve(request: dict[str, Any], questions: BinaryIO, answers: BinaryIO) -> int:
    """Load the model, say so, and answer line after line until there are no more."""

    def say(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message, allow_nan=False).encode("ascii") + b"\n")
        answers.flush()

    backend = request["backend"]
    try:
        run = Run.open(request["run"])
        translator = BoundedTranslator(run, backend, threads=request["threads"], device=request["device"])
        versions = importlib.import_module(f"diptych.{backend}").versions()  # the translator has imported it
    except Exception as error:
        say({"failed": _explain(error)})
        return 1
    precision = "float64" if backend == "reference" else run.config.training.precision
    say({"ready": {"versions": versions, "precision": precision, "trained_in": translator.trained_in}})
    for line in questions:
        say(answer(translator, json.loads(line)))
    return 0


def main() -> int:
    """Serve on standard input and output. Whatever else a framework prints goes to standard error."""
    # Ctrl-C, and a service manager's SIGTERM, reach every process of the group: the server decides when this one ends.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        return serve(json.loads(sys.argv[1]), sys.stdin.buffer, answers)
    except BrokenPipeError:  # the server has gone
        return 1


if __name__ == "__main__":
    sys.exit(main())
