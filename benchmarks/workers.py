"""Do N workers train what one trains, and what do they survive? `make workers`, or `benchmarks/workers.py [NAME ...]`.

Each case is one or several trainings of a small config in runs/workers/. What came of it is noted in
docs/distributed/NAME.json as soon as it is there, and not measured again unless --again is given; then the tables in
docs/distributed.md are written anew. Exit code 1 where a training did not end with the weights it should have.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from workers_apart import Unavailable, on_two_machines, unplugged
from workers_runs import Noting, fresh, sha256, train
from workers_table import NOTES, machine_of, noted, write_tables

from diptych.errors import DiptychError


def equal(backend: str, precision: str, shards: int, numbers: tuple[int, ...]) -> dict[str, Any]:
    """The same training with each of these numbers of workers."""
    found = {}
    for workers in numbers:
        run = fresh(f"{backend}-{precision}-{shards}-{workers}", precision=precision, shards=shards)
        report = train(run, backend, workers)
        found[str(workers)] = sha256(run, backend)
        losses = [line["loss"] for line in run.read_metrics(backend) if "loss" in line]
        print(f"  {workers}: {report.steps} steps, loss {losses[-1]:.6f}, {found[str(workers)][:12]}", flush=True)
    return {
        "what": f"{backend}, {precision}, {shards} shards",
        "workers": list(numbers),
        "digests": found,
        "good": len(set(found.values())) == 1,
    }


def killed(backend: str, kills: int, at_most: int = 3) -> dict[str, Any]:
    """Kill a worker at a random moment, go on with another number of workers, so often; then to the end."""
    options: dict[str, Any] = {"shards": 4, "maximum_steps": 400, "validate_every": 5}
    expected = fresh(f"{backend}-unkilled", **options)
    train(expected, backend, 1)
    run, chance, steps = fresh(f"{backend}-killed", **options), random.Random(1), []
    for number in range(kills):
        workers = at_most - number % at_most
        begun = run.record(backend).steps() or 0
        aim = begun + 5 * chance.randint(1, 3)

        def kill(workers: int = workers, aim: int = aim) -> None:
            while (run.record(backend).steps() or 0) < aim:
                time.sleep(0.01)
            time.sleep(chance.random() * 0.1)
            os.kill(chance.choice(Noting.started[:workers]).pid, signal.SIGKILL)

        thread = threading.Thread(target=kill, daemon=True)
        thread.start()
        try:
            train(run, backend, workers, resume=True)
        except DiptychError as error:
            steps.append(run.record(backend).steps() or 0)
            print(f"  {workers} workers, {error}; the checkpoint of step {steps[-1]}", flush=True)
        thread.join(1)
    report = train(run, backend, 2, resume=True)
    same = sha256(run, backend) == sha256(expected, backend)
    return {
        "what": f"{backend}: a worker killed (SIGKILL) at a random moment, resumed as 3, 2, 1, 3 ... workers",
        "trials": len(steps),
        "good": same and report.finished and len(steps) == kills,
        "came": f"{len(steps)} kills noticed at once; the last step's weights are those of a run that was left alone",
        "checkpoints": steps,
    }


def stopped(backend: str, seconds: float, goes_on: bool) -> dict[str, Any]:
    """Stop a worker (SIGSTOP): for good, or for so many seconds."""
    what = {"shards": 2, "maximum_steps": 200, "validate_every": 20}
    run = fresh(f"{backend}-stopped-{'short' if goes_on else 'long'}", **what)
    noticed: dict[str, float] = {}

    def stop() -> None:
        while not run.record(backend).steps():
            time.sleep(0.01)
        worker = Noting.started[1]
        os.kill(worker.pid, signal.SIGSTOP)
        noticed["at"] = time.monotonic()
        if goes_on:
            time.sleep(seconds)
            os.kill(worker.pid, signal.SIGCONT)

    threading.Thread(target=stop, daemon=True).start()
    try:
        report = train(run, backend, 2)
        told, good = f"waited for: {report.steps} steps", goes_on and report.finished
    except DiptychError as error:
        took = time.monotonic() - noticed["at"]
        told, good = (
            f"noticed after {took:.0f} s: {error}",
            not goes_on and took < 30.0 and "worker 1 of 2" in str(error),
        )
    if goes_on:
        other = fresh(f"{backend}-unstopped", **what)
        train(other, backend, 1)
        good = good and sha256(run, backend) == sha256(other, backend)
    print(f"  {told}", flush=True)
    name = f"stopped for {seconds:.0f} s" if goes_on else "stopped for good"
    return {"what": f"{backend}: a worker {name} (SIGSTOP)", "trials": 1, "good": good, "came": told}


def started_again(backend: str) -> dict[str, Any]:
    """`--restarts`: a worker is killed twice, and training ends all the same."""
    what = {"shards": 2, "maximum_steps": 200, "validate_every": 10}
    run, other = fresh(f"{backend}-restarted", **what), fresh(f"{backend}-unrestarted", **what)

    def kill() -> None:
        for aim in (10, 100):
            while (run.record(backend).steps() or 0) < aim:
                time.sleep(0.01)
            os.kill(Noting.started[-1].pid, signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    report = train(run, backend, 2, restarts=2)
    starts = len(Noting.started)
    train(other, backend, 1)
    good = report.finished and starts == 6 and sha256(run, backend) == sha256(other, backend)
    came = f"{starts // 2} starts, {report.steps} steps, the weights of a run that was left alone"
    return {"what": f"{backend}: a worker killed twice, with --restarts 2", "trials": 2, "good": good, "came": came}


def terminated(backend: str) -> dict[str, Any]:
    """SIGTERM to the command: a checkpoint is written, and the rest goes on from it with another number."""
    what = {"shards": 3, "maximum_steps": 300, "validate_every": 250}
    run, other = fresh(f"{backend}-terminated", **what), fresh(f"{backend}-unterminated", **what)
    command = [sys.executable, "-m", "diptych", "train", str(run.folder), "--backend", backend, "--quiet"]
    process = subprocess.Popen([*command, "--workers", "2", "--threads-per-worker", "1", "--device", "cpu"])
    while not any("loss" in line and line["step"] >= 20 for line in run.read_metrics(backend)):
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    code = process.wait(60)
    steps = run.record(backend).steps() or 0
    train(run, backend, 3, resume=True)
    train(other, backend, 1)
    good = code == 143 and 20 <= steps < 250 and sha256(run, backend) == sha256(other, backend)
    came = f"exit code {code}, a checkpoint of step {steps}, resumed with 3 workers to the same weights"
    return {"what": f"{backend}: SIGTERM to the command, 2 workers", "trials": 1, "good": good, "came": came}


def port_taken() -> dict[str, Any]:
    """Worker 0's port belongs to somebody else."""
    run = fresh("port", shards=2)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(taken.getsockname()[1])}
        command = [sys.executable, "-m", "diptych", "train", str(run.folder), "--quiet"]
        options: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 200, "check": False}
        done = subprocess.run(command, env=os.environ | told, **options)
    lines = done.stderr.strip().splitlines()
    good = done.returncode == 1 and lines[-1].startswith("error: worker 0 of 2 could not join")
    return {"what": "pytorch: the port is taken", "trials": 1, "good": good, "came": lines[-1]}


def mixed() -> dict[str, Any]:
    """Exact training: the first half by PyTorch under torchrun, the second by TensorFlow."""
    what = {"shards": 4, "precision": "exact"}
    run, other = fresh("mixed", **what, maximum_steps=60), fresh("unmixed", **what, maximum_steps=60)
    program = "import sys; from diptych.cli import main; sys.exit(main(sys.argv[1:]))"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", "--no-python"]
    command = [*torchrun, sys.executable, "-c", program, "train", str(run.folder), "--quiet", "--threads", "1"]
    process = subprocess.Popen(command)
    while not any("loss" in line and line["step"] >= 25 for line in run.read_metrics("pytorch")):
        time.sleep(0.05)
        if process.poll() is not None:
            raise SystemExit("torchrun ended early")
    process.send_signal(signal.SIGTERM)
    process.wait(120)
    steps = run.record("pytorch").steps() or 0
    train(run, "tensorflow", 3, resume=True)
    train(other, "pytorch", 1)
    good = 0 < steps < 60 and sha256(run, "tensorflow") == sha256(other, "pytorch")
    what_came = f"PyTorch to step {steps} under torchrun (2 workers), TensorFlow from there (3): one SHA-256"
    return {"what": "exact, mixed engines", "trials": 1, "good": good, "came": what_came}


ALL = (1, 2, 3, 4)
CASES: dict[str, Callable[[], dict[str, Any]]] = {
    "pytorch-float32-4": lambda: equal("pytorch", "float32", 4, ALL),
    "pytorch-float32-12": lambda: equal("pytorch", "float32", 12, ALL),
    "pytorch-float64-4": lambda: equal("pytorch", "float64", 4, ALL),
    "pytorch-exact-12": lambda: equal("pytorch", "exact", 12, ALL),
    "tensorflow-float32-4": lambda: equal("tensorflow", "float32", 4, ALL),
    "tensorflow-float32-12": lambda: equal("tensorflow", "float32", 12, (1, 3)),
    "tensorflow-exact-12": lambda: equal("tensorflow", "exact", 12, (1, 2)),
    "stopped-pytorch": lambda: stopped("pytorch", 0.0, goes_on=False),
    "stopped-tensorflow": lambda: stopped("tensorflow", 0.0, goes_on=False),
    "lagging-pytorch": lambda: stopped("pytorch", 10.0, goes_on=True),
    "restarts-pytorch": lambda: started_again("pytorch"),
    "terminated-pytorch": lambda: terminated("pytorch"),
    "port": port_taken,
    "mixed": mixed,
    "killed-pytorch": lambda: killed("pytorch", 20),
    "killed-tensorflow": lambda: killed("tensorflow", 3),
    "restarts-tensorflow": lambda: started_again("tensorflow"),
    "lagging-tensorflow": lambda: stopped("tensorflow", 10.0, goes_on=True),
    "terminated-tensorflow": lambda: terminated("tensorflow"),
    "torchrun": lambda: on_two_machines("pytorch", "torchrun"),
    "tf-config": lambda: on_two_machines("tensorflow", "TF_CONFIG"),
    "slurm-pytorch": lambda: on_two_machines("pytorch", "Slurm"),
    "slurm-tensorflow": lambda: on_two_machines("tensorflow", "Slurm"),
    "unplugged-pytorch": lambda: unplugged("pytorch"),
    "unplugged-tensorflow": lambda: unplugged("tensorflow"),
}


def main() -> int:
    """Measure what has not been measured, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(CASES)}; by default all")
    parser.add_argument("--again", action="store_true", help="measure also what has been measured")
    given = parser.parse_args()
    if unknown := set(given.names) - set(CASES):
        parser.error(f"no case {', '.join(sorted(unknown))}; choose among: {', '.join(CASES)}")
    good = True
    for name in given.names or CASES:
        if not given.again and noted(name):
            continue
        print(name, flush=True)
        try:
            measured = CASES[name]()
        except Unavailable as reason:
            print(f"  left out: {reason}", flush=True)
            continue
        NOTES.mkdir(exist_ok=True)
        note = json.dumps(measured | {"machine": machine_of()}, indent=2) + "\n"
        (NOTES / f"{name}.json").write_text(note, "utf-8")
        print(f"  {'good' if measured['good'] else 'NOT GOOD'}", flush=True)
        good = good and measured["good"]
    write_tables(list(CASES))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
