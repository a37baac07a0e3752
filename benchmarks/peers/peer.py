"""What all peers share: the workload, the command line, and the line of JSON that a script ends with.

`python opennmt.py TASK --folder FOLDER --attention general` runs one task with the interpreter of that peer's own
virtual environment. The tasks: `learn` trains a model briefly and keeps it, so that its translations end where they
should; `train` measures training; `decode` measures decoding with the model that `learn` left.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from stopwatch import Countdown, Finished, Stopwatch

Step = Callable[[int], None]
"""Called after each optimizer step with its number of real target tokens; raises Finished to end the training."""


@dataclass(frozen=True)
class Workload:
    """The task, the same for every contestant: translation of words, these sizes, these files.

    Attributes:
        folder: holds train.source, train.target, test.source and test.target, one sentence a line.
        attention: general or additive.
        threads: processor threads.
        model: a folder for what this peer keeps: its vocabulary and its model.
        decoded_batch: how many sentences OpenNMT-py translates at once.
        decoded_sentences: how many in all, evenly spaced; 0: all.
    """

    folder: Path
    attention: str
    threads: int
    model: Path
    decoded_batch: int = 64
    decoded_sentences: int = 0

    batch_size = 64
    minimum_frequency = 2
    embedding_size = 256
    encoder_size = 256  # in each of two directions
    decoder_size = 512
    dropout = 0.3
    learning_rate = 0.001
    beam_size = 5
    # About one epoch of Multi30k: enough for translations as long as they should be.
    steps_to_learn = 450
    # The textbook loops would take hours for that; they get as far as they get.
    seconds_to_learn = 180.0

    def path(self, name: str) -> Path:
        """One of the four text files."""
        return self.folder / name

    def lines(self, name: str) -> list[list[str]]:
        """The words of each line of one of the four text files."""
        return [line.split() for line in self.path(name).read_text(encoding="utf-8").split("\n")[:-1]]


@dataclass(frozen=True)
class Decoded:
    """Translations and how long they took, loading apart.

    Attributes:
        seconds: for all of them.
        sentences: how many.
        target_tokens: how many were emitted, eos included.
    """

    seconds: float
    sentences: int
    target_tokens: int

    @classmethod
    def timed(cls, translate: Callable[[], list[list[str]]]) -> Decoded:
        """Time a call that gives the words of each translation, without eos."""
        mark = time.perf_counter()
        translations = translate()
        seconds = time.perf_counter() - mark
        return cls(seconds, len(translations), sum(len(words) + 1 for words in translations))


@dataclass(frozen=True)
class Peer:
    """One contestant.

    Attributes:
        name: as the table says it.
        packages: the distributions whose versions matter, the peer's own first.
        train: runs the toolkit's own training loop and has `step` called after each optimizer step.
        learn: trains until `step` raises Finished, and keeps the model in `workload.model`.
        decode: the kept model's translations of the test source: "greedy" and, where the toolkit has it, "beam5".
        warm_up: seconds after the first step that are not measured.
    """

    name: str
    packages: tuple[str, ...]
    train: Callable[[Workload, Step], None]
    learn: Callable[[Workload, Step], None]
    decode: Callable[[Workload], dict[str, Decoded]]
    warm_up: float = 3.0

    def main(self) -> None:
        """Do what the command line says; the last line of standard output is the result, all else goes to stderr."""
        arguments = parse(self.name)
        answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # toolkits print much
        model = arguments.folder / "models" / f"{Path(sys.argv[0]).stem}-{arguments.attention}"
        model.mkdir(parents=True, exist_ok=True)
        workload = Workload(
            arguments.folder.resolve(), arguments.attention, arguments.threads, model.resolve(),
            arguments.batch_size, arguments.sentences,
        )  # fmt: skip
        sys.argv = sys.argv[:1]  # toolkits read it
        training: dict[str, Any] | None = None
        decoding: dict[str, Any] | None = None
        if arguments.task == "train":
            watch = Stopwatch(arguments.seconds, warm_up=self.warm_up)
            until_finished(self.train, workload, watch.step)
            training = {
                "target_tokens_per_second": watch.speeds,
                "steps": watch.steps,
                "warmup_seconds": watch.warm_up_seconds,
            }
        elif arguments.task == "learn":
            with suppress(Finished):
                self.learn(workload, Countdown(Workload.steps_to_learn, Workload.seconds_to_learn).step)
        else:
            decoding = {name: vars(decoded) for name, decoded in self.decode(workload).items()}
        versions = {name: metadata.version(name) for name in self.packages} | {"python": platform.python_version()}
        result = {
            "peer": self.name,
            "version": versions[self.packages[0]],
            "attention": arguments.attention,
            "training": training,
            "decoding": decoding,
            "peak_rss_bytes": peak_memory(),
            "threads": arguments.threads,
            "versions": versions,
        }
        print(json.dumps(result), file=answer, flush=True)


def until_finished(train: Callable[[Workload, Step], None], workload: Workload, step: Step) -> None:
    """Run a training loop until its `step` says that it is enough.

    Raises:
        RuntimeError: the loop ended earlier.
    """
    try:
        train(workload, step)
    except Finished:
        return
    raise RuntimeError("the training ended before enough of it was measured: give fewer --seconds or more text")


def parse(name: str) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=f"{name} at the common workload.")
    parser.add_argument("task", choices=("learn", "train", "decode"))
    parser.add_argument("--folder", type=Path, required=True, help="holds train.source, train.target, test.source ...")
    parser.add_argument("--attention", choices=("general", "additive"), default="general")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long training is measured once it is warm")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=64, help="of decoding; only OpenNMT-py's script hears it")
    parser.add_argument("--sentences", type=int, default=0, help="decode so many, evenly spaced; as above")
    return parser.parse_args()


def peak_memory() -> int:
    """The most memory this process has had at once, in bytes."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
