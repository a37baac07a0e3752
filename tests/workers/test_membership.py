"""Which worker this is: as torchrun, TF_CONFIG and Slurm say it, and what is refused."""

import json

import pytest

from diptych.errors import UsageError
from diptych.workers.membership import hosts_of, membership

TORCHRUN = {"RANK": "1", "WORLD_SIZE": "3", "MASTER_ADDR": "host", "MASTER_PORT": "29500"}
SLURM = {
    "SLURM_PROCID": "2",
    "SLURM_STEP_NUM_TASKS": "3",
    "SLURM_STEP_NODELIST": "node[07-08]",
    "SLURM_STEP_TASKS_PER_NODE": "2,1",
    "SLURM_JOB_ID": "41",
}


def tf_config(kind="worker", index=1, **cluster):
    cluster = cluster or {"worker": ["a:1", "b:2"]}
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}


def test_without_anybody_s_word_a_process_is_alone():
    assert membership({}) is None
    assert membership({}, workers=4) is None
    assert membership({**TORCHRUN, "RANK": "0", "WORLD_SIZE": "1"}) is None
    assert membership({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}) is None  # in a batch script, outside of a step


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (TORCHRUN, (1, 3, ("host:29500",))),
        (tf_config(), (1, 2, ("a:1", "b:2"))),
        (tf_config(chief=["c:9"], worker=["a:1", "b:2"]), (2, 3, ("c:9", "a:1", "b:2"))),
        (tf_config("chief", 0, chief=["c:9"], worker=["a:1"]), (0, 2, ("c:9", "a:1"))),
        (SLURM, (2, 3, ("node07:20041", "node07:20042", "node08:20041"))),
        ({**SLURM, **TORCHRUN, "SLURM_STEP_NUM_TASKS": "2"}, (1, 3, ("host:29500",))),  # srun starts torchrun
    ],
)
def test_each_launcher_is_understood(environment, expected):
    told = membership(environment)
    assert (told.rank, told.size, told.addresses) == expected
    assert membership(environment, workers=told.size) == told


@pytest.mark.parametrize(
    ("environment", "workers", "message"),
    [
        (TORCHRUN, 2, r"--workers 2, but torchrun .* has started 3"),
        ({**TORCHRUN, **tf_config()}, None, "torchrun .* says worker 1 of 3 and TF_CONFIG says worker 1 of 2"),
        ({**TORCHRUN, "RANK": "3"}, None, "worker 3 of 3"),
        ({**TORCHRUN, "RANK": "one"}, None, "RANK is 'one', expected a whole number"),
        ({"TF_CONFIG": "{"}, None, "TF_CONFIG cannot be read"),
        (tf_config("ps", 0), None, "TF_CONFIG cannot be read"),
        ({**SLURM, "SLURM_STEP_TASKS_PER_NODE": "2"}, None, "Slurm says 3 tasks, on 2 machines"),
    ],
)
def test_contradictions_are_refused_in_one_line(environment, workers, message):
    with pytest.raises(UsageError, match=message) as raised:
        membership(environment, workers)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("alone", ["alone"]),
        ("a,b", ["a", "b"]),
        ("n[1-3]", ["n1", "n2", "n3"]),
        ("n[08-10,12],other", ["n08", "n09", "n10", "n12", "other"]),
        ("gpu-[1,3]-x.y", ["gpu-1-x.y", "gpu-3-x.y"]),
    ],
)
def test_slurm_s_lists_of_machines_are_read(text, hosts):
    assert hosts_of(text) == hosts
