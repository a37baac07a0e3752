"""What a sentence takes in each runtime that `diptych export` writes for: a process each, in turn.

    .venv/bin/python benchmarks/exported.py RUN [--sentences 100] [--rounds 3] [--threads 2] [--json FILE]

The run is exported to every runtime, float32 and int8, into a folder that goes away. A program like those of
docs/export.md, which knows nothing of Diptych, then translates the same sentences of the run's test part one by one,
greedily. A line for each: what its files take on the disk, seconds until it is loaded and has said the first sentence,
the median sentence's milliseconds after that, and target words (the end counted) a second; of several rounds the
median. FILE (runs/bench/exported.json) has every round.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from decoding import RUNS, write

BOS, EOS, LONGEST = 1, 2, 50
FILES = {"onnx": "*.onnx", "savedmodel": "saved_model/**/*", "litert": "*.tflite", "torchscript": "*.pt"}
State = dict[str, Any]
Encode = Callable[[list[int]], Any]
Step = Callable[[int, Any], tuple[Any, Any]]
"""A token and a state give the log-probabilities (V,) of the next one, and the next state."""


def onnx(folder: str, threads: int) -> tuple[Encode, Step]:
    """ONNX Runtime's encoder and step."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.force_spinning_stop", "1")  # there are two sessions
    encoder, decoder = (
        onnxruntime.InferenceSession(f"{folder}/{name}_model.onnx", options) for name in ("encoder", "decoder")
    )
    given, after = ([each.name for each in session.get_outputs()] for session in (encoder, decoder))
    wanted = [name for name in after if name != "features"]

    def encode(ids: list[int]) -> State:
        return dict(
            zip(given, encoder.run(None, {"input_ids": np.array([ids]), "input_lengths": np.array([len(ids)])}))
        )

    def step(token: int, state: State) -> tuple[Any, State]:
        fed = {name.replace("present_", "past_"): value for name, value in state.items()}
        found = dict(zip(wanted, decoder.run(wanted, {"input_ids": np.array([token])} | fed)))
        return found["log_probabilities"][0], state | {name: value for name, value in found.items() if name in state}

    return encode, step


def savedmodel(folder: str, threads: int) -> tuple[Encode, Step]:
    """A SavedModel's signatures in TensorFlow."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    model = tf.saved_model.load(f"{folder}/saved_model/1").signatures

    def encode(ids: list[int]) -> State:
        return dict(
            model["encode"](input_ids=tf.constant([ids], tf.int64), input_lengths=tf.constant([len(ids)], tf.int64))
        )

    def step(token: int, state: State) -> tuple[Any, State]:
        fed = {name.replace("present_", "past_"): value for name, value in state.items()}
        found = dict(model["step"](input_ids=tf.constant([token], tf.int64), **fed))
        del found["attention"]
        return found.pop("log_probabilities")[0].numpy(), found

    return encode, step


def litert(folder: str, threads: int) -> tuple[Encode, Step]:
    """LiteRT's signatures."""
    import numpy as np
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(f"{folder}/model.tflite", num_threads=threads)
    encode, next_step = (interpreter.get_signature_runner(name) for name in ("encode", "step"))

    def step(token: int, state: State) -> tuple[Any, State]:
        fed = {name.replace("present_", "past_"): value for name, value in state.items()}
        found = next_step(input_ids=np.array([token], np.int32), **fed)
        del found["attention"]
        return found.pop("log_probabilities")[0], found

    return lambda ids: encode(input_ids=np.array([ids], np.int32)), step


def torchscript(folder: str, threads: int) -> tuple[Encode, Step]:
    """TorchScript's methods."""
    import torch

    torch.set_num_threads(threads)
    model = torch.jit.load(f"{folder}/model.pt")

    def step(token: int, state: Any) -> tuple[Any, Any]:
        table, _, after = model.step(torch.tensor([token]), state)
        return table[0].detach().numpy(), after

    return lambda ids: model.encode(torch.tensor([ids]), torch.tensor([len(ids)])), step


RUNTIMES = {"onnx": onnx, "savedmodel": savedmodel, "litert": litert, "torchscript": torchscript}


def measure(to: str, folder: str, sentences: list[list[int]], threads: int) -> dict[str, float]:
    """What one runtime takes, in this process."""

    def translate(ids: list[int]) -> int:
        state, token, said = encode(ids), BOS, 0
        while token != EOS and said < LONGEST:
            table, state = step(token, state)
            token = int(table[EOS:].argmax()) + EOS
            said += 1
        return said

    begun = time.perf_counter()
    encode, step = RUNTIMES[to](folder, threads)
    translate(sentences[0])
    ready = time.perf_counter() - begun
    for ids in sentences[1:6]:
        translate(ids)
    took, words = [], 0
    for ids in sentences:
        mark = time.perf_counter()
        words += translate(ids)
        took.append(time.perf_counter() - mark)
    return {
        "ready_s": ready,
        "sentence_ms": 1e3 * statistics.median(took),
        "words_per_s": words / sum(took),
        "words": words,
    }


def main() -> None:
    """Export to every runtime, measure each in turn, round after round, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--sentences", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, default=RUNS / "exported.json", metavar="FILE")
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.one, given.run, json.loads(sys.stdin.read()), given.threads)))
        return
    from diptych.evaluation.part import read_part
    from diptych.processes.environment import environment
    from diptych.runs.run import Run

    run = Run.open(given.run)
    lines = [source for source, _ in read_part(run, "test")]
    sentences = [
        run.source.encode(run.source_tokenizer.tokenize(line))
        for line in lines[:: max(1, len(lines) // given.sentences)]
    ]
    asked = {"run": run.config.name, "sentences": len(sentences), "threads": given.threads}
    told: dict[str, Any] = {"asked": asked, "environment": environment(), "sizes": {}, "turns": {}}
    with tempfile.TemporaryDirectory(prefix="diptych-") as folder:
        made: dict[str, Path] = {}
        for to in RUNTIMES:
            for more in ([], ["--int8"]) if to in ("onnx", "litert") else ([],):
                name = " in ".join([to, "int8" if more else "float32"])
                made[name] = Path(folder) / name.replace(" ", "-")
                command = [
                    sys.executable,
                    "-m",
                    "diptych",
                    "export",
                    given.run,
                    str(made[name]),
                    "--to",
                    to,
                    "--no-scores",
                ]
                subprocess.run([*command, *more], check=True, stdout=subprocess.DEVNULL)
                files = [path for path in made[name].glob(FILES[to]) if path.is_file()]
                told["sizes"][name] = sum(path.stat().st_size for path in files)
        for number in range(1, given.rounds + 1):
            for name, out in made.items():
                command = [sys.executable, str(Path(__file__)), str(out), "--one", name.partition(" ")[0]]
                command += ["--threads", str(given.threads)]
                finished = subprocess.run(
                    command, input=json.dumps(sentences), capture_output=True, encoding="utf-8", check=False
                )
                if finished.returncode:
                    raise SystemExit(f"{name} failed: {finished.stderr.strip()[-500:]}")
                told["turns"][f"{number}: {name}"] = json.loads(finished.stdout.splitlines()[-1])
                write(given.json, told)
    for name in made:
        rounds = [found for turn, found in told["turns"].items() if turn.partition(": ")[2] == name]
        ready, sentence, words = (
            statistics.median(each[key] for each in rounds) for key in ("ready_s", "sentence_ms", "words_per_s")
        )
        size = told["sizes"][name] / 1e6
        print(
            f"{name:24} {size:6.2f} MB {ready:6.2f} s to the first {sentence:7.2f} ms a sentence {words:7,.0f} words/s"
        )


if __name__ == "__main__":
    main()
