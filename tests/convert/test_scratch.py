"""Arrays in mapped files, and how much memory a certificate takes beside the model's own."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from diptych.convert import gradients
from diptych.convert.graph import Graph, Input, Node, Ref
from diptych.convert.kinds import Dense, Embedding
from diptych.convert.scratch import mapped_arrays, new_arrays, save_arrays
from diptych.convert.trial import make_trial

ARRAYS = {
    "b": np.arange(6, dtype=np.float32).reshape(2, 3).T, "é": np.array([True, False]), "a": np.arange(3.0),
    "c": np.zeros((0, 3), np.int32), "half": np.ones(3, np.float16),
}  # fmt: skip


def test_the_file_is_the_one_that_safetensors_writes_and_comes_back_as_it_was(tmp_path):
    ours, theirs = tmp_path / "ours.safetensors", tmp_path / "theirs.safetensors"
    save_arrays(ours, ARRAYS)
    save_file({name: np.ascontiguousarray(array) for name, array in ARRAYS.items()}, theirs)
    assert ours.read_bytes() == theirs.read_bytes()
    found = mapped_arrays(ours)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)
    found["a"][0] = 7.0
    assert mapped_arrays(ours)["a"][0] == 0.0


def test_new_arrays_are_zeros_and_what_is_written_there_is_in_the_file(tmp_path):
    made = new_arrays(tmp_path / "n.safetensors", {"x": (np.float64, (2, 3)), "one": (np.float64, ())})
    assert not made["x"].any()
    made["x"][1], made["one"][...] = 2.0, 3.0
    found = load_file(tmp_path / "n.safetensors")
    assert np.array_equal(found["x"], [[0, 0, 0], [2, 2, 2]])
    assert found["one"] == 3.0
    assert new_arrays(tmp_path / "none.safetensors", {}) == {}


def test_the_judge_takes_less_memory_than_three_times_the_weights():
    draw = np.random.default_rng(0)
    words, width = 150_000, 8
    table = Node("table", Embedding(), {"x": Ref("ids")}, {"weight": draw.standard_normal((words, width), np.float32)})
    dense = Node("dense", Dense(), {"x": Ref("table")}, {"weight": draw.standard_normal((400, width), np.float32)})
    graph = Graph((Input("ids", (None,), "ids", words),), (table, dense), {"y": Ref("dense")})
    size = sum(weight.nbytes for weight in graph.weights().values())
    found = {name: np.zeros(weight.shape) for name, weight in graph.weights().items()}
    tracemalloc.start()
    try:
        trial = make_trial(graph)
        list(gradients.along_directions(graph, trial, found))
        list(gradients.number_by_number(graph, trial, found, found))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * size


@pytest.mark.parametrize("size", [5, 3 * gradients.BLOCK // 2])
def test_a_gap_is_found_wherever_it_is(size):
    from diptych.convert.certificate import gap

    expected = np.ones(size)
    found = expected.copy()
    assert gap(found, expected)[0] == 0.0
    found[-2] += 0.25
    apart, place = gap(found, expected, 2.0)
    assert apart == 0.125
    assert size < gradients.BLOCK or place == f", at ({size - 2},)"
    found[0] = np.nan
    assert not gap(found, expected)[0] <= 1.0
