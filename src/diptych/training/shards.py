"""A batch divided into shards: by the config, never by how many workers there are, so that any number do the same.

Shard i of n of a batch of B pairs has the rows from iB/n to before (i + 1)B/n, rounded down, padded to their own
longest sequences. Its dropout masks, and which of its positions read the model's own tokens, are those that its rows
and columns have in the whole batch. So the number of shards changes nothing but rounding, that of workers nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from diptych.config import RunConfig, TrainingConfig
from diptych.data.tokens.batches import Batch, padded_length
from diptych.errors import UsageError
from diptych.panel import Masks
from diptych.parameters.specification import dropout_shapes
from diptych.randomness import dropout_masks


@dataclass(frozen=True)
class Shard:
    """Some rows of one of a step's batches.

    Attributes:
        batch: these rows, padded to the longest of them.
        masks: their dropout masks by place.
        part: which of the step's batches they are of, from 0.
        first: which row of it is the first of them.
        whole: how many rows and how many target positions that batch has.
    """

    batch: Batch
    masks: Masks
    part: int
    first: int
    whole: tuple[int, int]


def own_shards(
    batches: list[Batch], config: RunConfig, step: int, worker: int = 0, workers: int = 1
) -> tuple[Shard, ...]:
    """The shards of a step that one of the workers computes: of all in a row, every so many-th.

    A batch of fewer pairs than shards has some without a pair; these are left out.

    Args:
        batches: those of the step.
        config: how many shards each has, and whether the model has dropout.
        step: the optimizer step, from 0.
        worker: which of the workers it is, from 0.
        workers: how many there are.
    """
    number = config.training.shards
    places = [(part, shard) for part in range(len(batches)) for shard in range(number)][worker::workers]
    cuts = ((part, _rows(len(batches[part].rows), shard, number)) for part, shard in places)
    return tuple(
        _cut(batches[part], rows, config=config, step=step, part=part) for part, rows in cuts if rows[0] < rows[1]
    )


def check_workers(config: TrainingConfig, workers: int) -> None:
    """Refuse more workers than there are shards to share.

    Raises:
        UsageError: there are more.
    """
    if workers > config.shards:
        raise UsageError(
            f"{workers} workers cannot share a training of training.shards = {config.shards}: each batch is computed "
            f"in so many shards, however many workers there are. Train a config with {workers} or more, for instance "
            f"with --set training.shards={workers}"
        )


def _rows(rows: int, shard: int, shards: int) -> tuple[int, int]:
    """The first row of a shard and the one after its last."""
    return rows * shard // shards, rows * (shard + 1) // shards


def _cut(batch: Batch, rows: tuple[int, int], config: RunConfig, step: int, part: int) -> Shard:
    first, end = rows
    source = padded_length(int(batch.source_lengths[first:end].max()))
    target = padded_length(int(batch.target_lengths[first:end].max()))
    own = replace(
        batch,
        source=batch.source[first:end, :source].copy(),
        source_lengths=batch.source_lengths[first:end],
        target_input=batch.target_input[first:end, :target].copy(),
        target_output=batch.target_output[first:end, :target].copy(),
        target_lengths=batch.target_lengths[first:end],
        rows=batch.rows[first:end],
    )
    (rows_in_all, sources), targets = batch.source.shape, batch.target_output.shape[1]
    whole = dropout_shapes(config.model, rows_in_all, source=sources, target=targets)
    drawn = dropout_masks(config.training.seed, step, shapes=whole, rate=config.model.dropout, part=part, rows=rows)
    widths = dropout_shapes(config.model, end - first, source=source, target=target)
    masks = {place: mask[:, : widths[place][1]].copy() for place, mask in drawn.items()}
    return Shard(own, masks, part=part, first=first, whole=(rows_in_all, targets))
