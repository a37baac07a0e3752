"""Keras 3 on TensorFlow: stock layers, `compile`, `fit` on a tf.data pipeline, as a careful Keras user would write it.

Luong's placement, the one that its Attention layers suggest: the decoder GRU runs over all target words, then attends.
`general` is `Attention` on projected queries, `additive` is `AdditiveAttention` on projected queries and keys. They
are bucketed by length, which tf.data has an operation for, and the loss leaves padding out by sample weights. Greedy
search in a compiled step, which is what users write; Keras has no beam search.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from peer import Decoded, Peer, Step, Workload
from words import BOS, EOS, Words, encoded_pairs, vocabularies

BOUNDARIES = [8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 40]
MAXIMUM_LENGTH = 50


class RealTokens(keras.metrics.Metric):  # type: ignore[misc]
    """How many target tokens were trained on so far: the sum of the sample weights."""

    def __init__(self) -> None:
        super().__init__(name="real_tokens")
        self.total = self.add_weight(name="total", initializer="zeros", dtype="int64")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.total.assign_add(tf.cast(tf.reduce_sum(sample_weight), tf.int64))

    def result(self) -> Any:
        return self.total


class Counting(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells `step` after each batch how many tokens it had."""

    def __init__(self, step: Step) -> None:
        super().__init__()
        self.tell = step
        self.seen = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.seen = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        seen = int(logs["real_tokens"])
        self.tell(seen - self.seen)
        self.seen = seen


class Translator:
    """The model to train, and its two halves for translating, which share the layers."""

    def __init__(self, workload: Workload, source_words: Words, target_words: Words) -> None:
        size, rate = Workload.decoder_size, Workload.dropout
        source, target = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
        embedded = layers.Embedding(len(source_words), Workload.embedding_size, mask_zero=True)(source)
        encoder = layers.GRU(Workload.encoder_size, return_sequences=True, return_state=True)
        memory, forward, backward = layers.Bidirectional(encoder)(layers.Dropout(rate)(embedded))
        first = layers.Concatenate()([forward, backward])

        embed = layers.Embedding(len(target_words), Workload.embedding_size)
        gru = layers.GRU(size, return_sequences=True, return_state=True)
        query, combine = layers.Dense(size, use_bias=False), layers.Dense(size, activation="tanh")
        project = layers.Dense(len(target_words))
        additive = workload.attention == "additive"
        attend = layers.AdditiveAttention() if additive else layers.Attention()
        key = layers.Dense(size, use_bias=False) if additive else None

        def decode(words: Any, memory: Any, state: Any, mask: Any) -> tuple[Any, Any]:
            outputs, state = gru(layers.Dropout(rate)(embed(words)), initial_state=state)
            keys = [key(memory)] if key is not None else []
            context = attend([query(outputs), memory, *keys], mask=[None, mask])
            features = combine(layers.Concatenate()([outputs, context]))
            return project(layers.Dropout(rate)(features)), state

        mask = layers.Lambda(lambda source: source != 0)(source)
        self.model = keras.Model([source, target], decode(target, memory, first, mask)[0])
        self.encoder = keras.Model(source, [memory, first])
        given = keras.Input((None, 2 * Workload.encoder_size)), keras.Input((size,)), keras.Input((None,), dtype="bool")
        word = keras.Input((1,), dtype="int32")
        self.decoder = keras.Model([word, *given], decode(word, *given))
        self._encode = tf.function(lambda source: self.encoder(source, training=False), reduce_retracing=True)
        self._step = tf.function(self._next, reduce_retracing=True)

    def _next(self, word: Any, memory: Any, state: Any, mask: Any) -> tuple[Any, Any]:
        logits, state = self.decoder([word, memory, state, mask], training=False)
        return tf.argmax(logits, axis=-1, output_type=tf.int32), state

    def translate(self, source: Any) -> Any:
        """Greedy: (B, S) to (B, T), until every sentence has ended."""
        memory, state = self._encode(source)
        word, mask = tf.fill((len(source), 1), BOS), source != 0
        found, ended = [], np.zeros(len(source), bool)
        while not ended.all() and len(found) < MAXIMUM_LENGTH:
            word, state = self._step(word, memory, state, mask)
            found.append(word.numpy()[:, 0])
            ended |= found[-1] == EOS
        return np.stack(found, axis=1)


def dataset(pairs: list[tuple[list[int], list[int]]]) -> Any:
    """Batches of pairs of about the same length: source and target input, target output, its weights."""
    sources = tf.ragged.constant([source for source, _ in pairs], tf.int32)
    targets = tf.ragged.constant([target for _, target in pairs], tf.int32)

    def example(source: Any, target: Any) -> Any:
        return (source, target[:-1]), target[1:], tf.ones_like(target[1:], tf.float32)

    return (
        tf.data.Dataset.from_tensor_slices((sources, targets))
        .shuffle(len(pairs), seed=1)
        .map(example, num_parallel_calls=tf.data.AUTOTUNE)
        .bucket_by_sequence_length(
            lambda inputs, output, weights: tf.shape(output)[0],
            BOUNDARIES,
            [Workload.batch_size] * (len(BOUNDARIES) + 1),
            drop_remainder=True,
        )
        .prefetch(tf.data.AUTOTUNE)
    )


def configure(workload: Workload) -> None:
    """Threads and seed."""
    tf.config.threading.set_intra_op_parallelism_threads(workload.threads)
    tf.config.threading.set_inter_op_parallelism_threads(workload.threads)
    keras.utils.set_random_seed(1)


def train(workload: Workload, step: Step, keep: Callable[[Translator], None] = lambda translator: None) -> None:
    """Train by `fit`."""
    configure(workload)
    source, target = vocabularies(workload)
    translator = Translator(workload, source, target)
    translator.model.compile(
        optimizer=keras.optimizers.Adam(Workload.learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=[RealTokens()],
    )
    try:
        pairs = encoded_pairs(workload, source, target)
        translator.model.fit(dataset(pairs), epochs=1_000, callbacks=[Counting(step)], verbose=2)
    finally:
        keep(translator)


def learn(workload: Workload, step: Step) -> None:
    """Train, and keep the weights."""
    train(workload, step, lambda translator: translator.model.save_weights(workload.model / "model.weights.h5"))


def decode(workload: Workload) -> dict[str, Decoded]:
    """Translate the test source, sorted by length, after a first batch that is not counted."""
    configure(workload)
    source, target = vocabularies(workload)
    translator = Translator(workload, source, target)
    translator.model.load_weights(workload.model / "model.weights.h5")
    lines = sorted((source.encode(line) for line in workload.lines("test.source")), key=len)
    size = Workload.batch_size

    def translate(lines: list[list[int]]) -> list[list[str]]:
        found = []
        for first in range(0, len(lines), size):
            batch = lines[first : first + size]
            padded = keras.utils.pad_sequences(batch, padding="post")
            found += [target.decode(row.tolist()) for row in translator.translate(tf.constant(padded))]
        return found

    translate(lines[:size] + lines[-size:])
    return {"greedy": Decoded.timed(lambda: translate(lines))}


if __name__ == "__main__":
    Peer("Keras fit", ("keras", "tensorflow-cpu"), train, learn, decode, warm_up=8.0).main()
