"""Lines of several sentences: cut, translated sentence by sentence, and put together as they were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from diptych.data.tags import TAG_END
from diptych.translation.sentences import Cut, cut
from diptych.translation.translation import Translation

Translate = Callable[[Sequence[str]], list[Translation]]


def translate_paragraphs(lines: Sequence[str], translate: Translate, tags: int = 0) -> list[Translation]:
    """Translate each line, its sentences one by one; white space between them stays.

    Where there is one sentence its translation is the line's. Of several, tokens follow each other, log-probabilities
    are summed, the attention of each looks at its own sentence only, doubts are those of any; no alternatives are kept.

    Args:
        lines: any text.
        translate: what translates sentences, many at a time.
        tags: so many stand in front of each line, and go in front of each of its sentences.
    """
    parts = [line.split(TAG_END, tags) for line in lines]
    heads = ["".join(f"{tag}{TAG_END}" for tag in each[:-1]) for each in parts]
    pieces = [cut(each[-1]) for each in parts]
    said = iter(
        translate([head + sentence for head, each in zip(heads, pieces, strict=True) for sentence in each.sentences])
    )
    return [
        _together(line, each, [next(said) for _ in each.sentences]) for line, each in zip(lines, pieces, strict=True)
    ]


def _together(line: str, pieces: Cut, said: list[Translation]) -> Translation:
    text = pieces.joined([each.text for each in said])
    if len(said) == 1:
        return replace(said[0], source=line, text=text)
    sizes = [(len(each.tokens), len(each.source_tokens)) for each in said]
    attention = np.zeros((sum(rows for rows, _ in sizes), sum(columns for _, columns in sizes)), np.float32)
    row = column = 0
    for each, (rows, columns) in zip(said, sizes, strict=True):
        attention[row : row + rows, column : column + columns] = each.attention
        row, column = row + rows, column + columns
    return Translation(
        source=line,
        text=text if said else "",
        source_tokens=tuple(token for each in said for token in each.source_tokens),
        tokens=tuple(token for each in said for token in each.tokens),
        log_probability=sum(each.log_probability for each in said),
        token_log_probabilities=tuple(each for one in said for each in one.token_log_probabilities),
        attention=attention,
        doubts=tuple(dict.fromkeys(doubt for each in said for doubt in each.doubts)),
    )
