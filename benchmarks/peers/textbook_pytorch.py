"""The textbook loop in PyTorch: one sentence at a time, one word at a time, as the well-known seq2seq tutorial does it.

An encoder GRU of one direction, as there, so wide that the memory has the common size; a decoder with additive
attention; teacher forcing throughout; one Adam for each half. Greedy search, no beam.
"""

from __future__ import annotations

import random
from itertools import count

import torch
from peer import Decoded, Peer, Step, Workload
from torch import Tensor, nn
from torch.nn import functional
from words import BOS, EOS, Words, encoded_pairs, vocabularies

MAXIMUM_LENGTH = 50
# One sentence at a time takes long; translating so many tells the speed.
SENTENCES = 200


class EncoderRNN(nn.Module):
    """Reads one source word."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, Workload.embedding_size)
        self.gru = nn.GRU(Workload.embedding_size, 2 * Workload.encoder_size)

    def forward(self, word: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        output, hidden = self.gru(self.embedding(word).view(1, 1, -1), hidden)
        return output, hidden


class AttnDecoderRNN(nn.Module):
    """Predicts one target word."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        size, memory = Workload.decoder_size, 2 * Workload.encoder_size
        self.embedding = nn.Embedding(vocabulary, Workload.embedding_size)
        self.query, self.key, self.score = nn.Linear(size, size), nn.Linear(memory, size), nn.Linear(size, 1)
        self.gru = nn.GRU(Workload.embedding_size + memory, size)
        self.dropout = nn.Dropout(Workload.dropout)
        self.out = nn.Linear(size, vocabulary)

    def forward(self, word: Tensor, hidden: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.score(torch.tanh(self.query(hidden[0]) + self.key(memory)))  # (S, 1)
        context = functional.softmax(scores, dim=0).T @ memory
        embedded = self.dropout(self.embedding(word).view(1, -1))
        output, hidden = self.gru(torch.cat((embedded, context), dim=1).unsqueeze(0), hidden)
        return functional.log_softmax(self.out(output[0]), dim=1), hidden


class Translator(nn.Module):
    """Both halves."""

    def __init__(self, source: Words, target: Words) -> None:
        super().__init__()
        self.encoder, self.decoder = EncoderRNN(len(source)), AttnDecoderRNN(len(target))

    def encode(self, words: Tensor) -> tuple[Tensor, Tensor]:
        """The memory (S, M) and the last state, word by word."""
        hidden = torch.zeros(1, 1, 2 * Workload.encoder_size)
        memory = torch.zeros(len(words), 2 * Workload.encoder_size)
        for place in range(len(words)):
            output, hidden = self.encoder(words[place], hidden)
            memory[place] = output[0, 0]
        return memory, hidden

    def translate(self, words: Tensor) -> list[int]:
        """Greedy."""
        memory, hidden = self.encode(words)
        word, found = torch.tensor(BOS), []
        for _ in range(MAXIMUM_LENGTH):
            scores, hidden = self.decoder(word, hidden, memory)
            word = scores.argmax()
            found.append(word.item())
            if word.item() == EOS:
                break
        return found


def configure(workload: Workload) -> None:
    """Threads and seed."""
    torch.set_num_threads(workload.threads)
    torch.manual_seed(1)


def train(workload: Workload, step: Step) -> None:
    """The tutorial's loop."""
    configure(workload)
    source, target = vocabularies(workload)
    run(Translator(source, target), encoded_pairs(workload, source, target), step)


def run(translator: Translator, pairs: list[tuple[list[int], list[int]]], step: Step) -> None:
    """Train on sentences drawn at random."""
    halves = (translator.encoder, translator.decoder)
    optimizers = [torch.optim.Adam(half.parameters(), lr=Workload.learning_rate) for half in halves]
    criterion, order = nn.NLLLoss(), random.Random(1)
    for _ in count():
        words, translation = map(torch.tensor, order.choice(pairs))
        for optimizer in optimizers:
            optimizer.zero_grad()
        memory, hidden = translator.encode(words)
        loss = torch.tensor(0.0)
        for place in range(len(translation) - 1):
            scores, hidden = translator.decoder(translation[place], hidden, memory)
            loss = loss + criterion(scores, translation[place + 1].view(1))
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        step(len(translation) - 1)


def learn(workload: Workload, step: Step) -> None:
    """Train as far as it gets in the time, and keep the weights."""
    configure(workload)
    source, target = vocabularies(workload)
    translator = Translator(source, target)
    try:
        run(translator, encoded_pairs(workload, source, target), step)
    finally:
        torch.save(translator.state_dict(), workload.model / "weights.pt")


def decode(workload: Workload) -> dict[str, Decoded]:
    """Translate sentence by sentence."""
    torch.set_num_threads(workload.threads)
    source, target = vocabularies(workload)
    translator = Translator(source, target).eval()
    translator.load_state_dict(torch.load(workload.model / "weights.pt", weights_only=True))
    lines = [torch.tensor(source.encode(line)) for line in workload.lines("test.source")[:SENTENCES]]
    with torch.no_grad():
        return {"greedy": Decoded.timed(lambda: [target.decode(translator.translate(line)) for line in lines])}


if __name__ == "__main__":
    Peer("PyTorch textbook loop", ("torch",), train, learn, decode).main()
