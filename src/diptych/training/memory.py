"""How much memory a training needs, estimated before it begins, and how much there is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from diptych.config import RunConfig
from diptych.data.tokens.batches import Batch, EncodedPairs, batch_ends, padded_length, target_length_counts
from diptych.errors import RunError
from diptych.parameters.specification import GATES, specification
from diptych.processes.machine import may_have_gpu, total_memory
from diptych.runs.run import Run


@dataclass(frozen=True)
class LargestBatch:
    """The batch that needs the most, or the shard of it that a process computes at once.

    Attributes:
        rows: B.
        source: S, the longest source of all: which sources it has differs from epoch to epoch.
        target: T, eos counted.
        target_tokens: real target positions.
    """

    rows: int
    source: int
    target: int
    target_tokens: int


@dataclass(frozen=True)
class Memory:
    """What a training keeps in memory at once, in bytes.

    Attributes:
        parameters: the weights.
        gradients: one number for each of them.
        moments: what the optimizer remembers: two numbers for Adam, one for SGD with momentum.
        average: a moving average of the weights, if there is one.
        sums: where batches are divided into shards, two whole numbers for each weight, for this process and for all.
        rounding: what exact training's rounding left of each weight, to compare runs by; 0 in other trainings.
        logits: of the largest batch's real target positions, over the vocabulary.
        activations: of that batch, what its gradients are made from; an estimate, from above.
    """

    parameters: int
    gradients: int
    moments: int
    average: int
    sums: int
    rounding: int
    logits: int
    activations: int

    @property
    def certain(self) -> int:
        """What no framework can do without."""
        return self.weights + self.logits

    @property
    def weights(self) -> int:
        """What grows with the number of weights."""
        return self.parameters + self.gradients + self.moments + self.average + self.sums + self.rounding

    @property
    def total(self) -> int:
        """All of it."""
        return self.certain + self.activations


def largest_batch(pairs: EncodedPairs, config: RunConfig) -> LargestBatch:
    """The batch with the most real target positions; pairs that are not there make it one of a single token."""
    counts = target_length_counts(pairs)
    ends = batch_ends(counts, config.training.batch_size, config.training.batch_by)
    if not ends:
        return LargestBatch(1, source=1, target=1, target_tokens=1)
    through = np.cumsum(counts)  # how many targets are so long or shorter
    tokens = np.cumsum(counts * np.arange(1, len(counts) + 1))  # and how many tokens they have, eos counted
    longest = np.searchsorted(through, np.array(ends) - 1, side="right")  # of each batch
    before = tokens[longest] - (through[longest] - ends) * (longest + 1)  # tokens up to each batch's end
    target_tokens, rows = np.diff(before, prepend=0), np.diff(ends, prepend=0)
    most = np.lexsort((longest, rows, target_tokens))[-1]
    target = padded_length(int(longest[most]) + 1)
    shards = config.training.shards  # the largest has at least the mean
    size = -(-int(rows[most]) // shards), -(-int(target_tokens[most]) // shards)
    return LargestBatch(size[0], source=_longest_source(pairs), target=target, target_tokens=size[1])


def needed_memory(config: RunConfig, sizes: tuple[int, int], batch: LargestBatch) -> Memory:
    """What training needs, for a source's and a target's vocabulary of these sizes."""
    model, training = config.model, config.training
    number = 8 if training.arithmetic == "float64" else 4  # weights and their gradients are float32 for bfloat16, too
    computed = 2 if training.arithmetic == "bfloat16" else number
    weights = sum(math.prod(parameter.shape) for parameter in specification(model, *sizes).values())
    moments = 2 if training.optimizer != "sgd" else int(training.momentum > 0.0)
    gates = len(GATES[model.cell]) + 1  # and the state
    rows, source, target = batch.rows, batch.source, batch.target
    encoder = source * model.encoder_layers * gates * model.memory_size + source * model.embedding_size
    decoder = target * (model.decoder_layers * gates * model.decoder_size + model.decoder_input_size)
    decoder += target * (model.context_size + model.feature_size)
    scores = 0
    if model.attention != "none":
        hidden = model.score_size if model.has_score_layer else 0
        scores = source * target * (1 + hidden) + source * model.decoder_size
    return Memory(
        parameters=weights * number,
        gradients=weights * number,
        moments=moments * weights * number,
        average=weights * number if training.ema_decay else 0,
        sums=4 * weights * 8 if training.shards > 1 else 0,
        rounding=weights * number if training.precision == "exact" else 0,
        logits=batch.target_tokens * sizes[1] * number,
        activations=rows * (encoder + decoder + scores) * computed,
    )


def check_memory(run: Run, pairs: EncodedPairs, device: str) -> None:
    """Refuse what cannot be trained here at all; what may be too much is tried.

    A GPU has a memory of its own, and its framework says when that is full.

    Raises:
        RunError: weights, gradients, moments and logits alone need more than there is.
    """
    if device != "cpu" and may_have_gpu():
        return
    batch = largest_batch(pairs, run.config)
    need = needed_memory(run.config, (len(run.source_vocabulary), len(run.target_vocabulary)), batch)
    there = total_memory()
    if there is not None and need.certain > there:
        told = _describe(need, batch, run.config)
        raise RunError(f"this cannot be trained here, where there are {_gigabytes(there)} of memory: {told}")


def out_of_memory(error: Exception, run: Run, batch: Batch) -> RunError | None:
    """What to tell where memory ran out in a step; None if that is not what the error says.

    Each framework has an error of its own for a GPU, and for main memory another one.
    """
    named = type(error).__name__ in ("MemoryError", "OutOfMemoryError", "ResourceExhaustedError")
    if not named and "can't allocate memory" not in str(error):
        return None
    rows, source = batch.source.shape
    shape = LargestBatch(rows, source, target=batch.target_output.shape[1], target_tokens=batch.target_tokens)
    need = needed_memory(run.config, (len(run.source_vocabulary), len(run.target_vocabulary)), shape)
    return RunError(f"memory ran out in a step: {_describe(need, shape, run.config)}")


def _describe(need: Memory, batch: LargestBatch, config: RunConfig) -> str:
    """What a batch needs, what for, and what to do about it."""
    batches = f"batch_size (now {config.training.batch_size} {config.training.batch_by})"
    advice = (
        "the model's sizes, maximum_vocabulary"
        if need.weights > need.logits + need.activations
        else f"{batches}, maximum_vocabulary"
    )
    return (
        f"a batch of {batch.rows} pairs with {batch.target_tokens} target tokens needs about {_gigabytes(need.total)}: "
        f"{_gigabytes(need.weights)} for weights, gradients and the optimizer, {_gigabytes(need.logits)} for logits, "
        f"and up to {_gigabytes(need.activations)} for what lies between; lower {advice} or maximum_length"
    )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"


def _longest_source(pairs: EncodedPairs) -> int:
    longest = 0
    for start in range(0, len(pairs), 1 << 18):
        longest = max(longest, int(pairs.sources.lengths_of(slice(start, start + (1 << 18))).max()))
        pairs.release()
    return padded_length(longest)
