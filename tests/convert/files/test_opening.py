"""Files told apart by what is in them; files of no kind; Diptych's own folders."""

from __future__ import annotations

import contextlib
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from diptych.convert.files import read_model_file
from diptych.convert.files.contents import FORMATS, contents
from diptych.convert.files.printable import shown
from diptych.errors import DiptychError, RefusalError, UsageError
from diptych.parameters.checkpoint import Checkpoint, write_checkpoint


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"GIF89a" + bytes(99), "no format that is read"),
        (bytes(100), "no format that is read"),
        (bytes(4) + b"TFL3" + bytes(99), "TensorFlow Lite"),
        (b"\x1f\x8b" + bytes(99), "no format that is read"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"PK\x03\x04", "cut short"),
        (b"\x80\x02", "damaged"),
        (b"\x08\x08", "has no graph"),
        (b"\x0a\x00", "without a name"),
    ],
)
def test_a_file_of_no_kind_is_refused(refuse, data, said):
    assert said in refuse(data)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match="there is no"):
        read_model_file(tmp_path / "missing.h5")
    with pytest.raises(RefusalError, match="a folder of no kind"):
        read_model_file(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RefusalError, match="neither a file nor a folder"):
        read_model_file(tmp_path / "pipe")
    with pytest.raises(DiptychError):
        read_model_file(tmp_path / "nul\0.h5")


@settings(max_examples=60)
@given(
    st.sampled_from([b"", b"\x80\x02", b"\x08\x07", b"\x0a\x05", b"PK\x03\x04", bytes(8) + b"{"]),
    st.binary(max_size=300),
)
def test_any_bytes_are_a_model_or_refused(tmp_path_factory, start, rest):
    path = tmp_path_factory.mktemp("any") / "model"
    path.write_bytes(start + rest)
    with contextlib.suppress(RefusalError):
        contents(read_model_file(path))


def test_the_name_does_not_matter(tmp_path, check_tensors):
    (tmp_path / "model.h5").write_bytes(save({"a": np.ones(2)}))
    check_tensors(read_model_file(tmp_path / "model.h5"), {"a": np.ones(2)})


def test_numbers_that_are_not_finite_are_told(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(save({"good": np.ones(2), "bad": np.array([1, np.nan, np.inf], np.float32), "ids": np.arange(3)}))
    remarks = contents(read_model_file(path))["remarks"]
    assert remarks == [{"where": "bad", "text": "2 of 3 numbers are not finite"}]


def test_a_checkpoint_of_diptych_is_read(tmp_path, check_tensors):
    weights = {"source_embedding": np.ones((4, 2), np.float32)}
    moments = {"first_moment.source_embedding": np.zeros((4, 2), np.float32)}
    write_checkpoint(tmp_path / "step-00000005", Checkpoint(weights, moments, {"step": 5}))
    model = read_model_file(tmp_path / "step-00000005")
    check_tensors(model, weights)
    assert (model.format, model.training.step, list(model.training.slots)) == ("diptych-checkpoint", 5, list(moments))
    (tmp_path / "step-00000005" / "state.json").unlink()
    with pytest.raises(RefusalError, match=r"no state\.json"):
        read_model_file(tmp_path / "step-00000005")


def test_every_format_has_words():
    assert all(FORMATS.values())


@given(st.text() | st.binary() | st.lists(st.text()))
def test_what_is_shown_can_be_printed(value):
    assert shown(value).isprintable()


def test_a_long_name_keeps_its_ends():
    found = shown("a" * 100 + "b" * 100)
    assert len(found) == 120
    assert found.startswith("aaa") and found.endswith("bbb") and "..." in found
    assert shown(10**5000) == "a int"
