"""Workers that others have started: on two machines, by torchrun and TF_CONFIG, and as tasks of Slurm's.

The two machines are network namespaces of this one, with a cable between them: each has its own addresses and ports and
sees nothing of the other's but by way of the cable. To make them one has to be root, on Linux.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workers_runs import fresh, sha256, train

PORT = 29500
CABLE = "diptych"
SECONDS = 300


class Unavailable(Exception):
    """This machine does not let us; the message says what."""


class Machine:
    """One of the two: a network namespace with an address."""

    def __init__(self, number: int) -> None:
        self.number, self.name, self.address = number, f"{CABLE}{number}", f"10.77.0.{number + 1}"

    def start(self, command: list[str], told: dict[str, str]) -> subprocess.Popen[str]:
        """Start a command there, told so much by its environment."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.name, *command],
            env=os.environ | told,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def unplug(self) -> None:
        """Take its end of the cable out."""
        _ip("-n", self.name, "link", "set", self.name, "down")


@contextmanager
def two_machines() -> Iterator[tuple[Machine, Machine]]:
    """Two machines and a cable, as long as this lasts.

    Raises:
        Unavailable: they cannot be made here.
    """
    if not shutil.which("ip"):
        raise Unavailable("there is no `ip` here (package iproute2)")
    machines = Machine(0), Machine(1)
    first, second = (each.name for each in machines)
    try:
        for each in machines:
            _ip("netns", "add", each.name)
        _ip("link", "add", first, "netns", first, "type", "veth", "peer", "name", second, "netns", second)
        for each in machines:
            _ip("-n", each.name, "address", "add", f"{each.address}/24", "dev", each.name)
            for device in ("lo", each.name):
                _ip("-n", each.name, "link", "set", device, "up")
        yield machines
    finally:
        for each in machines:  # the cable goes with its ends
            subprocess.run(["ip", "netns", "delete", each.name], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise Unavailable(f"`ip {' '.join(arguments)}`: {done.stderr.strip()}")


def training(folder: Path, backend: str, *options: str) -> list[str]:
    """What each worker runs: `-m diptych train FOLDER ...`."""
    given = ["--backend", backend, "--threads-per-worker", "1", "--device", "cpu", "--quiet", *options]
    return ["-m", "diptych", "train", str(folder), *given]


def under_torchrun(machines: tuple[Machine, ...], folder: Path, each: int) -> list[subprocess.Popen[str]]:
    """PyTorch, so many workers on each machine."""
    meeting = ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"{machines[0].address}:{PORT}", "--rdzv-id", "diptych"]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nnodes", str(len(machines)), *meeting]
    torchrun += ["--nproc-per-node", str(each)]
    started = []
    for machine in machines:
        # The names of both are this machine's: who keeps the meeting place, and by which cable, has to be said.
        own = ["--rdzv-conf", f"is_host={machine.number == 0}", "--local-addr", machine.address]
        command = [*torchrun, *own, *training(folder, "pytorch")]
        started.append(machine.start(command, {"GLOO_SOCKET_IFNAME": machine.name}))
    return started


def under_tf_config(machines: tuple[Machine, ...], folder: Path, backend: str) -> list[subprocess.Popen[str]]:
    """One worker on each machine."""
    addresses = [f"{machine.address}:{PORT + 1}" for machine in machines]
    told = [{"cluster": {"worker": addresses}, "task": {"type": "worker", "index": n}} for n in range(len(machines))]
    return [
        machine.start(
            [sys.executable, *training(folder, backend)],
            {"TF_CONFIG": json.dumps(says), "GLOO_SOCKET_IFNAME": machine.name},
        )
        for machine, says in zip(machines, told, strict=True)
    ]


def under_slurm(machines: tuple[Machine, ...], folder: Path, backend: str, each: int) -> list[subprocess.Popen[str]]:
    """So many tasks on each machine, told what srun tells."""
    told = {
        "SLURM_JOB_ID": "4711",
        "SLURM_STEP_NUM_TASKS": str(each * len(machines)),
        "SLURM_STEP_NODELIST": f"10.77.0.[1-{len(machines)}]",
        "SLURM_STEP_TASKS_PER_NODE": f"{each}(x{len(machines)})",
    }
    return [
        machine.start(
            [sys.executable, *training(folder, backend)],
            {**told, "SLURM_PROCID": str(each * machine.number + task), "GLOO_SOCKET_IFNAME": machine.name},
        )
        for machine in machines
        for task in range(each)
    ]


def ended(processes: list[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    """How each ended, and the last line of what it said; who does not end in time is ended."""
    found = []
    try:
        for process in processes:
            _, said = process.communicate(timeout=SECONDS)
            found.append((process.returncode, (said.strip().splitlines() or [""])[-1]))
    finally:
        for process in processes:
            process.kill()
    return found


def on_two_machines(backend: str, launcher: str) -> dict[str, Any]:
    """The same training by one worker, and by those that somebody has started on two machines."""
    what: dict[str, Any] = {"shards": 4}
    run, other = (fresh(f"{backend}-{launcher}-{name}", **what) for name in ("apart", "alone"))
    with two_machines() as machines:
        if launcher == "torchrun":
            started = under_torchrun(machines, run.folder, each=2)
        elif launcher == "Slurm":
            started = under_slurm(machines, run.folder, backend, each=2)
        else:
            started = under_tf_config(machines, run.folder, backend)
        outcomes = ended(started)
    print(f"  {outcomes}", flush=True)
    train(other, backend, 1)
    number = run.read_checkpoint(backend, "latest").state["workers"]["workers"]
    found = {"1": sha256(other, backend), str(number): sha256(run, backend)}
    return {
        "what": f"{backend}, float32, 4 shards, two machines by {launcher}",
        "workers": [1, number],
        "digests": found,
        "good": not any(code for code, _ in outcomes) and number > 1 and len(set(found.values())) == 1,
    }


def unplugged(backend: str) -> dict[str, Any]:
    """The cable between two machines is taken out; then the run goes on without it."""
    what = {"shards": 2, "maximum_steps": 400, "validate_every": 20}
    run, other = (fresh(f"{backend}-{name}", **what) for name in ("unplugged", "plugged"))
    with two_machines() as machines:
        started = under_tf_config(machines, run.folder, backend)
        while not run.record(backend).steps() and all(each.poll() is None for each in started):
            time.sleep(0.02)
        machines[1].unplug()
        begun = time.monotonic()
        outcomes = ended(started)
        took = time.monotonic() - begun
    print(f"  {took:.1f} s, {outcomes}", flush=True)
    steps = run.record(backend).steps() or 0
    train(run, backend, 1, resume=True)
    train(other, backend, 1)
    named = all(f"worker {1 - rank} of 2" in said for rank, (_, said) in enumerate(outcomes))
    good = took < 30.0 and named and sha256(run, backend) == sha256(other, backend)
    came = f"both end after {took:.0f} s and name the other; from the checkpoint of step {steps} on to the same weights"
    return {"what": f"{backend}: the cable between two machines is cut", "trials": 1, "good": good, "came": came}
