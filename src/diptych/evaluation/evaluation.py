"""What `diptych evaluate` finds out: a run's translations of a part of its corpus, or a text of somebody else's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from diptych.data.corpus.lines import read_lines
from diptych.data.opening import open_corpus
from diptych.data.pairs import Pair
from diptych.data.tokens.encoded import encode_pairs
from diptych.data.tokens.vocabulary import EOS, UNK, Vocabulary
from diptych.errors import DataError
from diptych.evaluation.forced import Forced, forced
from diptych.runs.run import Run
from diptych.translation.members import Member
from diptych.translation.members.remote import MemberProcess
from diptych.translation.translation import Translation
from diptych.translation.translator import Translator

Part = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class UnknownWords:
    """How many tokens a run's vocabularies do not know, in percent.

    Attributes:
        source: of the sources.
        reference: of the references.
        said: of the translations: how often the model says "<unk>".
    """

    source: float
    reference: float
    said: float


def read_part(run: Run, part: Part) -> list[Pair]:
    """The pairs of one part of a run's corpus, read anew.

    Raises:
        DataError: the corpus cannot be read, or the part is empty.
    """
    pairs = list(getattr(open_corpus(run.config.data), part))
    if not pairs:
        raise DataError(f"the {part} part of {run.folder} holds no pair, nothing to evaluate; choose another --part")
    return pairs


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


def unknown_words(run: Run, pairs: Sequence[Pair], translations: Sequence[Translation]) -> UnknownWords:
    """How much of these texts a run's vocabularies do not know."""
    sources = (run.source_tokenizer.tokenize(source) for source, _ in pairs)
    references = (run.target_tokenizer.tokenize(target) for _, target in pairs)
    unknown = run.target_vocabulary.decode([UNK])[0]
    end = run.target_vocabulary.decode([EOS])[0]
    said = [token for each in translations for token in each.tokens if token != end]
    return UnknownWords(
        source=_share_unknown(run.source_vocabulary, sources),
        reference=_share_unknown(run.target_vocabulary, references),
        said=100.0 * said.count(unknown) / max(1, len(said)),
    )


def read_by(translator: Translator, pairs: Sequence[Pair]) -> Forced:
    """How well a model predicts each next token of the references, see `forced`."""
    run = translator.run
    languages = run.source_tokenizer, run.source_vocabulary, run.target_tokenizer, run.target_vocabulary
    return forced(translator.stepper, encode_pairs(list(pairs), *languages), run.config.search.batch_size)


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


@dataclass(frozen=True)
class Rival:
    """What a run is compared with: another run, or a file of translations.

    Attributes:
        path: a run's folder, or a file.
        backend, checkpoint, threads, device: how a run translates, see `Translator`.
    """

    path: Path
    backend: str
    checkpoint: str
    threads: int | None
    device: str

    def translate(
        self, run: Run, part: Part, pairs: Sequence[Pair], search: Mapping[str, Any], loaded: str | None
    ) -> list[str]:
        """Its translations of the same part.

        Args:
            run: the run that it is compared with.
            part: the part of the corpus.
            pairs: that part, of the run.
            search: keys of `SearchConfig` that replace the rival's own.
            loaded: the backend that this process has loaded: two frameworks do not share one, so another's
                translations are made in a process of its own.

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
        if loaded in (None, self.backend):
            translator = Translator(rival, self.backend, self.checkpoint, self.threads, device=self.device)
            return [each.text for each in translator.translate(sources, **search)]
        process = MemberProcess(self.backend)
        try:
            process.ask_to_load(Member(rival, self.backend, self.checkpoint), self.threads, device=self.device)
            translator = Translator.of_model(rival, self.backend, None, process.loaded())
            return [each.text for each in translator.translate(sources, **search)]
        finally:
            process.close()


def _share_unknown(vocabulary: Vocabulary, token_lists: Iterable[Sequence[str]]) -> float:
    known = [token_id != UNK for tokens in token_lists for token_id in vocabulary.encode(tokens)]
    return 100.0 * known.count(False) / max(1, len(known))
