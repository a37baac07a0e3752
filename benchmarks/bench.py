"""How fast Diptych and its peers train and decode the same workload: `make bench`, or `python benchmarks/bench.py`.

German to English image captions (or any pair of aligned files), words with a minimum frequency of 2, batches of 64,
embedding 256, encoder GRU 2 x 256, decoder GRU 512, Adam, dropout 0.3. In every round each contestant has one turn, a
process of its own, so that a machine whose speed drifts treats all alike; ratios are taken within a round. Counted are
real target tokens: eos is one, padding none. What a peer needs is made when it is first asked for: its virtual
environment under .venv-bench/, and a model that has learnt briefly, kept under runs/bench/.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from bench_table import Round, decoding_table, limits, peak, training_table
from contestant import Contestant, Setting
from contestants import PRECISIONS, contestants
from pairs import prepare

from diptych.errors import DiptychError
from diptych.processes.environment import environment
from diptych.processes.machine import usable_processors

RUNS = Path(__file__).resolve().parents[1] / "runs" / "bench"
TASKS = ("train", "decode")


def main() -> None:
    """Measure and print."""
    arguments = parse()
    chosen = contestants([name for name in arguments.only.split(",") if name])
    chosen = [each for each in chosen if arguments.precision in (None, each.precision)]
    folder = prepare(arguments.train, arguments.test, RUNS)
    setting = Setting(folder, arguments.seconds, arguments.threads)
    tasks = [task for task in TASKS if task == arguments.task or not arguments.task]
    began = time.monotonic()
    rounds, notes = measure(chosen, tasks, arguments.rounds, setting)
    seconds = time.monotonic() - began
    circumstances = environment() | {"threads": arguments.threads, "rounds": arguments.rounds, "seconds": seconds}
    circumstances["versions"] = versions(rounds)
    for line in report(chosen, tasks, rounds, notes, circumstances):
        print(line)
    if arguments.json:
        keys = ("name", "title", "attention", "precision")
        found = {
            "circumstances": circumstances,
            "contestants": {each.key: {key: getattr(each, key) for key in keys} for each in chosen},
            "rounds": rounds,
            "notes": notes,
        }
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    raise SystemExit(1 if notes else 0)


def measure(
    chosen: list[Contestant], tasks: list[str], rounds: int, setting: Setting
) -> tuple[dict[str, list[Round]], list[str]]:
    """Give everybody one turn a round; who fails once is noted and left out from then on."""
    found: dict[str, list[Round]] = {task: [] for task in tasks}
    failed: dict[tuple[str, str], str] = {}
    for number in range(1, rounds + 1):
        for task in tasks:
            turns: Round = {}
            for contestant in chosen:
                if (task, contestant.key) in failed or (task == "decode" and contestant.precision != "float32"):
                    continue
                try:
                    turns[contestant.key] = take_turn(contestant, task, setting)
                    print(f"round {number}: {describe(contestant, turns[contestant.key])}", file=sys.stderr)
                except (RuntimeError, DiptychError, ValueError, LookupError) as error:
                    failed[task, contestant.key] = f"{contestant.key} could not {task}: {error}"
                    print(failed[task, contestant.key], file=sys.stderr)
            found[task].append(turns)
    return found, list(failed.values())


def take_turn(contestant: Contestant, task: str, setting: Setting) -> dict[str, Any]:
    """One turn; with the processors' seconds in the contestant's code and in the system's, start and end included."""
    if task == "decode":
        contestant.learn(setting)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = contestant.train(setting) if task == "train" else contestant.decode(setting)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = {"user_seconds": after.ru_utime - before.ru_utime, "system_seconds": after.ru_stime - before.ru_stime}
    return result | used


def describe(contestant: Contestant, result: dict[str, Any]) -> str:
    """A turn in one line."""
    name = f"{contestant.title}, {contestant.attention}, {contestant.precision}"
    if training := result.get("training"):
        return f"{name}: {', '.join(f'{speed:,.0f}' for speed in training['target_tokens_per_second'])} tokens/s"
    parts = [f"{search} {found['seconds']:.2f} s" for search, found in result["decoding"].items()]
    return f"{name}: {', '.join(parts)}"


def report(
    chosen: list[Contestant],
    tasks: list[str],
    rounds: dict[str, list[Round]],
    notes: list[str],
    circumstances: dict[str, Any],
) -> list[str]:
    """The tables, what failed, and the circumstances."""
    lines = []
    for task, table in zip(TASKS, (training_table, decoding_table), strict=True):
        if task in tasks:
            lines += [*table(chosen, rounds[task]), ""]
    lines += [f"note: {note}" for note in notes]
    for (attention, precision), speed in limits(chosen, rounds.get("train", [])).items():
        lines.append(
            f"the limit, {attention}, {precision}: {speed:,.0f} target tokens/s, were it matrix products alone"
        )
    lines += [f"kernels of {line}" for line in kernels(chosen, rounds.get("train", []))]
    named = ", ".join(f"{name} {version}" for name, version in circumstances["versions"].items())
    lines.append(
        f"{circumstances['processor']}, {circumstances['processor_family']}, peak "
        f"{peak(rounds.get('train', [])):,.0f} GFLOP/s, {circumstances['threads']} threads, "
        f"{circumstances['rounds']} rounds in {circumstances['seconds'] / 60:.0f} minutes, {circumstances['time']}; "
        f"{named}, Python {circumstances['python']}"
    )
    return lines


def kernels(chosen: list[Contestant], rounds: list[Round]) -> list[str]:
    """What those of ours chose by measuring that chose at all."""
    lines = []
    for contestant in chosen:
        found = [turn[contestant.key].get("choices") for turn in rounds if contestant.key in turn]
        told = sorted({choice for choices in found if choices for choice in choices.values()})
        if told:
            name = f"{contestant.title}, {contestant.attention}, {contestant.precision}"
            lines.append(f"{name}: {'; or '.join(told)}")
    return lines


def versions(rounds: dict[str, list[Round]]) -> dict[str, str]:
    """Of all that was measured."""
    found = {}
    for turns in (turns for task in rounds.values() for turns in task):
        for result in turns.values():
            found |= result["versions"]
    found.pop("python", None)
    return found


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    pair: dict[str, Any] = {"nargs": 2, "type": Path, "metavar": ("SOURCE", "TARGET")}
    parser.add_argument("--train", **pair, help="two aligned files instead of Multi30k's")
    parser.add_argument("--test", **pair, help="two more to decode; by default the first 1,000 training pairs")
    parser.add_argument("--only", default="", help="names with commas between them; by default everybody")
    parser.add_argument("--task", choices=TASKS, help="by default both")
    parser.add_argument("--precision", choices=PRECISIONS, help="by default both")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=6.0, help="how long training is measured in a turn, roughly")
    processors = usable_processors()
    parser.add_argument("--threads", type=int, default=processors, help="processor threads of each contestant")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all that was measured as JSON")
    arguments = parser.parse_args()
    if arguments.test and not arguments.train:
        parser.error("--test needs --train: the default training text has its own test text")
    return arguments


if __name__ == "__main__":
    main()
