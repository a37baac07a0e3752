"""Which of how many workers this process is, as whatever has started it says: torchrun, Slurm or TF_CONFIG."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from diptych.errors import UsageError

FIRST_PORT, PORTS = 20000, 20000
"""Under Slurm, ports follow from the job's number, from this one on."""


@dataclass(frozen=True)
class Membership:
    """Which of how many workers a process is.

    Attributes:
        rank: from 0; worker 0 alone writes.
        size: how many there are.
        addresses: HOST:PORT of worker 0, or of each in order.
        origin: who says so.
    """

    rank: int
    size: int
    addresses: tuple[str, ...]
    origin: str


def membership(environment: Mapping[str, str], workers: int | None = None) -> Membership | None:
    """Which worker this process is; None where it is the only one, or has to start the others.

    Args:
        environment: the process's environment variables.
        workers: how many were asked for on the command line; None: it was not said.

    Raises:
        UsageError: a variable cannot be read, or two numbers of workers contradict each other.
    """
    told = [each for each in (_torchrun(environment), _tf_config(environment)) if each]
    # torchrun is itself started once a machine by Slurm, which then counts machines.
    told = told or [each for each in [_slurm(environment)] if each]
    sizes = {each.origin: each.size for each in told}
    if len(set(sizes.values())) > 1 or len({each.rank for each in told}) > 1:
        says = " and ".join(f"{each.origin} says worker {each.rank} of {each.size}" for each in told)
        raise UsageError(f"{says}: let one of them say it, and unset the other's variables")
    if not told:
        return None
    [first, *_] = told
    if workers is not None and workers != first.size:
        raise UsageError(f"--workers {workers}, but {first.origin} has started {first.size}: leave out --workers")
    return first if first.size > 1 else None


def _torchrun(environment: Mapping[str, str]) -> Membership | None:
    """RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, which torchrun and many other launchers set."""
    names = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    if not all(environment.get(name) for name in names):
        return None
    rank, size, port = (_number(environment, name) for name in ("RANK", "WORLD_SIZE", "MASTER_PORT"))
    return _checked(
        rank, size, addresses=(f"{environment['MASTER_ADDR']}:{port}",), origin="torchrun (RANK, WORLD_SIZE)"
    )


def _tf_config(environment: Mapping[str, str]) -> Membership | None:
    """TF_CONFIG: the addresses of a cluster's chief and workers, and which of them this is."""
    text = environment.get("TF_CONFIG", "").strip()
    if not text:
        return None
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        kind, index = str(task["type"]), int(task["index"])
        addresses = [(each, number) for each in ("chief", "worker") for number in range(len(cluster.get(each, ())))]
        rank = addresses.index((kind, index))
        return _checked(
            rank, len(addresses), addresses=tuple(str(cluster[k][i]) for k, i in addresses), origin="TF_CONFIG"
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"TF_CONFIG cannot be read ({type(error).__name__}: {error}): it is JSON like "
            f'{{"cluster": {{"worker": ["host0:2222", "host1:2222"]}}, "task": {{"type": "worker", "index": 0}}}}'
        ) from error


def _slurm(environment: Mapping[str, str]) -> Membership | None:
    """The variables of a step of Slurm's, as srun sets them; in a batch script itself there is no step."""
    if "SLURM_STEP_NUM_TASKS" not in environment or "SLURM_PROCID" not in environment:
        return None
    rank, size = _number(environment, "SLURM_PROCID"), _number(environment, "SLURM_STEP_NUM_TASKS")
    if size == 1:
        return _checked(rank, size, addresses=(), origin="Slurm")
    hosts = hosts_of(environment.get("SLURM_STEP_NODELIST", ""))
    counts = _tasks_of(environment.get("SLURM_STEP_TASKS_PER_NODE", ""))
    if len(counts) != len(hosts) or sum(counts) != size:
        raise UsageError(
            f"Slurm says {size} tasks, on {len(hosts)} machines with {counts} each: expected SLURM_STEP_NODELIST and "
            f"SLURM_STEP_TASKS_PER_NODE to tell the same; start the workers with srun, tasks in blocks"
        )
    first = FIRST_PORT + _number(environment, "SLURM_JOB_ID") % PORTS
    placed = [(host, number) for host, count in zip(hosts, counts, strict=True) for number in range(count)]
    return _checked(rank, size, addresses=tuple(f"{host}:{first + number}" for host, number in placed), origin="Slurm")


def hosts_of(text: str) -> list[str]:
    """The machines of a list as Slurm writes it: `node[01-03,07],other`."""
    hosts = []
    for name, inside, rest in re.findall(r"([^,\[\]]+)(?:\[([^\]]*)\])?([^,\[\]]*)", text):
        for part in inside.split(",") if inside else [""]:
            begin, _, end = part.partition("-")
            numbers = range(int(begin), int(end or begin) + 1) if begin else [None]
            hosts += [f"{name}{'' if n is None else str(n).zfill(len(begin))}{rest}" for n in numbers]
    return hosts


def _tasks_of(text: str) -> list[int]:
    """How many tasks each machine has, as Slurm writes it: `2(x3),1`."""
    counts: list[int] = []
    for count, times in re.findall(r"(\d+)(?:\(x(\d+)\))?", text):
        counts += [int(count)] * int(times or 1)
    return counts


def _number(environment: Mapping[str, str], name: str) -> int:
    try:
        return int(environment.get(name, ""))
    except ValueError:
        raise UsageError(f"{name} is {environment.get(name, 'not set')!r}, expected a whole number") from None


def _checked(rank: int, size: int, addresses: tuple[str, ...], origin: str) -> Membership:
    """A membership, if the numbers can be."""
    if size < 1 or not 0 <= rank < size:
        raise UsageError(f"{origin} says worker {rank} of {size}: workers are counted from 0 to before their number")
    return Membership(rank, size, addresses=addresses, origin=origin)
