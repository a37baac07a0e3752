"""The whole translator in stock PyTorch, without Diptych: encoder, decoder, attention, training, a sentence of yours.

    python examples/stock_pytorch.py ["I feel hungry"] [--attention none|additive|general] [--steps N]

stock_tensorflow.py is the same program in stock Keras, line by line. The four sentences are known by heart after some
60 steps; with fewer than that the translations are gibberish.
"""

import argparse

try:
    import numpy as np
    import torch
except ModuleNotFoundError as missing:
    raise SystemExit(f"{missing}: pip install torch; or `make setup`, then .venv/bin/python {__file__}")
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

PAIRS = [
    ("I feel hungry", "나는 배가 고프다"),
    ("tensorflow is very difficult", "텐서플로우는 매우 어렵다"),
    ("tensorflow is a framework for deep learning", "텐서플로우는 딥러닝을 위한 프레임워크이다"),
    ("tensorflow is very fast changing", "텐서플로우는 매우 빠르게 변화한다"),
]
PAD, BOS, EOS, UNK = range(4)
EMBEDDING, UNITS, LONGEST, ENOUGH = 32, 64, 12, 60


class Encoder(nn.Module):
    """Reads the source (B, S).

    One output for each word (B, S, H), and the state after the last one (B, H).
    """

    def __init__(self, vocabulary, embedding=EMBEDDING, units=UNITS):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.gru = nn.GRU(embedding, units, batch_first=True)

    def forward(self, source):
        lengths = (source != PAD).sum(dim=1)
        packed = pack_padded_sequence(self.embedding(source), lengths, batch_first=True, enforce_sorted=False)
        memory, state = self.gru(packed)
        return pad_packed_sequence(memory, batch_first=True)[0], state[0]


class Attention(nn.Module):
    """Where to look.

    The memory's mean (B, H) by weights of the source's words (B, S), and these.
    """

    def __init__(self, kind, units=UNITS):
        super().__init__()
        self.kind = kind
        self.memory = nn.Linear(units, units, bias=False)
        if kind == "additive":
            self.query = nn.Linear(units, units, bias=False)
            self.score = nn.Linear(units, 1, bias=False)

    def forward(self, state, memory, mask):
        if self.kind == "additive":
            scores = self.score(torch.tanh(self.query(state)[:, None] + self.memory(memory)))[..., 0]
        else:
            scores = torch.sum(state[:, None] * self.memory(memory), dim=-1)
        weights = torch.softmax(torch.where(mask, scores, -torch.inf), dim=-1)
        return torch.sum(weights[..., None] * memory, dim=1), weights


class Decoder(nn.Module):
    """Reads one target word (B,) with its state (B, H).

    Says how probable each next word is: logits (B, V).
    """

    def __init__(self, vocabulary, attention="additive", embedding=EMBEDDING, units=UNITS):
        super().__init__()
        self.kind = attention
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.attention = None if attention == "none" else Attention(attention, units)
        self.cell = nn.GRUCell(embedding + (units if attention == "additive" else 0), units)
        self.output_layer = nn.Linear(units if attention == "none" else 2 * units, vocabulary)

    def forward(self, word, state, memory, mask):
        inputs, weights = self.embedding(word), None
        if self.kind == "additive":  # looks with the state before its step
            context, weights = self.attention(state, memory, mask)
            inputs = torch.cat([inputs, context], dim=-1)
        state = self.cell(inputs, state)
        if self.kind == "general":  # looks with the state after it
            context, weights = self.attention(state, memory, mask)
        seen = state if self.kind == "none" else torch.cat([context, state], dim=-1)
        return self.output_layer(seen), state, weights


def loss_of(encoder, decoder, source, target):
    """Teacher forcing: the decoder reads the right words.

    The loss is the mean over real words, never over padding.
    """
    memory, state = encoder(source)
    mask, total = source != PAD, 0.0
    for t in range(target.shape[1] - 1):
        logits, state, _ = decoder(target[:, t], state, memory, mask)
        losses = cross_entropy(logits, target[:, t + 1], reduction="none")
        total += torch.sum(losses * (target[:, t + 1] != PAD))
    return total / torch.sum(target[:, 1:] != PAD)


def train(encoder, decoder, source, target, steps):
    weights = [*encoder.parameters(), *decoder.parameters()]  # a sum of two lists
    optimizer = torch.optim.Adam(weights, 0.01)

    def train_step():
        loss = loss_of(encoder, decoder, source, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    for step in range(1, steps + 1):
        loss = train_step()
        if step % max(1, steps // 5) == 0:
            print(f"step {step}  loss {float(loss.detach()):.4f}")


def translate(encoder, decoder, words, sentence):
    """Greedy: take the most probable word, read it, go on to <eos>."""
    english, korean = words
    source = torch.tensor([[english.index(word) if word in english else UNK for word in sentence.split()]])
    (memory, state), word, said = encoder(source), BOS, []
    while len(said) < LONGEST:
        logits, state, _ = decoder(torch.tensor([word]), state, memory, source != PAD)
        word = int(torch.argmax(logits[0]))
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

    torch.manual_seed(1)
    words = english, korean = [vocabulary(side) for side in zip(*PAIRS)]
    source = torch.tensor(padded([[english.index(word) for word in pair[0].split()] for pair in PAIRS]))
    target = torch.tensor(padded([[BOS, *map(korean.index, pair[1].split()), EOS] for pair in PAIRS]))
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
