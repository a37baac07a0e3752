"""How well an exported model translates the test part of its run, and how far int8 is from float32."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from diptych.errors import DataError
from diptych.evaluation.part import read_part
from diptych.evaluation.systems import Measured, measure
from diptych.runs.run import Run
from diptych.search import Stepper
from diptych.translation.translation import Translation
from diptych.translation.translator import Translator

MEASURES = ("bleu", "chrf", "exact_match")


@dataclass(frozen=True)
class Scored:
    """What came of the translations.

    Attributes:
        sentences: how many.
        search: how they were searched for, in words.
        systems: by system and measure, the score.
        equal_tokens: of the second system's tokens, the share that the first says at the same place, in percent; None
            where there is one system.
        missing: why there are no scores; "" where there are.
    """

    sentences: int = 0
    search: str = ""
    systems: Mapping[str, Mapping[str, Measured]] = ()  # type: ignore[assignment]
    equal_tokens: float | None = None
    missing: str = ""

    def to_json(self) -> dict[str, Any]:
        """What the certificate says of them."""
        if self.missing:
            return {"missing": self.missing}
        systems = {name: {m: asdict(each) for m, each in row.items()} for name, row in self.systems.items()}
        found = {"part": "test", "sentences": self.sentences, "search": self.search, "systems": systems}
        return found if self.equal_tokens is None else found | {"equal_tokens": self.equal_tokens}


def score(run: Run, systems: Mapping[str, Stepper]) -> Scored | None:
    """Translate the test part with each system by the run's own search; None where there is none.

    A corpus that is not there is no error: the model card then says so.
    """
    if not systems:
        return None
    try:
        pairs = read_part(run, "test")
    except DataError as error:
        return Scored(missing=str(error))
    form = run.target_tokenizer.form
    sources, references = [source for source, _ in pairs], [form(target) for _, target in pairs]
    said: dict[str, list[Translation]] = {
        name: Translator(run, stepper, name).translate(sources) for name, stepper in systems.items()
    }
    texts = {name: [form(each.text) for each in several] for name, several in said.items()}
    width, temperature = run.config.search.beam_size, run.config.search.temperature
    return Scored(
        sentences=len(pairs),
        search=f"a beam of {width}"
        if width > 1
        else f"sampling at {temperature:g}"
        if temperature
        else "greedy search",
        systems=measure(texts, references, MEASURES),
        equal_tokens=_equal_tokens(*said.values()) if len(said) == 2 else None,
    )


def _equal_tokens(first: list[Translation], second: list[Translation]) -> float:
    equal = sum(a == b for one, other in zip(first, second) for a, b in zip(one.tokens, other.tokens))
    return 100.0 * equal / max(1, sum(len(each.tokens) for each in second))
