"""Sentences to try a model of a built-in corpus with."""

from __future__ import annotations

from diptych.config import DataConfig

EXAMPLES = {
    "phrasebook": ["I feel hungry", "My friend did not feel thirsty", "Please close the window"],
    "spacing": ["ifeelhungry", "pleaseclosethewindow"],
    "spacing korean": ["배가고파요", "지호는어제가게에서우유를샀어요"],
    "names": ["dasume gives korini a book today"],
    "numbers": ["2026-11-28", "1,204,017"],
    "files": [],
}


def examples(data: DataConfig) -> list[str]:
    """What a page offers to try; nothing of a user's own corpus."""
    return EXAMPLES.get(f"{data.corpus} {data.language}", EXAMPLES[data.corpus])
