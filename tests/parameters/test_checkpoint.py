"""Checkpoints: saving and loading is the identity, and whatever is damaged is found and named."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from diptych.config import ModelConfig
from diptych.errors import CheckpointError
from diptych.parameters.checkpoint import MODEL, OPTIMIZER, STATE, Checkpoint, read_checkpoint, write_checkpoint
from diptych.parameters.initialization import initial_parameters
from diptych.parameters.specification import specification
from diptych.storage.manifest import MANIFEST

CONFIG = ModelConfig(embedding_size=3, encoder_size=2, decoder_size=4)
EXPECTED = specification(CONFIG, 6, 7)
BIAS = "bridge.hidden.0.bias"

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(lambda n: n != "__metadata__")
values = arrays.arrays(
    st.sampled_from([np.float32, np.float64]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    elements=st.floats(allow_nan=False, allow_infinity=False, width=32),
)


def a_checkpoint(step=1, seed=1):
    parameters = initial_parameters(CONFIG, 6, 7, seed)
    optimizer = {f"first_moment.{name}": value * 0.5 for name, value in parameters.items()}
    return Checkpoint(parameters, optimizer, {"step": step, "best": 0.1 + 0.2})


def assert_equal(found, expected):
    assert found.state == expected.state
    for left, right in ((found.parameters, expected.parameters), (found.optimizer, expected.optimizer)):
        assert left.keys() == right.keys()
        assert all(left[n].dtype == v.dtype and np.array_equal(left[n], v) for n, v in right.items())


@pytest.fixture
def folder(tmp_path):
    write_checkpoint(tmp_path / "step-00000001", a_checkpoint())
    return tmp_path / "step-00000001"


@given(st.dictionaries(names, values, max_size=4), st.dictionaries(names, values, max_size=2))
def test_saving_and_loading_is_the_identity(tmp_path_factory, parameters, optimizer):
    place = tmp_path_factory.mktemp("checkpoint") / "here"
    checkpoint = Checkpoint(parameters, optimizer, {"step": 3, "loss": 1 / 3, "name": "감자"})
    write_checkpoint(place, checkpoint)
    assert_equal(read_checkpoint(place), checkpoint)


def test_views_and_transposed_arrays_come_back_as_they_look(tmp_path):
    grid = np.arange(24.0).reshape(4, 6)
    looks = {"transposed": grid.T, "strided": grid[::2, ::-3], "fortran": np.asfortranarray(grid), "row": grid[1]}
    write_checkpoint(tmp_path / "c", Checkpoint(looks))
    found = read_checkpoint(tmp_path / "c").parameters
    assert all(np.array_equal(found[name], value) for name, value in looks.items())


def test_a_written_checkpoint_fits_its_specification_and_leaves_nothing_else(folder):
    found = read_checkpoint(folder, EXPECTED)
    assert_equal(found, a_checkpoint())
    assert list(found.parameters) == list(EXPECTED)
    assert os.listdir(folder.parent) == [folder.name]
    assert sorted(os.listdir(folder)) == sorted([MODEL, OPTIMIZER, STATE, MANIFEST])


@pytest.mark.parametrize("name", [MODEL, OPTIMIZER, STATE, MANIFEST])
@pytest.mark.parametrize("part", [0.0, 0.5, 0.99])
def test_a_file_cut_short_is_named(folder, name, part):
    path = folder / name
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    what = "is not valid JSON" if name == MANIFEST else r"has \d+ bytes, .* says \d+: it was cut short"
    with pytest.raises(CheckpointError, match=f"{name} {what}"):
        read_checkpoint(folder, EXPECTED)


@pytest.mark.parametrize("name", [MODEL, OPTIMIZER, STATE])
def test_one_flipped_bit_is_found(folder, name):
    path = folder / name
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=rf"{name} has SHA-256 .* says .* altered"):
        read_checkpoint(folder)


@pytest.mark.parametrize("name", [MODEL, OPTIMIZER, STATE, MANIFEST])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=name):
        read_checkpoint(folder)


@pytest.mark.parametrize(
    "content", ["", "[]", "null", "{}", '{"version": 1}', '{"version": 1, "files": {"x": 1}}', "\xff"]
)
def test_a_manifest_that_is_none_is_an_error_of_its_own(folder, content):
    (folder / MANIFEST).write_text(content, encoding="latin-1")
    with pytest.raises(CheckpointError, match=MANIFEST):
        read_checkpoint(folder)


def test_a_checkpoint_of_a_later_version_says_so(folder):
    content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (folder / MANIFEST).write_text(json.dumps(content | {"version": 2}), encoding="utf-8")
    with pytest.raises(CheckpointError, match="version 2, expected 1"):
        read_checkpoint(folder)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="no checkpoint at .*nowhere"):
        read_checkpoint(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.pop(BIAS), f"{BIAS} is missing"),
        (lambda p: p.update(extra=np.zeros(2)), "extra is unknown"),
        (lambda p: p.update({BIAS: np.zeros(9)}), rf"{BIAS} has shape \(9,\), expected \(4,\)"),
        (lambda p: p.update({BIAS: np.zeros(4, np.int32)}), f"{BIAS} is int32, expected float32"),
        (lambda p: p.update({BIAS: np.zeros(4, np.float32)}), "not all of one type"),
    ],
)
def test_another_model_s_weights_are_named(tmp_path, change, message):
    checkpoint = a_checkpoint()
    change(checkpoint.parameters)
    write_checkpoint(tmp_path / "c", checkpoint)
    with pytest.raises(CheckpointError, match=rf"{MODEL} is not of this model: .*{message}"):
        read_checkpoint(tmp_path / "c", EXPECTED)


@pytest.mark.parametrize("name", ["first_moment.nothing", BIAS, f"first_moment.{BIAS}"])
def test_an_optimizer_s_state_must_belong_to_the_weights(tmp_path, name):
    checkpoint = a_checkpoint()
    checkpoint.optimizer[name] = np.zeros(3)
    write_checkpoint(tmp_path / "c", checkpoint)
    with pytest.raises(CheckpointError, match=rf"{OPTIMIZER} is not of this model: {name}"):
        read_checkpoint(tmp_path / "c", EXPECTED)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", ["parameters", "optimizer"])
def test_numbers_that_are_not_finite_are_never_written(folder, number, part):
    bad = a_checkpoint(step=2)
    next(iter(getattr(bad, part).values()))[0, 0] = number
    for place in (folder, folder.with_name("another")):
        with pytest.raises(CheckpointError, match=r"source_embedding.weight' has 1 of 18 numbers"):
            write_checkpoint(place, bad)
    assert os.listdir(folder.parent) == [folder.name]
    assert_equal(read_checkpoint(folder), a_checkpoint())


def test_a_state_that_json_cannot_hold_is_never_written(tmp_path):
    for state in ({"loss": float("nan")}, {"loss": np.zeros(2)}):
        with pytest.raises(CheckpointError, match=STATE):
            write_checkpoint(tmp_path / "c", Checkpoint({}, {}, state))
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("fails_at", [MODEL, OPTIMIZER, STATE, MANIFEST])
def test_a_full_disk_leaves_the_old_checkpoint(folder, monkeypatch, fails_at):
    write = Path.write_bytes

    def write_until_full(path, data):
        if path.name == fails_at:
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", write_until_full)
    with pytest.raises(CheckpointError, match="cannot write .*No space left on device"):
        write_checkpoint(folder, a_checkpoint(seed=2))
    assert os.listdir(folder.parent) == [folder.name]
    assert_equal(read_checkpoint(folder), a_checkpoint())


def test_a_checkpoint_is_replaced_by_a_whole_one(folder):
    write_checkpoint(folder, a_checkpoint(seed=2))
    assert_equal(read_checkpoint(folder), a_checkpoint(seed=2))
    assert os.listdir(folder.parent) == [folder.name]
