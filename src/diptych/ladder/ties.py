"""Whether two panels' searches parted at a tie: where the choices are closer than the panels are to each other.

The reference judges: it reads both token sequences in float64 with the same weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych import reference
from diptych.data.tokens.batches import BOS
from diptych.ladder.rungs import BEAM_SIZE, LENGTH_PENALTY, SAMPLING_SEED, TEMPERATURE, search_batch
from diptych.runs.run import Run
from diptych.search.sampling import gumbel_noise
from diptych.search.stepper import FIRST_CHOICE

Tokens = npt.NDArray[np.int64]


def is_tie(
    run: Run, parameters: Mapping[str, Any], rung: str, sentence: int, ours: Tokens, others: Tokens, error: float
) -> bool:
    """Whether `ours` and `others` are equally good for a sentence, up to `error` in each log-probability.

    Greedy search and sampling part at one token, where the two candidates are compared. A beam is compared by the
    scores of the two whole hypotheses.
    """
    table = _log_probabilities(run, parameters, sentence, tokens=ours)
    if rung.startswith("beam"):
        scores = [
            _score(_log_probabilities(run, parameters, sentence=sentence, tokens=tokens), tokens)
            for tokens in (ours, others)
        ]
        return abs(scores[0] - scores[1]) <= 2 * BEAM_SIZE * error
    step = next(
        t for t in range(max(len(ours), len(others))) if t >= min(len(ours), len(others)) or ours[t] != others[t]
    )
    if step >= min(len(ours), len(others)):
        return False  # one goes on where the other ended: no choice explains that
    choices = table[step, FIRST_CHOICE:]
    if rung.startswith("sampled"):
        choices = choices / TEMPERATURE + gumbel_noise(SAMPLING_SEED, sentence, step, count=len(choices))
        error /= TEMPERATURE
    return bool(abs(choices[ours[step] - FIRST_CHOICE] - choices[others[step] - FIRST_CHOICE]) <= 2 * error)


def _log_probabilities(
    run: Run, parameters: Mapping[str, Any], sentence: int, tokens: Tokens
) -> npt.NDArray[np.float64]:
    """(T, V) what the reference thinks of every token after each prefix of `tokens`."""
    stepper = reference.Stepper(run.build(reference, parameters, "float64"))
    source, lengths = search_batch(run)
    state = stepper.start(source[[sentence], : lengths[sentence]], lengths[[sentence]])
    rows = []
    for token in [BOS, *tokens[:-1]]:
        log_probabilities, _, state = stepper.step(state, np.array([token], np.int32))
        rows.append(log_probabilities[0])
    return np.array(rows)


def _score(table: npt.NDArray[np.float64], tokens: Tokens) -> float:
    penalty = ((5.0 + len(tokens)) / 6.0) ** LENGTH_PENALTY
    return float(table[np.arange(len(tokens)), tokens].sum() / penalty)
