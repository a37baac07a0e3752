"""A training's numbers and attention maps, as TensorBoard shows them (`tensorboard --logdir RUN/tensorboard`).

Each backend writes into a folder of its own under one log directory, with the same tags, so that their curves lie in
the same charts. Nothing here needs either framework.
"""

from __future__ import annotations

import importlib.util
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from diptych.data.tokens.batches import collate
from diptych.data.tokens.encoded import EncodedPairs
from diptych.data.tokens.vocabulary import UNK
from diptych.errors import UsageError
from diptych.plots import attention_png
from diptych.runs.run import Run
from diptych.search import Stepper, greedy

TENSORBOARD = "tensorboard"
"""The log directory in a run's folder."""
PICTURES = 2
"""Of how many validation sentences there is an attention map."""
SCALARS = ("loss", "gradient_norm", "learning_rate", "validation_loss", "bleu", "chrf", "exact_match")


def check_installed() -> None:
    """Refuse before anything is done.

    Raises:
        UsageError: the package tensorboard is not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise UsageError("--tensorboard needs a package that is not here: pip install 'diptych[tensorboard]'")


class TensorBoardLog:
    """Writes event files for one backend of a run."""

    def __init__(self, folder: Path, step: int) -> None:
        """Go on after so many steps; TensorBoard forgets what an earlier training wrote from there on.

        Args:
            folder: the backend's, made if need be.
            step: where training begins or goes on.
        """
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event, self._summary = Event, Summary
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads the files of a folder in the order of their names. Its own writer would load TensorFlow.
        self._writer = RecordWriter((folder / f"events.out.tfevents.{time.time():.6f}").open("xb"))
        self._add(0, file_version="brain.Event:2")
        self._add(step + 1, session_log=SessionLog(status=SessionLog.START))

    def scalars(self, line: Mapping[str, Any]) -> None:
        """Add what a line of metrics.jsonl tells of its step."""
        values = [self._summary.Value(tag=tag, simple_value=line[tag]) for tag in SCALARS if tag in line]
        self._add(line["step"], summary=self._summary(value=values))

    def picture(self, tag: str, png: bytes, step: int) -> None:
        """Add a PNG."""
        width, height = struct.unpack(">II", png[16:24])
        image = self._summary.Image(width=width, height=height, colorspace=4, encoded_image_string=png)
        self._add(step, summary=self._summary(value=[self._summary.Value(tag=tag, image=image)]))

    def flush(self) -> None:
        """Make what was added readable."""
        self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()

    def _add(self, step: int, **what: Any) -> None:
        self._writer.write(self._event(wall_time=time.time(), step=step, **what).SerializeToString())


def attention_pictures(stepper: Stepper, pairs: EncodedPairs, run: Run) -> dict[str, bytes]:
    """The attention maps of the first sentences' greedy translations as PNG, by name; none without attention."""
    batch = collate(pairs, np.arange(min(PICTURES, len(pairs)), dtype=np.int32))
    hypotheses = greedy(
        stepper, batch.source, batch.source_lengths, maximum_lengths=run.longest_translations(batch.source_lengths)
    )
    pictures = {}
    for row, (hypothesis, length) in enumerate(zip(hypotheses, batch.source_lengths, strict=True)):
        if hypothesis.attention.any():
            ids, size = batch.source[row, :length], len(run.source_vocabulary)
            source = run.source_vocabulary.decode(np.where(ids < size, ids, UNK))  # what a model copies has no entry
            maps = {"": (run.target.decode(hypothesis.tokens, source), hypothesis.attention)}
            pictures[f"attention/{row + 1}"] = attention_png(source, maps)
    return pictures
