"""The textbook loop in TensorFlow: eager, one Keras GRU call per target word, as the well-known tutorial does it.

Bahdanau's attention and placement, batches padded to their own longest sentence (the tutorial pads to the longest of
the corpus), a loss that leaves padding out, teacher forcing throughout. The decoder hands its state on, which the
tutorial forgets. Translating takes one sentence at a time, greedily, as there.
"""

from __future__ import annotations

import os
from itertools import count
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from peer import Decoded, Peer, Step, Workload
from words import BOS, EOS, Words, encoded_pairs, vocabularies

MAXIMUM_LENGTH = 50
# One sentence at a time takes long; translating so many tells the speed.
SENTENCES = 100


class Encoder(keras.Model):  # type: ignore[misc]
    """Reads the source words."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embedding = layers.Embedding(vocabulary, Workload.embedding_size)
        self.gru = layers.Bidirectional(layers.GRU(Workload.encoder_size, return_sequences=True, return_state=True))

    def call(self, source: Any) -> tuple[Any, Any]:
        memory, forward, backward = self.gru(self.embedding(source), mask=source != 0)
        return memory, tf.concat([forward, backward], axis=-1)


class BahdanauAttention(layers.Layer):  # type: ignore[misc]
    """score = V tanh(W1 query + W2 memory)"""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.W1, self.W2, self.V = layers.Dense(units), layers.Dense(units), layers.Dense(1)

    def call(self, query: Any, memory: Any, mask: Any) -> Any:
        score = self.V(tf.nn.tanh(self.W1(query)[:, tf.newaxis] + self.W2(memory)))  # (B, S, 1)
        weights = tf.nn.softmax(tf.where(mask[:, :, tf.newaxis], score, -1e9), axis=1)
        return tf.reduce_sum(weights * memory, axis=1)


class Decoder(keras.Model):  # type: ignore[misc]
    """Predicts the next target word."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embedding = layers.Embedding(vocabulary, Workload.embedding_size)
        self.gru = layers.GRU(Workload.decoder_size, return_sequences=True, return_state=True)
        self.fc = layers.Dense(vocabulary)
        self.attention = BahdanauAttention(Workload.decoder_size)

    def call(self, word: Any, state: Any, memory: Any, mask: Any) -> tuple[Any, Any]:
        context = self.attention(state, memory, mask)
        inputs = tf.concat([context[:, tf.newaxis], self.embedding(word)], axis=-1)
        output, state = self.gru(inputs, initial_state=state)
        return self.fc(output[:, 0]), state


class Translator:
    """Both halves."""

    def __init__(self, source: Words, target: Words) -> None:
        self.encoder, self.decoder = Encoder(len(source)), Decoder(len(target))
        self.translate([BOS])  # makes the weights

    def loss(self, source: Any, target: Any) -> Any:
        """The sum of the real words' losses, one decoder call a word."""
        memory, state = self.encoder(source)
        mask, total = source != 0, 0.0
        for place in range(target.shape[1] - 1):
            logits, state = self.decoder(target[:, place : place + 1], state, memory, mask)
            words = target[:, place + 1]
            losses = keras.losses.sparse_categorical_crossentropy(words, logits, from_logits=True)
            total += tf.reduce_sum(losses * tf.cast(words != 0, losses.dtype))
        return total

    def translate(self, source: list[int]) -> list[int]:
        """Greedy."""
        words = tf.constant([source])
        memory, state = self.encoder(words)
        word, found = tf.constant([[BOS]]), []
        for _ in range(MAXIMUM_LENGTH):
            logits, state = self.decoder(word, state, memory, words != 0)
            word = tf.argmax(logits, axis=-1, output_type=tf.int32)[:, tf.newaxis]
            found.append(int(word[0, 0]))
            if found[-1] == EOS:
                break
        return found

    def variables(self) -> list[Any]:
        """Of both halves."""
        return self.encoder.trainable_variables + self.decoder.trainable_variables


def configure(workload: Workload) -> None:
    """Threads and seed."""
    tf.config.threading.set_intra_op_parallelism_threads(workload.threads)
    tf.config.threading.set_inter_op_parallelism_threads(workload.threads)
    keras.utils.set_random_seed(1)


def padded(rows: list[list[int]]) -> Any:
    """Rows as long as the longest, padded with zeros."""
    return tf.constant(keras.utils.pad_sequences(rows, padding="post"))


def train(workload: Workload, step: Step) -> None:
    """The tutorial's loop, without its `tf.function`."""
    configure(workload)
    source, target = vocabularies(workload)
    run(Translator(source, target), encoded_pairs(workload, source, target), step)


def run(translator: Translator, pairs: list[tuple[list[int], list[int]]], step: Step) -> None:
    """Train on batches drawn at random."""
    optimizer, random = keras.optimizers.Adam(Workload.learning_rate), np.random.default_rng(1)
    for _ in count():
        batch = [pairs[number] for number in random.choice(len(pairs), Workload.batch_size, replace=False)]
        targets = [translation for _, translation in batch]
        tokens = sum(map(len, targets)) - len(targets)
        with tf.GradientTape() as tape:
            loss = translator.loss(padded([words for words, _ in batch]), padded(targets)) / tokens
        variables = translator.variables()
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        step(tokens)


def weights(workload: Workload, half: str) -> str:
    """Where the weights of one half are kept."""
    return str(workload.model / f"{half}.weights.h5")


def learn(workload: Workload, step: Step) -> None:
    """Train as far as it gets in the time, and keep the weights."""
    configure(workload)
    source, target = vocabularies(workload)
    translator = Translator(source, target)
    try:
        run(translator, encoded_pairs(workload, source, target), step)
    finally:
        translator.encoder.save_weights(weights(workload, "encoder"))
        translator.decoder.save_weights(weights(workload, "decoder"))


def decode(workload: Workload) -> dict[str, Decoded]:
    """Translate sentence by sentence."""
    configure(workload)
    source, target = vocabularies(workload)
    translator = Translator(source, target)
    translator.encoder.load_weights(weights(workload, "encoder"))
    translator.decoder.load_weights(weights(workload, "decoder"))
    lines = [source.encode(line) for line in workload.lines("test.source")[:SENTENCES]]
    return {"greedy": Decoded.timed(lambda: [target.decode(translator.translate(line)) for line in lines])}


if __name__ == "__main__":
    Peer("TensorFlow textbook loop", ("tensorflow-cpu", "keras"), train, learn, decode).main()
