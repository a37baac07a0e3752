"""What a run's translations are compared with: another run's, or a file of somebody else's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.data.corpus.lines import read_lines
from diptych.data.pairs import Pair
from diptych.errors import DataError
from diptych.evaluation.part import Part, read_part
from diptych.exported.folder import ONNX_RUNTIME, default_backend, is_export
from diptych.runs.run import Run
from diptych.translation.members import Member
from diptych.translation.members.remote import MemberProcess
from diptych.translation.translator import Translator, load


@dataclass(frozen=True)
class Rival:
    """What a run is compared with: another run, or a file of translations.

    Attributes:
        path: a run's folder, or a file.
        backend, checkpoint, threads, device: how a run translates, see `diptych.load`.
    """

    path: Path
    backend: str
    checkpoint: str
    threads: int | None
    device: str

    @classmethod
    def of(
        cls, path: Path, backend: str | None, other: str, checkpoint: str, threads: int | None, device: str
    ) -> Rival:
        """A rival of what translates with `other`: in the same, or where one of the two is an export each as it is.

        Args:
            path: a run's folder, an export's, or a file.
            backend: how it translates; None if nobody said.
            other: how that translates which it is compared with.
            checkpoint: of a run; an export has one.
            threads, device: see `diptych.load`.
        """
        usual = default_backend(path)
        same = other if ONNX_RUNTIME not in (other, usual) else usual
        return cls(path, backend or same, "best" if is_export(path) else checkpoint, threads, device)

    def translate(
        self, run: Run, pairs: Sequence[Pair], *, part: Part, search: Mapping[str, Any], loaded: str | None
    ) -> list[str]:
        """Its translations of the same part.

        Args:
            run: the run that it is compared with.
            pairs: the pairs of the part, of that run.
            part: the part of the corpus.
            search: keys of `SearchConfig` that replace the rival's own.
            loaded: the backend that this process has loaded: two frameworks do not share one, so another's
                translations are made in a process of its own; ONNX Runtime shares one with either.

        Raises:
            DataError: the references are not the same.
            BackendError: the other process failed or ended.
        """
        if not self.path.is_dir():
            return read_hypotheses(self.path, len(pairs))
        rival = Run.open(self.path)
        own = read_part(rival, part)
        check_same_references(pairs, own, (str(run.folder), str(rival.folder)))
        sources = [source for source, _ in own]
        if loaded in (None, self.backend) or ONNX_RUNTIME in (loaded, self.backend):
            translator = load(rival, self.backend, self.checkpoint, threads=self.threads, device=self.device)
            return [each.text for each in translator.translate(sources, **search)]
        with closing(MemberProcess(self.backend)) as process:
            process.ask_to_load(Member(rival, self.backend, self.checkpoint), self.threads, device=self.device)
            translator = Translator(rival, process.loaded(), self.backend)
            return [each.text for each in translator.translate(sources, **search)]


def read_hypotheses(path: Path, sentences: int) -> list[str]:
    """Somebody's translations, one a line.

    Raises:
        DataError: the file cannot be read, or has another number of lines than there are sentences.
    """
    lines = read_lines(path)
    if len(lines) != sentences:
        raise DataError(
            f"{path} has {len(lines)} lines, expected {sentences}: one translation for each sentence of the part, "
            f"in its order; an empty line stands for an empty translation"
        )
    return lines


def check_same_references(one: Sequence[Pair], other: Sequence[Pair], names: tuple[str, str]) -> None:
    """Refuse to compare two systems on different texts.

    Raises:
        DataError: their references differ; the message names the first place.
    """
    if len(one) != len(other):
        raise DataError(
            f"{names[0]} has {len(one)} pairs in this part and {names[1]} has {len(other)}: two systems are compared "
            f"on the same references; give runs of the same corpus and seed, or the translations as a file"
        )
    for number, ((_, first), (_, second)) in enumerate(zip(one, other, strict=True), 1):
        if first != second:
            raise DataError(
                f"the references of {names[0]} and {names[1]} differ from pair {number} on ({first[:40]!r} and "
                f"{second[:40]!r}): give runs of the same corpus and seed, or the translations as a file"
            )
