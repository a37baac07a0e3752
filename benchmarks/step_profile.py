"""Where one training step spends its time: `python benchmarks/step_profile.py [--attention additive]`.

The standard model of `diptych benchmark` on its own corpus, one batch of middling size, each panel in a process of its
own, with its framework's own profiler. Times of operations are summed over the threads that ran them; where a framework
runs operations side by side their sum is more than the step, so shares are those of the sum.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from diptych.panel import BACKENDS, NAMES, load
from diptych.processes.machine import usable_processors

STEPS = 10
# Which operations are what; the first that fits. What fits none is arithmetic number by number.
KINDS = {
    "attention's products": ("bmm", "BatchMatMul"),
    "matrix products": ("mm", "MatMul", "linear_pointwise", "_Linear"),
    "softmax and loss": ("softmax", "Softmax", "aten::exp", "LogSumExp", "gather", "scatter"),
    "optimizer and clipping": ("adam", "aten::pow", "aten::mul_", "XlaRun", "XlaLaunch", "Optimizer"),
    "embeddings": ("embedding", "index_select", "index_put", "index_add", "Gather", "SegmentSum"),
    "copies": (
        *("copy", "cat", "stack", "clone", "fill", "zero", "contiguous", "empty", "Concat", "Transpose", "Reverse"),
        *("TensorList", "Split", "Pack", "Slice", "Broadcast", "Identity", "Fill", "Reshape"),
    ),
}


def main() -> None:
    """Print a table of shares, a column for each panel."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attention", default="general")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--threads", type=int, default=usable_processors())
    parser.add_argument("--backend", choices=BACKENDS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.backend:
        print(json.dumps(profile(arguments.backend, arguments)))
        return
    found = {}
    for backend in BACKENDS:
        command = [sys.executable, __file__, *sys.argv[1:], "--backend", backend]
        found[backend] = json.loads(subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout)
    print(f"{'milliseconds of one step':28}" + "".join(f"{NAMES[backend]:>20}" for backend in BACKENDS))
    for kind in [*KINDS, "number by number"]:
        cells = [found[backend]["kinds"].get(kind, 0.0) for backend in BACKENDS]
        sums = [sum(found[backend]["kinds"].values()) for backend in BACKENDS]
        pairs = zip(cells, sums, strict=True)
        print(f"{kind:28}" + "".join(f"{cell:12.1f} {100 * cell / whole:5.1f} %" for cell, whole in pairs))
    for what in ("step", "dropout masks, beside it"):
        print(f"{what:28}" + "".join(f"{found[backend][what]:12.1f}        " for backend in BACKENDS))


def profile(backend: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """One panel's milliseconds of a step by kind of operation, of the step as a whole and of making its masks."""
    panel = load(backend, arguments.threads, "cpu")
    from diptych.benchmark.standard import standard_config
    from diptych.benchmark.training_trial import TrainingTrial
    from diptych.config import parse_config
    from diptych.runs.run import Run

    with tempfile.TemporaryDirectory(prefix="diptych-") as name:
        values = standard_config(Path(name)).model_dump(mode="json")
        values["model"]["attention"], values["training"]["precision"] = arguments.attention, arguments.precision
        run = Run.create(parse_config(values, origin="benchmark"), Path(name) / "run")
        trial = TrainingTrial(panel, run, run.build(panel), 3)
        trial.prepare()
        mark = time.perf_counter()
        works = [trial._work(trial.batches[1], step) for step in range(STEPS)]
        masks = time.perf_counter() - mark
        trial._train(works)
        seconds = min(trial._train(works) for _ in range(3))
        names = {"tensorflow": in_tensorflow, "pytorch": in_pytorch}[backend](lambda: trial._train(works), Path(name))
    kinds: Counter[str] = Counter()
    for operation, spent in names.items():
        fits = (kind for kind, parts in KINDS.items() if any(part in operation for part in parts))
        kinds[next(fits, "number by number")] += spent * 1e3 / STEPS
    return {"kinds": kinds, "step": seconds * 1e3 / STEPS, "dropout masks, beside it": masks * 1e3 / STEPS}


def in_pytorch(train: Any, folder: Path) -> Counter[str]:
    """Seconds by operation, those of the operations within it not counted."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU]) as found:
        train()
    return Counter({event.key: event.self_cpu_time_total / 1e6 for event in found.key_averages()})


def in_tensorflow(train: Any, folder: Path) -> Counter[str]:
    """Seconds by operation; a compiled part is one operation."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    tf.profiler.experimental.start(str(folder))
    train()
    tf.profiler.experimental.stop()
    (path,) = folder.rglob("*.xplane.pb")
    space = xplane_pb2.XSpace()
    space.ParseFromString(path.read_bytes())
    seconds: Counter[str] = Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                operation = re.fullmatch(r"[^:]+:([A-Za-z_]\w*)", name)
                if operation and not operation[1].endswith(("While", "PartitionedCall", "XlaRun", "XlaLaunch")):
                    seconds[operation[1]] += event.duration_ps / 1e12
                elif name.endswith("::ExecuteAsyncOnStream"):
                    seconds["XlaRun"] += event.duration_ps / 1e12
    return seconds


if __name__ == "__main__":
    main()
