"""What a translation is: the text, and how the model came to it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Alternative:
    """One of a beam's translations of a line, T tokens long.

    Attributes:
        text: the translation; it holds no line break.
        score: what the beam ranks by.
        tokens: (T,) what the model said, as in `Translation`.
        log_probability: of the whole.
        token_log_probabilities: (T,) of each token.
        attention: (T, S) float32 where the model looked for each token; zeros without attention.
    """

    text: str
    score: float
    tokens: tuple[str, ...] = ()
    log_probability: float = 0.0
    token_log_probabilities: tuple[float, ...] = ()
    attention: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))


@dataclass(frozen=True, eq=False)
class Translation:
    """One line and its translation of T tokens, from S source tokens.

    Attributes:
        source: the line as it was given.
        text: its translation; it holds no line break.
        source_tokens: (S,) what the tokenizer made of the line.
        tokens: (T,) what the model said, "<eos>" last unless the maximum length cut it off.
        log_probability: of the whole translation, eos included if it was said.
        token_log_probabilities: (T,) of each token.
        attention: (T, S) float32 where the model looked for each token; zeros without attention.
        alternatives: the n best translations of a beam, this one first; else empty.
    """

    source: str
    text: str
    source_tokens: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    log_probability: float = 0.0
    token_log_probabilities: tuple[float, ...] = ()
    attention: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    alternatives: tuple[Alternative, ...] = ()

    def _repr_html_(self) -> str:
        """How a notebook shows it: source, translation, alternatives and the attention map."""
        from diptych.plots.notebook import picture, table

        rows: list[tuple[object, ...]] = [("source", self.source), ("translation", self.text)]
        rows.append(("log-probability", f"{self.log_probability:.4f}"))
        rows += [(f"score {each.score:.4f}", each.text) for each in self.alternatives]
        return str(table(rows) + picture(self.source_tokens, {"": (self.tokens, self.attention)}))
