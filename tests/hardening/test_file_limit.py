"""A limit on the size of files (`ulimit -f`) is a disk that is full: told with the path, and nothing is lost."""

import resource
from contextlib import contextmanager

import pytest
from trials.disk_errors import whole
from trials.small_run import digests, leftovers, make_run, train_quietly

from diptych.cli.application import _explain
from diptych.errors import DiptychError
from diptych.runs.run import Run


@contextmanager
def files_of_at_most(size):
    """While this lasts this process writes no larger file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 100, 500, 1000, 2000, 4000, 5000])
def test_a_limit_on_the_size_of_files_costs_nothing_but_the_file(panel, tmp_path, size):
    run = make_run(tmp_path / "run", precision="float64")
    train_quietly(run, stop_at=4)
    before = run.read_checkpoint("pytorch", "latest").state
    with files_of_at_most(size), pytest.raises((DiptychError, OSError)) as caught:
        train_quietly(Run.open(run.folder), resume=True)
    assert str(tmp_path) in _explain(caught.value) and "too large" in _explain(caught.value).lower()
    assert run.read_checkpoint("pytorch", "latest").state == before
    train_quietly(Run.open(run.folder), resume=True)
    assert digests(run) == whole()
    assert not leftovers(tmp_path)
