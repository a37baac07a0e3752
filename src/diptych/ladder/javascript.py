"""What the JavaScript painting computes at the rungs that it has: decoding steps and searches, in float64, by node."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from diptych.config import SearchConfig
from diptych.javascript import node
from diptych.ladder.rungs import (
    BEAM_SIZE,
    DECODING,
    LENGTH_PENALTY,
    SAMPLING_SEED,
    TEMPERATURE,
    Arrays,
    forced_tokens,
    longest_translations,
    search_batch,
)
from diptych.runs.run import Run

JAVASCRIPT = "javascript"
LARGEST = 30_000_000
"""With so many weights the searches may take it some minutes."""
SEARCHES = {
    "greedy tokens": SearchConfig(),
    "sampled tokens": SearchConfig(temperature=TEMPERATURE, seed=SAMPLING_SEED),
    "beam tokens": SearchConfig(beam_size=BEAM_SIZE, length_penalty=LENGTH_PENALTY),
}


def missing(run: Run) -> str:
    """Why there are no such rungs of a run here; "" where there are."""
    if run.config.model.copies or run.config.model.factors:
        return f"JavaScript: it has no model {'that copies' if run.config.model.copies else 'with factors'}"
    if not node.is_installed():
        return "JavaScript: it is run by node, not installed here"
    weights = sum(math.prod(parameter.shape) for parameter in run.specification.values())
    return f"JavaScript: {weights:,} weights would take it long, more than {LARGEST:,}" if weights > LARGEST else ""


def javascript_rungs(run: Run, parameters: Mapping[str, Any], searched: Mapping[str, Any]) -> dict[str, Arrays]:
    """The rungs of what the reference is asked for with `search_batch`, each sentence by itself.

    Args:
        run: whose config and sentences.
        parameters: the weights of the decoding steps.
        searched: those of the searches.

    Raises:
        BackendError: node fails.
    """
    source, lengths = search_batch(run)
    sources = [row[:length].tolist() for row, length in zip(source, lengths)]
    places = _places(len(sources), len(run.target_vocabulary))
    config = run.config.model
    # A forced step is fed the token before it: the last one of the list is said and never fed.
    said = [[*(token for _, token in rows[1:]), 0] for rows in places]
    forced = node.ask(config, parameters, sources=sources, said=said)["forced"]
    found = node.ask(
        config, searched, sources, searches=list(SEARCHES.values()), longest=longest_translations(lengths).tolist()
    )["found"]
    return {DECODING: _put_in_order(forced, places, source.shape[1])} | {
        rung: {str(row): np.array(best["tokens"]) for row, (best, *_) in enumerate(several)}
        for rung, several in zip(SEARCHES, found, strict=True)
    }


def _places(count: int, vocabulary_size: int) -> list[list[tuple[int, int]]]:
    """Of each sentence, at each forced step, the row that it has then, and the token that it is fed."""
    given = forced_tokens(count, vocabulary_size)
    rows = ((row if step % 2 == 0 else count - 1 - row for step in range(len(given))) for row in range(count))
    return [[(place, int(given[step][place])) for step, place in enumerate(each)] for each in rows]


def _put_in_order(forced: list[list[dict[str, Any]]], places: list[list[tuple[int, int]]], width: int) -> Arrays:
    """The arrays of a rung from what each sentence gave: log-probabilities (N, V) and attention (N, S) of each step."""
    arrays: Arrays = {}
    for step in range(len(places[0])):
        tables = np.zeros((len(forced), len(forced[0][step]["table"])))
        looked = np.zeros((len(forced), width))
        for steps, place in zip(forced, places, strict=True):
            row, attention = place[step][0], steps[step]["attention"]
            tables[row] = np.array(steps[step]["table"], np.float64)  # what JSON has no number for becomes NaN
            looked[row, : len(attention)] = np.array(attention, np.float64)
        arrays |= {f"log-probabilities, step {step}": tables, f"attention, step {step}": looked}
    return arrays
