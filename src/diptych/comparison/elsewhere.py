"""ONNX Runtime beside the frameworks: a run's weights exported, its test part translated with them, and measured."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diptych.comparison.participant import PASSES, decoding_seconds
from diptych.data.tokens.vocabulary import EOS
from diptych.errors import DiptychError
from diptych.export.onnx.target import OnnxTarget
from diptych.export.trained import Trained
from diptych.export.trial import Trial, is_tie, outputs
from diptych.exported import runtime
from diptych.exported.folder import ONNX_RUNTIME
from diptych.exported.stepper import Stepper
from diptych.panel import Panel
from diptych.processes.call import call
from diptych.processes.machine import peak_memory
from diptych.runs.run import Run
from diptych.translation.translator import Translator

WEIGHTS_OF = "pytorch"
"""Whose best checkpoint it translates with, and whose translations it is held against."""


def decode_elsewhere(
    run: Run, sentences: Sequence[str], said: Sequence[Sequence[str]], threads: int, device: str, quick: bool
) -> dict[str, Any] | None:
    """What ONNX Runtime makes of a run, in a process of its own, which holds neither framework.

    Args:
        run: trained in `WEIGHTS_OF`.
        sentences: what is translated, and decoding speed measured on.
        said: the tokens of that backend's translations.
        threads: how many it uses.
        device: "auto", "cpu" or "cuda".
        quick: whether to measure decoding only once.

    Returns:
        What `translate_exported` tells; {"missing": why} where it failed; None where it is not installed.
    """
    if not runtime.is_installed():
        return None
    arguments = {
        "folder": str(run.folder),
        "sentences": list(sentences),
        "said": [list(tokens) for tokens in said],
        "threads": threads,
        "device": device,
        "quick": quick,
        "started": time.time(),
    }
    try:
        return call("reference", f"{__name__}:translate_exported", arguments=arguments, threads=threads, device="cpu")
    except DiptychError as error:  # two trainings stand: they are not lost for it
        return {"missing": str(error)}


def translate_exported(
    panel: Panel, folder: str, sentences: Sequence[str], said: Sequence[Sequence[str]], threads: int, device: str,
    quick: bool, started: float,
) -> dict[str, Any]:  # fmt: skip
    """Translate with an export, see `decode_elsewhere`; runs in a process of its own, whose panel is NumPy's.

    Returns:
        `version`, measurements as a backend's, `texts`, and `agreement`: of how many `sentences` the tokens are
        `equal`, and how many of the others are `ties`, which the reference in float64 finds equally good.
    """
    run = Run.open(folder)
    trained = Trained.open(run, WEIGHTS_OF)
    before = time.time() - started
    with tempfile.TemporaryDirectory(prefix="diptych-") as name:
        OnnxTarget(threads=threads).write(trained, Path(name))
        mark = time.time()
        stepper = Stepper(Path(name), threads, device)
        startup_seconds = before + time.time() - mark
    translator = Translator(run, stepper, ONNX_RUNTIME, trained_in=WEIGHTS_OF)
    translations = translator.translate(sentences)
    memory = peak_memory()
    speeds = [len(sentences) / seconds for seconds in decoding_seconds(translator, sentences, 1 if quick else PASSES)]
    tokens = [each.tokens for each in translations]
    differing = [row for row, each in enumerate(tokens) if list(each) != list(said[row])]
    return {
        "version": runtime.versions()[ONNX_RUNTIME],
        "weights_of": WEIGHTS_OF,
        "startup_seconds": startup_seconds,
        "memory": {"peak_rss_bytes": memory},
        "decoding": {"sentences_per_second": statistics.median(speeds), "speeds": speeds},
        "agreement": {
            "sentences": len(sentences),
            "equal": len(sentences) - len(differing),
            "ties": _ties(trained, stepper, [(sentences[row], tokens[row], said[row]) for row in differing]),
        },
        "texts": [each.text for each in translations],
    }


def _ties(trained: Trained, stepper: Stepper, pairs: Sequence[tuple[str, Sequence[str], Sequence[str]]]) -> int:
    """How many of such sentences with two translations are ties, up to what the runtime was measured to be off."""
    if not pairs:
        return 0
    run, trial = trained.run, Trial.of(trained)
    found, expected = (outputs(each, trial)["log_probabilities"] for each in (stepper, trained.reference()))
    error = float(np.abs(found - expected).max())
    ids = run.source_vocabulary.encode
    return sum(
        is_tie(
            trained,
            ids(run.source_tokenizer.tokenize(line)),
            ours=_ids(run, ours),
            theirs=_ids(run, theirs),
            error=error,
        )
        for line, ours, theirs in pairs
    )


def _ids(run: Run, tokens: Sequence[str]) -> list[int]:
    """The ids of a translation's tokens, the end's included."""
    end = run.target_vocabulary.decode([EOS])
    ended = list(tokens[-1:]) == end
    return [*run.target_vocabulary.encode(tokens[: len(tokens) - ended]), *([EOS] if ended else [])]
