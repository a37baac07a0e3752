"""How fast ONNX Runtime decodes what would be exported to it; runs in a process that holds neither framework."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from diptych.benchmark.decoding_trial import DecodingTrial
from diptych.benchmark.speed import endless_parameters, search_name
from diptych.benchmark.trial import Trial, measure
from diptych.config import parse_config
from diptych.data.opening import open_corpus
from diptych.export.onnx.target import OnnxTarget
from diptych.export.trained import Trained
from diptych.exported import runtime, stepper
from diptych.panel import Panel
from diptych.runs.run import Run


@dataclass(frozen=True)
class Exported:
    """What makes steppers over the files of a folder."""

    folder: Path
    threads: int
    device: str

    def Stepper(self, model: None) -> stepper.Stepper:
        """Drives them; there is no model beside."""
        return stepper.Stepper(self.folder, self.threads, self.device)


def exported_speeds(
    panel: Panel,
    folder: str,
    config: Mapping[str, Any],
    beam_sizes: Sequence[int],
    batches: int,
    blocks: int,
    seconds: float,
    started: float,
    threads: int,
    device: str,
) -> dict[str, Any]:
    """Measure decoding in float32, from initial weights: what `diptych.benchmark.speed.speeds` does of it.

    Args:
        panel: NumPy's, which computes nothing here.
        folder: a run's folder: its corpus and vocabularies.
        config: what to measure: a run's config as JSON values, in place of that run's own.
        beam_sizes: of each search, from small to large.
        batches: decoded batches of a block.
        blocks: the most blocks of each.
        seconds: so much measured time is enough for each.
        started: the time at which this process was asked for.
        threads: how many the runtime uses.
        device: "auto", "cpu" or "cuda".

    Returns:
        As `speeds`, without "training" and without ceilings; writing the files is in no time.
    """
    run = replace(Run.open(folder), config=parse_config(dict(config)))
    parameters = dict(endless_parameters(run))
    before = time.time() - started
    with tempfile.TemporaryDirectory(prefix="diptych-") as name:
        OnnxTarget(threads=threads).write(
            Trained(run, backend="", which="", parameters=parameters, state={}), Path(name)
        )
        exported = Exported(Path(name), threads, device)
        mark = time.time()
        exported.Stepper(None)
        startup_seconds = before + time.time() - mark
        test = list(open_corpus(run.config.data).test)
        trials: dict[str, Trial] = {
            search_name(size): DecodingTrial(
                exported, run, model=None, test=test, beam_size=size, batches=batches, ends=False
            )
            for size in beam_sizes
        }
        measured = measure(None, trials, precision="float32", blocks=blocks, seconds=seconds)
    return {"trials": measured, "startup_seconds": startup_seconds, "versions": runtime.versions(), "choices": {}}
