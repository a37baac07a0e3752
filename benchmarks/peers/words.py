"""Words to numbers, for the peers that bring no vocabulary of their own."""

from __future__ import annotations

from collections import Counter

from peer import Workload

PAD, BOS, EOS, UNK = range(4)


class Words:
    """The words of one side of the training text that are there often enough, and their numbers.

    Args:
        lines: the training text.
    """

    def __init__(self, lines: list[list[str]]) -> None:
        counts = Counter(word for line in lines for word in line)
        kept = [word for word, count in counts.most_common() if count >= Workload.minimum_frequency]
        self.words = ["<pad>", "<bos>", "<eos>", "<unk>", *kept]
        self.numbers = {word: number for number, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, line: list[str]) -> list[int]:
        """The numbers of a line's words; those that are too rare are UNK."""
        return [self.numbers.get(word, UNK) for word in line]

    def decode(self, numbers: list[int]) -> list[str]:
        """The words before EOS."""
        end = numbers.index(EOS) if EOS in numbers else len(numbers)
        return [self.words[number] for number in numbers[:end]]


def vocabularies(workload: Workload) -> tuple[Words, Words]:
    """The source's and the target's."""
    return Words(workload.lines("train.source")), Words(workload.lines("train.target"))


def encoded_pairs(workload: Workload, source: Words, target: Words) -> list[tuple[list[int], list[int]]]:
    """The training pairs as numbers; the target begins with BOS and ends with EOS."""
    lines = zip(workload.lines("train.source"), workload.lines("train.target"), strict=True)
    return [(source.encode(ours), [BOS, *target.encode(theirs), EOS]) for ours, theirs in lines]
