"""What a translation is: the text, and how the model came to it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from diptych.translation.doubts import Doubt


@dataclass(frozen=True, eq=False, kw_only=True)
class Said:
    """What a model said of a line: T tokens, from S source tokens.

    Attributes:
        text: the translation; it holds no line break.
        tokens: (T,) what the model said, "<eos>" last unless the maximum length cut it off.
        log_probability: of the whole translation, eos included if it was said.
        token_log_probabilities: (T,) of each token.
        attention: (T, S) float32 where the model looked for each token; zeros without attention.
    """

    text: str
    tokens: tuple[str, ...] = ()
    log_probability: float = 0.0
    token_log_probabilities: tuple[float, ...] = ()
    attention: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))


@dataclass(frozen=True, eq=False, kw_only=True)
class Alternative(Said):
    """One of a beam's translations of a line, see `Said`.

    Attributes:
        score: what the beam ranks by.
    """

    score: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Translation(Said):
    """One line and its translation, see `Said`.

    Attributes:
        source: the line as it was given.
        source_tokens: (S,) what the tokenizer made of the line.
        alternatives: the n best translations of a beam, this one first; else empty.
        doubts: what speaks against it, names of `diptych.translation.doubts.MEANINGS`; empty where nothing does.
    """

    source: str
    source_tokens: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @classmethod
    def of(
        cls,
        said: Said,
        source: str,
        source_tokens: tuple[str, ...],
        *,
        alternatives: tuple[Alternative, ...] = (),
        doubts: tuple[Doubt, ...] = (),
    ) -> Translation:
        """What was said of this line, what else might have been, and what speaks against it."""
        own = {name: getattr(said, name) for name in Said.__dataclass_fields__}
        return cls(source=source, source_tokens=source_tokens, alternatives=alternatives, doubts=doubts, **own)

    def _repr_html_(self) -> str:
        """How a notebook shows it: source, translation, alternatives and the attention map."""
        from diptych.plots.notebook import picture, table

        rows: list[tuple[object, ...]] = [("source", self.source), ("translation", self.text)]
        rows.append(("log-probability", f"{self.log_probability:.4f}"))
        rows += [("doubt", each.replace("_", " ")) for each in self.doubts]
        rows += [(f"score {each.score:.4f}", each.text) for each in self.alternatives]
        return str(table(rows) + picture(self.source_tokens, {"": (self.tokens, self.attention)}))
