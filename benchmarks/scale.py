"""How time and memory grow: `python benchmarks/scale.py [--quick] [--output FOLDER] [--threads N] [--rounds R]`.

Trained are models of the size of docs/scale.md on corpora made by rule, in both panels, each trial in a fresh process:

    pairs        10,000 to 3,000,000 training pairs, and at the last of them over the end of an epoch
    vocabulary   1,000 to 50,000 words
    length       10 to 400 characters, with two kinds of attention
    layers       1 to 4

Each trial is a line of FOLDER/results.jsonl; one that is there is not repeated, so what was interrupted goes on when it
is started again. At the end the tables are printed and the pictures drawn. FOLDER needs about 2 GB.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from scale_corpus import write_characters, write_words
from scale_pictures import draw, tables

from diptych.panel import BACKENDS
from diptych.processes.environment import environment
from diptych.processes.machine import usable_processors

TRIAL = Path(__file__).with_name("scale_trial.py")
MODEL = {
    "embedding_size": 256,
    "encoder_size": 256,
    "decoder_size": 512,
    "attention": "general",
    "attentional_layer": True,
    "dropout": 0.1,
}
# As many pairs for training, whatever their number: these are held out beside them.
HELD_OUT = 500


@dataclass(frozen=True)
class Case:
    """One trial: what grows, and what it is trained with.

    Attributes:
        series: what grows: pairs, vocabulary, length or layers.
        value: to how much.
        pairs, words, characters: the corpus; characters 0 for one of words.
        steps: how many optimizer steps are done; the first `warm_up` of them are not timed.
    """

    series: str
    value: int
    pairs: int = 20_000
    words: int = 8_000
    characters: int = 0
    layers: int = 1
    batch_size: int = 64
    attention: str = "general"
    steps: int = 40
    warm_up: int = 10
    at_epoch_s_end: bool = False

    def config(self, source: Path, target: Path) -> dict:
        """The run's config; the end of training is never reached."""
        kind = "character" if self.characters else "word"
        data = {
            "corpus": "files",
            "train": [str(source), str(target)],
            "validation_size": HELD_OUT,
            "test_size": HELD_OUT,
            "maximum_pairs": 0,
            "maximum_length": 500,
            "source_tokenizer": kind,
            "target_tokenizer": kind,
        }
        model = MODEL | {"attention": self.attention, "encoder_layers": self.layers, "decoder_layers": self.layers}
        training = {"epochs": 1000, "batch_size": self.batch_size, "validate_every": 10**9, "learning_rate": 0.001}
        return {"name": "scale", "data": data, "model": model, "training": training}

    @property
    def run_name(self) -> str:
        """The folder of its run, which trials of equal data and model share."""
        parts = (self.pairs, self.words, self.characters, self.layers, self.batch_size, self.attention)
        return "-".join(map(str, parts))


def cases(quick: bool) -> Iterator[Case]:
    """Every case, in the order in which they are tried."""
    sizes = (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000, 3_000_000)
    steps = 40 if quick else 150
    for size in sizes:
        yield Case("pairs", size, pairs=size + 2 * HELD_OUT, steps=steps)
    yield Case("pairs", sizes[-1], pairs=sizes[-1] + 2 * HELD_OUT, steps=40, at_epoch_s_end=True)
    few = {"steps": 15, "warm_up": 5} if quick else {}
    for words in (1_000, 5_000) if quick else (1_000, 5_000, 10_000, 20_000, 50_000):
        yield Case("vocabulary", words, words=words, **few)
    for attention in ("general", "additive"):
        for length in (10, 50) if quick else (10, 25, 50, 100, 200, 400):
            steps = {"steps": 15, "warm_up": 5} if quick or length > 50 else {}
            yield Case("length", length, characters=length, batch_size=16, attention=attention, pairs=5_000, **steps)
    for layers in (1, 2) if quick else (1, 2, 3, 4):
        yield Case("layers", layers, layers=layers, **few)


def main() -> None:
    """Try what has not been tried, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few small cases, to see that it works")
    parser.add_argument("--output", type=Path, default=Path("runs/scale"))
    parser.add_argument("--threads", type=int, default=usable_processors())
    parser.add_argument("--rounds", type=int, default=3, help="how often each number of pairs is tried")
    parser.add_argument("--series", nargs="*", help="only these: pairs, vocabulary, length, layers")
    parser.add_argument("--pictures", type=Path, help="where the pictures go; by default into the output folder")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    results = arguments.output / "results.jsonl"
    chosen = [case for case in cases(arguments.quick) if not arguments.series or case.series in arguments.series]
    for number in range(arguments.rounds):
        for case in chosen:
            if case.series == "pairs" or not number:
                try_case(case, number, arguments.threads, arguments.output, results)
    found = read(results)
    print(f"{platform.platform()}, {arguments.threads} threads")
    print(tables(found))
    draw(found, arguments.pictures or arguments.output)


def try_case(case: Case, number: int, threads: int, output: Path, results: Path) -> None:
    """Prepare a case's run if need be and train it with each backend; the panels take turns in being first."""
    done = {json.dumps(line["key"]) for line in read(results)}
    folder = output / "runs" / case.run_name
    for backend in BACKENDS if number % 2 == 0 else reversed(BACKENDS):
        key = [asdict(case), number, backend, threads]
        if json.dumps(key) in done:
            continue
        prepare_run(case, folder, output, results)
        request = {
            "kind": "train",
            "folder": str(folder),
            "backend": backend,
            "threads": threads,
            "steps": case.steps,
            "at_epoch_s_end": case.at_epoch_s_end,
        }
        say(f"{case.series} {case.value:,}, {case.attention}, {backend}, round {number + 1}")
        add(results, {"key": key, "case": asdict(case), "backend": backend, **call(request, output)})


def prepare_run(case: Case, folder: Path, output: Path, results: Path) -> None:
    """Make a case's run, unless it is there."""
    if folder.is_dir():
        return
    say(f"preparing {case.pairs:,} pairs")
    write = write_characters if case.characters else write_words
    source, target = write(output / "corpora", case.pairs, case.characters or case.words)
    request = {"kind": "prepare", "config": case.config(source, target), "folder": str(folder)}
    add(results, {"key": ["prepare", case.run_name], "case": asdict(case), **call(request, output)})


def call(request: dict, output: Path) -> dict:
    """What one trial in a process of its own found."""
    paths = output / "request.json", output / "answer.json"
    paths[1].unlink(missing_ok=True)
    paths[0].write_text(json.dumps(request | {"started": time.time()}), encoding="utf-8")
    subprocess.run([sys.executable, "-P", str(TRIAL), *map(str, paths)], check=True)
    return json.loads(paths[1].read_text(encoding="utf-8"))


def add(results: Path, line: dict) -> None:
    """Add a trial to the results."""
    with results.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line | {"environment": environment()}) + "\n")


def read(results: Path) -> list[dict]:
    """Every trial there is."""
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()] if results.is_file() else []


def say(text: str) -> None:
    """Say where we are."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
