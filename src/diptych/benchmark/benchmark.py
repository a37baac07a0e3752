"""`benchmark`: how fast each panel trains and decodes on this machine, and how fast the machine would let it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from diptych import __version__
from diptych.benchmark.exported_speed import exported_speeds
from diptych.benchmark.machine import peak, with_machine_ceilings
from diptych.benchmark.request import Request
from diptych.benchmark.speed import speeds
from diptych.benchmark.standard import standard_config
from diptych.benchmark.summary import summaries
from diptych.config import RunConfig
from diptych.errors import BackendError, UsageError
from diptych.exported import runtime
from diptych.exported.folder import ONNX_RUNTIME
from diptych.panel import BACKENDS, is_installed
from diptych.processes.call import call
from diptych.processes.environment import COMPUTING, environment
from diptych.runs.run import Run

# If nothing is said of rounds, another one begins where it can be expected to end before so many seconds.
LIMIT = 280.0
MOST_ROUNDS = 3
# Training steps and decoded batches of a block, and the most blocks of a process.
STEPS, BATCHES, BLOCKS = 5, 3, 20

Say = Callable[[str], None]


def benchmark(request: Request, say: Say) -> dict[str, Any]:
    """Measure all that is asked for; each backend in a process of its own, in turn.

    In every round each variant is measured in each backend, one right after the other, so that a machine whose speed
    drifts treats them alike. ONNX Runtime, where it is installed, decodes in float32 alone.

    Args:
        request: what.
        say: called with a line whenever something has been measured.

    Returns:
        `benchmarks`, one for each backend, variant and task, see `summary`; `workload`, `environment`, `signature`.

    Raises:
        BackendError: a framework is not installed, or its process failed.
        ConfigError: the model cannot have such an attention.
        UsageError: only ONNX Runtime is asked for, and not in float32.
        DataError: the corpus cannot be read.
    """
    backends = request.backends or (*BACKENDS, *([ONNX_RUNTIME] if runtime.is_installed() else []))
    _check_installed(backends)
    circumstances = environment()
    threads = request.threads or int(circumstances["usable_processors"])
    with _workload(request) as run:
        variants = request.variants(run.config)
        answers_of: dict[tuple[str, int], list[dict[str, Any]]] = {
            (backend, number): []
            for number, variant in enumerate(variants)
            for backend in backends
            if backend != ONNX_RUNTIME or variant.training.precision == "float32"
        }
        if not answers_of:
            raise UsageError("backend 'onnxruntime' computes in float32 alone: add --precision float32")
        began, rounds = time.monotonic(), 0
        while _goes_on(request, rounds, time.monotonic() - began):
            rounds += 1
            for number, variant in enumerate(variants):
                for backend in backends if rounds % 2 else reversed(backends):
                    if (backend, number) not in answers_of:
                        continue
                    answer = _measure(request, run, variant=variant, backend=backend, threads=threads)
                    answers_of[backend, number].append(answer)
                    say(_line(backend, variant, number=rounds, answer=answer))
        found = [
            summary
            for (backend, number), answers in answers_of.items()
            for summary in summaries(backend, variants[number], answers)
        ]
        measured = {"threads": threads, "device": request.device, "peak_gflops_per_second": peak(found)}
        return {
            "benchmarks": with_machine_ceilings(found),
            "workload": _describe(run, request, rounds),
            "environment": circumstances | measured,
            "signature": _signature(run, request, circumstances=circumstances, threads=threads),
        }


def _measure(request: Request, run: Run, variant: RunConfig, backend: str, threads: int) -> dict[str, Any]:
    arguments = {
        "folder": str(run.folder),
        "config": variant.model_dump(mode="json"),
        "beam_sizes": list(request.beam_sizes),
        "batches": BATCHES,
        "blocks": BLOCKS,
        "seconds": request.seconds,
        "started": time.time(),
    }
    if backend == ONNX_RUNTIME:
        arguments |= {"threads": threads, "device": request.device}
        return call(
            "reference",
            f"{exported_speeds.__module__}:exported_speeds",
            arguments=arguments,
            threads=threads,
            device="cpu",
        )
    arguments["steps"] = STEPS
    return call(backend, f"{speeds.__module__}:speeds", arguments=arguments, threads=threads, device=request.device)


@contextmanager
def _workload(request: Request) -> Iterator[Run]:
    """The run that is measured, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="diptych-") as name:
        folder = Path(name)
        config = request.config or standard_config(folder)
        request.variants(config)  # whether they can be, before anything is made
        yield Run.create(config, folder / "run")


def _goes_on(request: Request, rounds: int, elapsed: float) -> bool:
    """Whether there is to be another round."""
    if request.rounds:
        return rounds < request.rounds
    return rounds == 0 or (rounds < MOST_ROUNDS and elapsed * (rounds + 1) / rounds < LIMIT)


def _line(backend: str, variant: RunConfig, number: int, answer: Mapping[str, Any]) -> str:
    """One process's results in words."""
    parts = []
    for summary in summaries(backend, variant, [answer]):
        unit = "tokens/s" if summary["task"] == "training" else "sentences/s"
        parts.append(f"{summary['task']} {summary['speed']['median']:,.0f} {unit}")
    training = variant.training
    what = f"{variant.model.attention}, {training.precision}, batch {training.batch_size}"
    return f"round {number}, {backend}, {what}: {', '.join(parts)}"


def _describe(run: Run, request: Request, rounds: int) -> dict[str, Any]:
    """What is the same in every measurement."""
    model = run.config.model.model_dump(mode="json")
    del model["attention"]
    return {
        "name": run.config.name,
        "model": model,
        "vocabularies": [len(run.source_vocabulary), len(run.target_vocabulary)],
        "seed": run.config.training.seed,
        "optimizer": run.config.training.optimizer,
        "seconds": request.seconds,
        "rounds": rounds,
    }


def _signature(run: Run, request: Request, circumstances: Mapping[str, Any], threads: int) -> str:
    """All that it takes to measure the same again, `name:value` for `name:value`; the command comes last."""
    parts = {
        "diptych": __version__,
        "workload": run.config.name,
        "seed": run.config.training.seed,
        "threads": threads,
        "device": request.device,
        "processor": circumstances["processor"],
        "python": circumstances["python"],
    }
    parts |= {name: circumstances["packages"][name] for name in COMPUTING if name in circumstances["packages"]}
    parts["command"] = replace(request, threads=threads).command()
    return "|".join(f"{key}:{value}" for key, value in parts.items())


def _check_installed(backends: Sequence[str]) -> None:
    if ONNX_RUNTIME in backends and not runtime.is_installed():
        raise BackendError(f"backend 'onnxruntime' needs onnxruntime, not installed here: {runtime.INSTALL}")
    missing = [backend for backend in backends if backend != ONNX_RUNTIME and not is_installed(backend)]
    if missing:
        extra = "all" if len(missing) > 1 else missing[0]
        raise BackendError(
            f"{' and '.join(missing)} is not installed here: pip install 'diptych[{extra}]', or measure only the other "
            f"one with --backend"
        )
