"""The whole translator in stock Keras, without Diptych: encoder, decoder, attention, training, a sentence of yours.

    python examples/stock_tensorflow.py ["I feel hungry"] [--attention none|additive|general] [--steps N]

stock_pytorch.py is the same program in stock PyTorch, line by line. The four sentences are known by heart after some
60 steps; with fewer than that the translations are gibberish.
"""

import argparse
import os

os.environ["KERAS_BACKEND"] = "tensorflow"  # before Keras is imported
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

try:
    import keras
    import numpy as np
    import tensorflow as tf
except ModuleNotFoundError as missing:
    raise SystemExit(f"{missing}: pip install tensorflow; or `make setup`, then .venv/bin/python {__file__}")
from keras.losses import sparse_categorical_crossentropy

PAIRS = [
    ("I feel hungry", "나는 배가 고프다"),
    ("tensorflow is very difficult", "텐서플로우는 매우 어렵다"),
    ("tensorflow is a framework for deep learning", "텐서플로우는 딥러닝을 위한 프레임워크이다"),
    ("tensorflow is very fast changing", "텐서플로우는 매우 빠르게 변화한다"),
]
PAD, BOS, EOS, UNK = range(4)
EMBEDDING, UNITS, LONGEST, ENOUGH = 32, 64, 12, 60


class Encoder(keras.Model):
    """Reads the source (B, S).

    One output for each word (B, S, H), and the state after the last one (B, H).
    """

    def __init__(self, vocabulary, embedding=EMBEDDING, units=UNITS):
        super().__init__()
        self.embedding = keras.layers.Embedding(vocabulary, embedding)
        self.gru = keras.layers.GRU(units, return_sequences=True, return_state=True)

    def call(self, source):
        memory, state = self.gru(self.embedding(source), mask=source != PAD)
        return memory, state


class Attention(keras.layers.Layer):
    """Where to look.

    The memory's mean (B, H) by weights of the source's words (B, S), and these.
    """

    def __init__(self, kind, units=UNITS):
        super().__init__()
        self.kind = kind
        self.memory = keras.layers.Dense(units, use_bias=False)
        if kind == "additive":
            self.query = keras.layers.Dense(units, use_bias=False)
            self.score = keras.layers.Dense(1, use_bias=False)

    def call(self, state, memory, mask):
        if self.kind == "additive":
            scores = self.score(tf.tanh(self.query(state)[:, None] + self.memory(memory)))[..., 0]
        else:
            scores = tf.reduce_sum(state[:, None] * self.memory(memory), axis=-1)
        weights = tf.nn.softmax(tf.where(mask, scores, -float("inf")), axis=-1)
        return tf.reduce_sum(weights[..., None] * memory, axis=1), weights


class Decoder(keras.Model):
    """Reads one target word (B,) with its state (B, H).

    Says how probable each next word is: logits (B, V).
    """

    def __init__(self, vocabulary, attention="additive", embedding=EMBEDDING, units=UNITS):
        super().__init__()
        self.kind = attention
        self.embedding = keras.layers.Embedding(vocabulary, embedding)
        self.attention = None if attention == "none" else Attention(attention, units)
        self.cell = keras.layers.GRUCell(units)
        self.output_layer = keras.layers.Dense(vocabulary)

    def call(self, word, state, memory, mask):
        inputs, weights = self.embedding(word), None
        if self.kind == "additive":  # looks with the state before its step
            context, weights = self.attention(state, memory, mask)
            inputs = tf.concat([inputs, context], axis=-1)
        state, _ = self.cell(inputs, [state])
        if self.kind == "general":  # looks with the state after it
            context, weights = self.attention(state, memory, mask)
        seen = state if self.kind == "none" else tf.concat([context, state], axis=-1)
        return self.output_layer(seen), state, weights


def loss_of(encoder, decoder, source, target):
    """Teacher forcing: the decoder reads the right words.

    The loss is the mean over real words, never over padding.
    """
    memory, state = encoder(source)
    mask, total = source != PAD, 0.0
    for t in range(target.shape[1] - 1):
        logits, state, _ = decoder(target[:, t], state, memory, mask)
        losses = sparse_categorical_crossentropy(target[:, t + 1], logits, from_logits=True)
        total += tf.reduce_sum(losses * tf.cast(target[:, t + 1] != PAD, losses.dtype))
    return total / tf.cast(tf.math.count_nonzero(target[:, 1:]), total.dtype)


def train(encoder, decoder, source, target, steps):
    weights = encoder.trainable_variables + decoder.trainable_variables  # a sum of two lists
    optimizer = keras.optimizers.Adam(0.01)

    @tf.function
    def train_step():
        with tf.GradientTape() as tape:
            loss = loss_of(encoder, decoder, source, target)
        optimizer.apply(tape.gradient(loss, weights), weights)
        return loss

    for step in range(1, steps + 1):
        loss = train_step()
        if step % max(1, steps // 5) == 0:
            print(f"step {step}  loss {float(loss):.4f}")


def translate(encoder, decoder, words, sentence):
    """Greedy: take the most probable word, read it, go on to <eos>."""
    english, korean = words
    source = tf.constant([[english.index(word) if word in english else UNK for word in sentence.split()]])
    (memory, state), word, said = encoder(source), BOS, []
    while len(said) < LONGEST:
        logits, state, _ = decoder(tf.constant([word]), state, memory, source != PAD)
        word = int(tf.argmax(logits[0]))
        if word == EOS:
            break
        said.append(korean[word])
    return " ".join(said)


def vocabulary(sentences):
    """Every word of some sentences by its id, after four special ones."""
    return ["<pad>", "<bos>", "<eos>", "<unk>", *sorted({word for each in sentences for word in each.split()})]


def padded(rows):
    """Lists of ids as one array, with 0 where a row has ended."""
    return np.array([row + [PAD] * (max(map(len, rows)) - len(row)) for row in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sentence", nargs="*", help="a sentence of your own, made of the words of the four")
    parser.add_argument("--attention", choices=["none", "additive", "general"], default="additive")
    parser.add_argument("--steps", type=int, default=100, help=f"training steps; some {ENOUGH} are needed")
    arguments = parser.parse_args()

    keras.utils.set_random_seed(1)
    words = english, korean = [vocabulary(side) for side in zip(*PAIRS)]
    source = tf.constant(padded([[english.index(word) for word in pair[0].split()] for pair in PAIRS]))
    target = tf.constant(padded([[BOS, *map(korean.index, pair[1].split()), EOS] for pair in PAIRS]))
    encoder, decoder = Encoder(len(english)), Decoder(len(korean), arguments.attention)
    memory, state = encoder(source)
    logits, state, _ = decoder(target[:, 0], state, memory, source != PAD)
    print(f"source {tuple(source.shape)} -> memory {tuple(memory.shape)}, state {tuple(state.shape)}")
    print(f"one word {tuple(target[:, 0].shape)} -> logits {tuple(logits.shape)}")

    train(encoder, decoder, source, target, arguments.steps)
    if arguments.steps < ENOUGH:
        print(f"{arguments.steps} steps are few: expect gibberish, some {ENOUGH} are needed")
    for sentence in [*(english for english, _ in PAIRS), *arguments.sentence]:
        unknown = [word for word in sentence.split() if word not in english]
        note = f"   (never seen: {', '.join(unknown)})" if unknown else ""
        print(f"{sentence} -> {translate(encoder, decoder, words, sentence)}{note}")


if __name__ == "__main__":
    main()
