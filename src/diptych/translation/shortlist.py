"""A run's shortlist: made of its training pairs by the model's own attention, written into a file, and read again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from diptych.data.tokens.batches import EncodedPairs, collate
from diptych.errors import DataError, UsageError
from diptych.panel import Panel
from diptych.panel.protocol import Model
from diptych.runs.checksums import SIDES
from diptych.runs.run import Run
from diptych.search.shortlist import Shortlist
from diptych.storage.place import replace_file

FORMAT = "diptych shortlist 1"
BATCH, SOURCES = 64, 1000

Counts = npt.NDArray[np.int64]


def make_shortlist(
    run: Run, panel: Panel, model: Model, best: int, frequent: int, say: Callable[[int, int], None]
) -> Shortlist:
    """Count which target word looked at which source word in the training pairs, teacher forced.

    Args:
        run: the model's.
        panel: what computes.
        model: with an attention.
        best: how many target words each source word has at most: those that looked at it most often.
        frequent: how many words any source may have: the most frequent ones of the training targets.
        say: told how many pairs of how many are done, batch after batch.

    Raises:
        UsageError: the model has no attention, or copies.
    """
    if run.config.model.copies:
        raise UsageError(f"the model of {run.folder} copies words (model.copies): a shortlist would leave them out")
    if run.config.model.attention == "none":
        raise UsageError(f"the model of {run.folder} has attention = 'none': it cannot say which words belong together")
    pairs, size = run.encoded().train, len(run.target_vocabulary)
    keys, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    often = np.zeros(size, np.int64)
    found: list[Counts] = []
    for number, (sources, targets) in enumerate(_looks(panel, model, pairs), 1):
        often += np.bincount(targets, minlength=size)
        found.append(sources.astype(np.int64) * size + targets)
        if number % 100 == 0:
            keys, counts = _add(keys, counts, found)
        say(min(number * BATCH, len(pairs)), len(pairs))
    keys, counts = _add(keys, counts, found)
    always = np.argsort(-often, kind="stable")[: min(frequent, int((often > 0).sum()))]
    return Shortlist.of(
        size, np.sort(always).tolist(), _best(keys, counts, sources=len(run.source_vocabulary), size=size, best=best)
    )


def sentence_sizes(run: Run, shortlist: Shortlist) -> list[int]:
    """How many target words may be said of each of the run's validation sources; at most of so many as `SOURCES`."""
    encoded = run.encoded()
    sources = (encoded.validation if len(encoded.validation) else encoded.train).sources
    rows = range(min(SOURCES, len(sources)))
    return [len(shortlist.of_source(sources.tokens[sources.offsets[row] : sources.offsets[row + 1]])) for row in rows]


def write_shortlist(shortlist: Shortlist, run: Run, path: Path, told: dict[str, Any]) -> None:
    """Put a shortlist into a file, with what it was made of."""
    arrays = {name: getattr(shortlist, name) for name in ("always", "offsets", "words")}
    metadata = {"format": FORMAT, "size": str(shortlist.size), "told": json.dumps(told), **_digests(run)}
    replace_file(path, save(arrays, metadata))


def read_shortlist(path: Path, run: Run) -> Shortlist:
    """The shortlist of a file.

    Raises:
        DataError: it is none, is damaged, or is of a run with other vocabularies.
    """
    advice = f"make one with `diptych shortlist {run.folder} FILE`"
    if path.is_dir():
        raise DataError(f"{path} is a folder, and a shortlist is a file; {advice}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path} cannot be read as a shortlist: {error}; {advice}") from error
    if metadata.get("format") != FORMAT or arrays.keys() != {"always", "offsets", "words"}:
        raise DataError(f"{path} is no shortlist, which says so in its format {FORMAT!r}; {advice}")
    for side, digest in _digests(run).items():
        if metadata.get(side) != digest:
            raise DataError(f"{path} was made for another {side} vocabulary than that of {run.folder}; {advice}")
    shortlist = Shortlist(len(run.target_vocabulary), **arrays)
    if not _is_whole(shortlist, len(run.source_vocabulary)):
        raise DataError(f"{path} is damaged: it names words that are not there; {advice}")
    return shortlist


def _is_whole(shortlist: Shortlist, sources: int) -> bool:
    offsets, words = shortlist.offsets, np.concatenate([shortlist.always, shortlist.words])
    ordered = len(offsets) == sources + 1 and offsets[0] == 0 and bool((np.diff(offsets) >= 0).all())
    return ordered and offsets[-1] == len(shortlist.words) and bool(((words >= 0) & (words < shortlist.size)).all())


def _looks(panel: Panel, model: Model, pairs: EncodedPairs) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """For each batch, of every real target token but eos: the source token that it looked at most, and itself."""
    order = np.argsort(pairs.sources.lengths, kind="stable").astype(np.int32)
    for start in range(0, len(order), BATCH):
        batch = collate(pairs, order[start : start + BATCH])
        tensors = map(panel.to_tensor, (batch.source, batch.source_lengths, batch.target_input))
        weights = panel.to_array(model.features(*tensors)[1])  # (B, T, S)
        looked = np.take_along_axis(batch.source, weights.argmax(axis=2), axis=1)  # (B, T)
        real = np.arange(looked.shape[1]) < batch.target_lengths[:, None] - 1
        yield looked[real], batch.target_output[real]


def _add(keys: Counts, counts: Counts, found: list[Counts]) -> tuple[Counts, Counts]:
    """How often each pair came before and among those that were found, which are forgotten."""
    new, times = np.unique(np.concatenate([np.zeros(0, np.int64), *found]), return_counts=True)
    found.clear()
    together, places = np.unique(np.concatenate([keys, new]), return_inverse=True)
    return together, np.bincount(places, np.concatenate([counts, times]), len(together)).astype(np.int64)


def _best(keys: Counts, counts: Counts, sources: int, size: int, best: int) -> list[list[int]]:
    """Of each source id the target ids that came with it most often, of equals the lower id, in order."""
    order = np.lexsort((keys, -counts, keys // size))
    words: list[list[int]] = [[] for _ in range(sources)]
    for key in keys[order].tolist():
        if len(words[key // size]) < best:
            words[key // size].append(key % size)
    return [sorted(each) for each in words]


def _digests(run: Run) -> dict[str, str]:
    return {side: hashlib.sha256(getattr(run, side).to_json().encode("utf-8")).hexdigest() for side in SIDES}
