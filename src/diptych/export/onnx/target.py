"""ONNX files of a model: written, opened in ONNX Runtime, and compared with the reference."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from diptych.errors import BackendError, RefusalError
from diptych.export.certificate import Check
from diptych.export.onnx.decoder import decoder_file
from diptych.export.onnx.encoder import encoder_file
from diptych.export.onnx.greedy import greedy_file
from diptych.export.onnx.names import DECODER, ENCODER, GREEDY, IDS, LENGTHS
from diptych.export.onnx.products import ModelWriter
from diptych.export.trained import Trained
from diptych.export.trial import Trial, compare, compare_searches, outputs
from diptych.exported import runtime
from diptych.exported.stepper import Stepper
from diptych.onnx.message import Message
from diptych.search import greedy
from diptych.search.finding import ROOM

LARGEST = (1 << 31) - 1  # bytes of a protocol buffer


@dataclass(frozen=True)
class OnnxTarget:
    """The files of `diptych.export.onnx.names`.

    Attributes:
        int8: whether weights, and the products of a step, are in int8.
        whole: "greedy" for the one graph that searches, too; "" for none.
        threads: of the runtime.
    """

    int8: bool = False
    whole: str = ""
    threads: int | None = None

    @property
    def precision(self) -> str:
        """In which weights are written."""
        return "int8" if self.int8 else "float32"

    def check_installed(self) -> None:
        """Refuse where what certifies the files is missing.

        Raises:
            BackendError: with the one command that installs it.
        """
        if not runtime.is_installed():
            raise BackendError(f"an ONNX file is certified by onnxruntime, not installed here: {runtime.INSTALL}")

    def build(self, trained: Trained, folder: Path) -> tuple[list[Check], dict[str, str]]:
        """Write the files and compare what the runtime computes with the reference: the checks, the versions."""
        self.write(trained, folder)
        return self.certify(trained, folder), runtime.versions()

    def write(self, trained: Trained, folder: Path) -> None:
        """Write the files.

        Raises:
            RefusalError: one would be larger than an ONNX file can be.
        """
        config, weights = trained.run.config.model, trained.parameters
        _save(folder / ENCODER, encoder_file(self._writer(weights), config))
        _save(folder / DECODER, decoder_file(self._writer(weights), config, trained.sizes[1]))
        if self.whole:
            _save(folder / GREEDY, greedy_file(self._writer(weights), config, finer=trained.run.finer, room=ROOM))

    def certify(self, trained: Trained, folder: Path) -> list[Check]:
        """What the runtime makes of the files, beside the reference in float64."""
        who = f"ONNX Runtime in {'int8' if self.int8 else 'float32'}"
        stepper, trial = Stepper(folder, self.threads, "cpu"), Trial.of(trained)
        expected = outputs(trained.reference(), trial)
        found = outputs(stepper, trial)
        checks = compare(f"a batch of four lengths, {who}", found, expected, int8=self.int8)
        for one in trial.rows():
            whole = outputs(trained.reference(), one)
            what = f"a batch of one, {int(one.lengths[0])} tokens, {who}"
            checks += compare(what, outputs(stepper, one), whole, int8=self.int8)
        if not self.int8:
            error = float(np.abs(found["log_probabilities"] - expected["log_probabilities"]).max())
            checks += compare_searches(who, trained, stepper=stepper, error=error)
        if self.whole:
            # In int8 a batch is quantised together, those that have ended with it: only single sentences are the same.
            trials = trial.rows() if self.int8 else [trial, *trial.rows()]
            checks.append(_whole(trained, folder, stepper=stepper, trials=trials, threads=self.threads))
        return checks

    @contextmanager
    def systems(self, trained: Trained, folder: Path) -> Iterator[Mapping[str, Stepper]]:
        """What translates for the scores, by name; beside int8 the same in float32."""
        if not self.int8:
            yield {"onnxruntime": Stepper(folder, self.threads, "cpu")}
            return
        with tempfile.TemporaryDirectory(prefix="diptych-") as other:
            replace(self, int8=False, whole="").write(trained, Path(other))
            yield {
                "onnxruntime, int8": Stepper(folder, self.threads, "cpu"),
                "onnxruntime, float32": Stepper(Path(other), self.threads, "cpu"),
            }

    def _writer(self, weights: dict[str, Any]) -> ModelWriter:
        return ModelWriter(weights, int8=self.int8)


def _whole(trained: Trained, folder: Path, stepper: Stepper, trials: Sequence[Trial], threads: int | None) -> Check:
    """The graph that searches says what the search says with the two others."""
    graph = runtime.session(folder / GREEDY, threads, "cpu")
    wrong, count = [], 0
    for trial in trials:
        feeds = {IDS: trial.source.astype(np.int64), LENGTHS: trial.lengths.astype(np.int64)}
        (said,) = graph.run(None, feeds)
        longest = trained.run.longest_translations(trial.lengths)
        for row, each in enumerate(
            greedy(stepper, trial.source, source_lengths=trial.lengths, maximum_lengths=longest)
        ):
            tokens = said[row].tolist()
            if tokens != [*each.tokens, *[0] * (len(tokens) - len(each.tokens))]:
                wrong.append(count)
            count += 1
    what = f"{GREEDY} and greedy search over the two others: sentences of {count} that differ"
    return Check(what, float(len(wrong)), limit=0.0, where=f"sentence {wrong[0]}" if wrong else "")


def _save(path: Path, message: Message) -> None:
    if message.size > LARGEST:
        raise RefusalError(
            f"{path.name} would have {message.size:,} bytes, and an ONNX file has at most {LARGEST:,}: export a "
            f"smaller model, or with --int8"
        )
    with path.open("wb") as file:
        file.writelines(message.pieces())
