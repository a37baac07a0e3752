"""How good a run's translations are, and whether another system's are better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diptych.data.corpus.scripts import share_of_scripts
from diptych.data.tokens.encoded import encode_pairs
from diptych.errors import UsageError
from diptych.evaluation.forced import Forced, forced
from diptych.evaluation.lengths import quality_by_length
from diptych.evaluation.measures import MEASURES, chosen_measures
from diptych.evaluation.part import Part, read_part
from diptych.evaluation.rival import Rival, read_hypotheses
from diptych.evaluation.samples import Sample, sameness, samples
from diptych.evaluation.systems import Measured, Test, measure
from diptych.evaluation.unknown_words import UnknownWords, unknown_words
from diptych.exported.folder import default_backend
from diptych.runs.run import Run
from diptych.search.ensemble import Average
from diptych.translation.doubts import summary
from diptych.translation.members import Member
from diptych.translation.translator import Translator, load
from diptych.translation.vote import load_vote

UNSPACED = ("Hangul", "Han", "Hiragana", "Katakana", "Thai")
"""Scripts whose words carry particles, or stand without spaces."""
LOOKED_AT = 1000
"""So many references tell which script a text is in."""


@dataclass(frozen=True)
class Evaluation:
    """Scores of translations of N sentences; where there are two systems, the run is the first.

    Attributes:
        run: the run's folder.
        part: which part of its corpus.
        backend: which framework translated; None where somebody's translations were scored.
        sentences: N.
        texts: by system, its N translations.
        measured: by system and measure, the score in percent with its 95 % interval and its signature; for a second
            system also the probability that so large a difference is chance.
        forced: how the model predicts each next token of the references: accuracy in percent, loss in nats a token,
            perplexity; None without a model, and where several vote.
        unknown_words: how much is unknown to the vocabularies, in percent of the tokens; None without a model.
        by_length: chrF by the length of the source, see `quality_by_length`; empty where it was not asked for.
        samples: five of the run's translations, with source and reference.
        warnings: what is wrong with many of them, a sentence each; empty where nothing is.
    """

    run: str
    part: str
    backend: str | None
    sentences: int
    texts: dict[str, list[str]]
    measured: dict[str, dict[str, Measured]]
    forced: Forced | None
    unknown_words: UnknownWords | None
    by_length: list[dict[str, Any]]
    samples: tuple[Sample, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def scores(self) -> dict[str, float]:
        """The run's scores in percent, by measure."""
        return {name: each.score for name, each in self._own.items()}

    @property
    def translations(self) -> list[str]:
        """(N,) the run's translations."""
        return next(iter(self.texts.values()))

    def to_json(self) -> dict[str, Any]:
        """What `diptych evaluate --json` prints."""
        return {
            "run": self.run,
            "part": self.part,
            "backend": self.backend,
            "sentences": self.sentences,
            **self.scores,
            "intervals": {name: [each.low, each.high] for name, each in self._own.items()},
            "signatures": {name: each.plain_signature for name, each in self._own.items() if MEASURES[name].sacrebleu},
            "systems": {
                system: {name: asdict(each) for name, each in row.items()} for system, row in self.measured.items()
            },
            "token_accuracy": self.forced.accuracy if self.forced else None,
            "loss": self.forced.loss if self.forced else None,
            "perplexity": self.forced.perplexity if self.forced else None,
            "unknown_words": asdict(self.unknown_words) if self.unknown_words else None,
            "by_length": self.by_length,
            "samples": [asdict(each) for each in self.samples],
            "warnings": list(self.warnings),
        }

    @property
    def _own(self) -> dict[str, Measured]:
        return next(iter(self.measured.values()))


def evaluate(
    run: Run | str | Path,
    backend: str | None = None,
    *,
    part: Part = "test",
    measures: str | Sequence[str] = ("bleu", "chrf", "exact_match"),
    tokenize: str = "13a",
    checkpoint: str = "best",
    members: Sequence[str | Member] = (),
    average: Average = "probability",
    vote: bool = False,
    hypotheses: str | Path | None = None,
    against: str | Path | None = None,
    against_backend: str | None = None,
    test: Test = "bs",
    by_length: bool = False,
    workers: int = 1,
    threads: int | None = None,
    device: str = "auto",
    **search: Any,
) -> Evaluation:
    """Score a run's translations of a part of its corpus, each score with its 95 % interval.

    Only the texts that this part comes from have to be there. All texts are compared in the run's normal form.

    Args:
        run: the run, or its folder; or an export's.
        backend: "tensorflow", "pytorch", "reference" or "onnxruntime"; None as in `diptych.load`.
        part: "train", "validation" or "test".
        measures: names of `MEASURES`, in a list or with commas between them, or "all".
        tokenize: how BLEU cuts a text; "none" where it is tokens already.
        checkpoint: "best", "latest", "average-best", "average-latest" or a checkpoint's name.
        members: the other members of an ensemble, see `diptych.load`.
        average: of the members' probabilities.
        vote: each member translates by itself, and what most of them say counts: they may have other vocabularies.
        hypotheses: a file of translations, one a line: score these, and translate nothing.
        against: another run's folder, or a file of translations, to compare with.
        against_backend: in which framework the other run translates; None: the same, or an export's own runtime.
        test: between systems: "bs", paired bootstrap, or "ar", approximate randomization.
        by_length: also chrF by the length of the source.
        workers: so many processes share the run's translations, see `diptych.load`.
        threads: how many the framework may use in each process; None leaves that to it.
        device: "auto", "cpu" or "cuda".
        search: keys of `SearchConfig` that replace the run's, for instance `beam_size=5`.

    Raises:
        ConfigError: there is no such measure, or a key of the search is unknown or impossible.
        DataError: the part cannot be read or is empty, or a file of translations has another number of lines.
        RunError: there is no such run, or nothing has been trained in it.
        BackendError: the framework is not installed, or another's process failed.
        CheckpointError: there is no such checkpoint, or it is damaged.
    """
    shown, run = str(run.folder if isinstance(run, Run) else run), Run.of(run)
    backend = backend or default_backend(run.folder)
    names = chosen_measures(measures)
    pairs = read_part(run, part)
    form = run.target_tokenizer.form
    sources, references = [source for source, _ in pairs], [form(target) for _, target in pairs]

    first, read, unknown, warnings = shown, None, None, []
    if hypotheses is not None:
        first = str(hypotheses)
        texts = {first: read_hypotheses(Path(hypotheses), len(pairs))}
    else:
        if vote and workers > 1:
            raise UsageError(f"{workers} workers cannot share a vote: leave out the workers or the vote")
        how: dict[str, Any] = {"threads": threads, "device": device, "members": members}
        model = (
            load_vote(run, backend, checkpoint, **how)
            if vote
            else load(run, backend, checkpoint, **how, average=average, workers=workers)
        )
        with model as translator:
            translations = translator.translate(sources, **search)
            if isinstance(translator, Translator):
                encoded = encode_pairs(pairs, run.source, run.target)
                read = forced(translator.stepper, encoded, run.config.search.batch_size)
        unknown = unknown_words(run, pairs, translations)
        texts = {first: [each.text for each in translations]}
        warnings += [told] if (told := summary(each.doubts for each in translations)) else []
    if against is not None:
        other = str(against) if str(against) != first else f"{against} (2)"
        rival = Rival.of(Path(against), against_backend, backend, checkpoint=checkpoint, threads=threads, device=device)
        loaded = None if hypotheses is not None else backend
        texts[other] = rival.translate(run, pairs, part=part, search=search, loaded=loaded)

    texts = {system: [form(text) for text in said] for system, said in texts.items()}
    lengths = [len(run.source_tokenizer.tokenize(source)) for source in sources] if by_length else []
    return Evaluation(
        run=shown,
        part=part,
        backend=None if hypotheses is not None else backend,
        sentences=len(pairs),
        texts=texts,
        measured=measure(texts, references, names, tokenize=tokenize, test=test, line=run.config.data.line),
        forced=read,
        unknown_words=unknown,
        by_length=quality_by_length(lengths, texts, references) if by_length else [],
        samples=samples(sources, texts[first], references),
        warnings=(*warnings, *_same(sources, texts[first]), *_cut_badly(references, names, tokenize)),
    )


def _cut_badly(references: Sequence[str], names: Sequence[str], tokenize: str) -> list[str]:
    """A warning where BLEU cuts at spaces what is written with particles on its words, or without spaces."""
    text = "".join(references[:LOOKED_AT])
    if tokenize != "13a" or "bleu" not in names or not any(map(str.isalpha, text)):
        return []
    if share_of_scripts(text, UNSPACED) < 0.5:
        return []
    return [
        "BLEU cuts words at spaces (13a), where this script's words carry their particles or no space stands: "
        "--tokenize char compares characters, and chrF does so anyway; BLEU of the two kinds are not comparable"
    ]


def _same(sources: Sequence[str], texts: Sequence[str]) -> list[str]:
    """A warning where most sources got one translation."""
    found = sameness(sources, texts)
    if found is None:
        return []
    text, times = found
    return [f"{times:,} different sources have the same translation, {text[:60]!r}: the model has not learnt its task"]
