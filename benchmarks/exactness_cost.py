"""What exact training costs beside float32 and float64: `benchmarks/exactness_cost.py [FOLDER]`, some minutes.

Both frameworks at the same time, one thread each; in each the three precisions take turns, and what counts is processor
time, so that what else the machine does matters little. A process of its own for each precision tells its peak memory.
The large model is that of configs/multi30k-de-en.toml, whose texts are expected in FOLDER (data). Notes
docs/exactness/cost.json and writes the table in docs/exactness.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from exactness import STANDARD, machine
from exactness_table import NAMES, NOTES, ROOT, write_cost

from diptych.config import read_config
from diptych.runs.run import Run
from diptych.storage.place import replace_file
from diptych.training.evidence import DIGEST_EVERY

PRECISIONS, ROUNDS = ("float32", "float64", "exact"), 3
STEPS = {"small": 40, "multi30k-de-en": 8}
MEASURE = """
import dataclasses, json, resource, sys, time
from diptych.benchmark.training_trial import TrainingTrial
from diptych.panel import load
from diptych.parameters.digest import digest
from diptych.runs.run import Run

folder, backend, steps, rounds, precisions = json.loads(sys.argv[1])
panel, run, trials, told = load(backend, 1, "cpu"), Run.open(folder), {}, {}
for precision in precisions:
    training = run.config.training.model_copy(update={"precision": precision})
    given = dataclasses.replace(run, config=run.config.model_copy(update={"training": training}))
    trials[precision] = TrainingTrial(panel, given, given.build(panel), steps)
    trials[precision].prepare()
    trials[precision].block()
for turn in range(rounds):
    for precision, trial in trials.items():
        mark = time.process_time()
        trial.block()
        told.setdefault(precision, []).append((time.process_time() - mark) / trial.counts["target_tokens"])
found = {"seconds_per_target_token": told, "steps": steps}
found["target_tokens_per_step"] = trials[precisions[0]].counts["target_tokens"] / steps
found["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
if "exact" in trials:
    mark = time.process_time()
    digest(panel.export_parameters(trials["exact"]._model))
    found["digest_seconds"] = time.process_time() - mark
print(json.dumps(found))
"""


def start(run: Run, backend: str, steps: int, rounds: int, precisions: tuple[str, ...]) -> subprocess.Popen[str]:
    """Begin to measure in a process of its own."""
    given = json.dumps([str(run.folder), backend, steps, rounds, precisions])
    return subprocess.Popen([sys.executable, "-c", MEASURE, given], stdout=subprocess.PIPE, encoding="utf-8")


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a process has measured."""
    told = process.communicate()[0]
    if process.returncode:
        raise SystemExit("a measurement failed; what it said is above")
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    return found


def main() -> None:
    """Measure both sizes in both frameworks, note it, write the table."""
    data = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "data").resolve()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    told: dict[str, Any] = {"machine": machine(), "rounds": ROUNDS, "digest_every": DIGEST_EVERY, "sizes": {}}
    large = read_config(ROOT / "configs" / "multi30k-de-en.toml")
    parts = {"train": "train", "validation": "val", "test": "test"}
    paths = {
        key: tuple(str(data / "multi30k" / f"{part}.{side}.gz") for side in ("de", "en")) for key, part in parts.items()
    }
    large = large.model_copy(update={"data": large.data.model_copy(update=paths)})
    with tempfile.TemporaryDirectory(prefix="exactness-") as folder:
        for size, config in {"small": STANDARD, "multi30k-de-en": large}.items():
            run = Run.create(config, Path(folder) / size)
            started = {backend: start(run, backend, STEPS[size], ROUNDS, PRECISIONS) for backend in NAMES}
            found = {backend: result(process) | {"peak_bytes_of_each": {}} for backend, process in started.items()}
            for precision in PRECISIONS:
                started = {backend: start(run, backend, 3, 0, (precision,)) for backend in NAMES}
                for backend, process in started.items():
                    found[backend]["peak_bytes_of_each"][precision] = result(process)["peak_bytes"]
            told["sizes"][size] = found
            replace_file(NOTES / "cost.json", json.dumps(told, indent=1) + "\n")
            write_cost()


if __name__ == "__main__":
    main()
