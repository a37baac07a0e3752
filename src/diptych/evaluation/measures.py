"""The measures of a translation: by name, whether high or low is good, and how it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diptych.errors import ConfigError


@dataclass(frozen=True)
class Measure:
    """One measure, in percent.

    Attributes:
        title: how it is shown.
        higher_is_better: whether 100 is perfect, and not 0.
        sacrebleu: whether sacreBLEU computes it.
    """

    title: str
    higher_is_better: bool = True
    sacrebleu: bool = False


MEASURES = {
    "bleu": Measure("BLEU", sacrebleu=True),
    "chrf": Measure("chrF", sacrebleu=True),
    "chrf++": Measure("chrF++", sacrebleu=True),
    "ter": Measure("TER", higher_is_better=False, sacrebleu=True),
    "exact_match": Measure("exact match"),
    "cer": Measure("CER", higher_is_better=False),
    "wer": Measure("WER", higher_is_better=False),
    "per": Measure("PER", higher_is_better=False),
}
"""Every measure of texts. CER, WER and PER are the error rates of characters, words and phones; TER is the translation
edit rate. Where a line is one word (`data.line`), WER is the share of lines that are not right as a whole, and PER the
edits by the references' phones, both as in SIGMORPHON's shared task (Gorman et al., 2020)."""


def chosen_measures(names: str | Sequence[str]) -> list[str]:
    """The measures of a list, or named with commas between them, or "all".

    Raises:
        ConfigError: there is no such measure.
    """
    if names == "all":
        return list(MEASURES)
    listed = names.split(",") if isinstance(names, str) else names
    chosen = [name.strip().lower() for name in listed if name.strip()]
    unknown = [name for name in chosen if name not in MEASURES]
    if unknown or not chosen:
        what = ", ".join(unknown) or repr(names)
        raise ConfigError(f"unknown measure {what}; choose among: all, {', '.join(MEASURES)}")
    return list(dict.fromkeys(chosen))
