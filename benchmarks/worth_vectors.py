"""Word vectors from text alone: what stands near what, weighed and reduced (Levy and Goldberg, 2014; Bullinaria and
Levy, 2012). Stands in for word2vec, which is not installed here; written in its text form."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

NEAR = 4
"""Words at most so far apart count as near each other."""
COMMONEST = 6000
PASSES = 6
"""Of the subspace iteration: each multiplies what is left of smaller singular values by their share."""


def write_vectors(text: Path, size: int) -> Path:
    """Vectors of a text's commonest words, in TEXT.vec unless that is there: its path."""
    path = text.with_name(f"{text.name}.{size}.vec")
    if path.is_file():
        return path
    lines = [line.split() for line in text.read_text("utf-8").splitlines()]
    words = [word for word, _ in Counter(word for line in lines for word in line).most_common(COMMONEST)]
    found = _vectors(lines, words, size)
    rows = (f"{word} {' '.join(f'{x:.5f}' for x in row)}" for word, row in zip(words, found, strict=True))
    path.write_text("\n".join([f"{len(words)} {size}", *rows]) + "\n", "utf-8")
    return path


def _vectors(lines: list[list[str]], words: list[str], size: int) -> np.ndarray:
    """(W, E) for W words: the positive pointwise mutual information of neighbours, times its right singular vectors,
    each divided by the root of its singular value; scaled to the standard deviation of drawn embeddings, 0.1."""
    places = {word: n for n, word in enumerate(words)}
    counts = np.zeros((len(words), len(words)), np.float32)
    for line in lines:
        known = [places.get(word, -1) for word in line]
        for at, first in enumerate(known):
            for second in known[at + 1 : at + 1 + NEAR]:
                if first >= 0 and second >= 0:
                    counts[first, second] += 1
                    counts[second, first] += 1
    each = counts.sum(1) ** 0.75
    expected = np.outer(counts.sum(1), each / each.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.nan_to_num(np.maximum(np.log(counts / expected), 0), posinf=0)
    basis = np.random.default_rng(1).normal(size=(len(words), size)).astype(np.float32)
    for _ in range(PASSES):
        basis = np.linalg.qr(information.T @ (information @ basis))[0]
    projected = information @ basis
    left, values, _ = np.linalg.svd(projected, full_matrices=False)
    found = left * np.sqrt(values)
    return 0.1 * found / found.std()
