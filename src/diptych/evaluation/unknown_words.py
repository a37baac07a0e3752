"""How much of a text a run's vocabularies do not know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from diptych.data.pairs import Pair
from diptych.data.tokens.vocabulary import EOS, UNK, Vocabulary
from diptych.runs.run import Run
from diptych.translation.translation import Translation


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


def unknown_words(run: Run, pairs: Sequence[Pair], translations: Sequence[Translation]) -> UnknownWords:
    """How much of these texts a run's vocabularies do not know."""
    sources = (run.source_tokenizer.tokenize(source) for source, _ in pairs)
    references = (run.target_tokenizer.tokenize(target) for _, target in pairs)
    unknown, end = run.target_vocabulary.decode([UNK, EOS])
    said = [token for each in translations for token in each.tokens if token != end]
    return UnknownWords(
        source=_share_unknown(run.source_vocabulary, sources),
        reference=_share_unknown(run.target_vocabulary, references),
        said=100.0 * said.count(unknown) / max(1, len(said)),
    )


def _share_unknown(vocabulary: Vocabulary, token_lists: Iterable[Sequence[str]]) -> float:
    known = [token_id != UNK for tokens in token_lists for token_id in vocabulary.encode(tokens)]
    return 100.0 * known.count(False) / max(1, len(known))
