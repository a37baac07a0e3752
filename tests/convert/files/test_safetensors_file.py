"""Safetensors: what the library wrote is read; what no library writes is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import save

from diptych.convert.files.safetensors_file import read_safetensors
from diptych.errors import RefusalError

ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@settings(max_examples=30)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=5).filter(lambda name: name != "__metadata__"),
        arrays.arrays(
            st.sampled_from(["f2", "f4", "f8", "i1", "i8", "u1", "?"]), arrays.array_shapes(min_dims=0, min_side=0)
        ),
        max_size=4,
    )
)
def test_what_was_written_is_read(tmp_path_factory, check_tensors, tensors):
    path = tmp_path_factory.mktemp("safetensors") / "model.safetensors"
    path.write_bytes(save({name: np.ascontiguousarray(array).reshape(array.shape) for name, array in tensors.items()}))
    check_tensors(read_safetensors(path), tensors)


def test_bfloat16_is_widened_exactly(read_bytes, build_safetensors):
    header = {"w": {"dtype": "BF16", "shape": [3], "data_offsets": [0, 6]}}
    model = read_bytes(build_safetensors(header, bytes.fromhex("803f 00c0 4940".replace(" ", ""))))
    assert model.tensors["w"].dtype == "bfloat16"
    assert model.tensors["w"].read().tolist() == [1.0, -2.0, 3.140625]


def test_the_format_in_the_metadata_names_the_framework(read_bytes):
    model = read_bytes(save({"a": np.ones(2)}, {"format": "pt"}))
    assert (model.format, model.written_by.framework) == ("safetensors", "pytorch")


@pytest.mark.parametrize(
    ("header", "data", "said"),
    [
        ({"w": ENTRY}, b"1234", "cut short"),
        ({"w": {**ENTRY, "data_offsets": [-8, 0]}}, b"12345678", "expected dtype, shape and two data_offsets"),
        ({"w": {**ENTRY, "data_offsets": [8, 0]}}, b"12345678", "cut short"),
        ({"w": {**ENTRY, "data_offsets": [0, 4]}}, b"12345678", "expected 8 bytes"),
        ({"w": {**ENTRY, "shape": [-2]}}, b"12345678", "expected dtype, shape"),
        ({"w": {**ENTRY, "shape": [True, 2]}}, b"12345678", "expected dtype, shape"),
        ({"w": {**ENTRY, "shape": [1 << 50]}}, b"12345678", "impossible shape"),
        ({"w": {**ENTRY, "shape": [1 << 39]}}, b"12345678", "should have 2,199,023,255,552 bytes"),
        ({"w": {**ENTRY, "shape": [1] * 40}}, b"12345678", "impossible shape"),
        ({"w": {**ENTRY, "dtype": "F7"}}, b"12345678", "type F7"),
        ({"w": {**ENTRY, "more": 1}}, b"12345678", "expected dtype, shape"),
        ({"w": [1]}, b"12345678", "expected dtype, shape"),
        ({"a": ENTRY, "b": ENTRY}, b"12345678", "lie over one another"),
        ({"a": ENTRY, "b": {**ENTRY, "data_offsets": [4, 12]}}, b"123456789012", "lie over one another"),
        ({"n" * 5000: ENTRY}, b"12345678", "5,000 characters"),
        (b'{"a": %s, "a": %s}' % ((json.dumps(ENTRY).encode(),) * 2), b"12345678", "stands twice"),
        (b"{nonsense", b"", "not valid JSON"),
        (b'{"a":' + b"[" * 100_000, b"", "nests too deep"),
        (b"{}" + b" " * 9 + b"[", b"", "not valid JSON"),
    ],
)
def test_a_damaged_or_hostile_file_is_refused(refuse, build_safetensors, header, data, said):
    assert said in refuse(build_safetensors(header, data))


def test_a_huge_header_is_refused_unread(refuse, build_safetensors):
    assert "claims 1,152,921,504,606,846,976 bytes" in refuse(build_safetensors({}, length=1 << 60))
    assert "should have 4,000,000 bytes" in refuse(build_safetensors({}, length=4_000_000))


def test_a_header_that_would_take_much_memory_is_refused_unparsed(refuse, build_safetensors):
    assert "more than can be read safely" in refuse(build_safetensors(b'{"a":[' + b"{}," * 5_000_000 + b"0]}"))


def test_a_million_tensors_are_refused(refuse, build_safetensors):
    entry = b'{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
    names = b",".join(b'"%d":%s' % (number, entry) for number in range(60_000))
    assert "60,000 tensors" in refuse(build_safetensors(b"{" + names + b"}"))


def test_a_name_that_moves_the_cursor_is_shown_harmless(refuse, build_safetensors):
    said = refuse(build_safetensors({"\x1b[2J\x00\u202e../../etc": {**ENTRY, "shape": [3]}}, b"12345678"))
    assert r"\x1b[2J\x00\u202e../../etc" in said


def test_a_file_that_shrinks_after_it_was_opened_is_refused(tmp_path, build_safetensors):
    path = tmp_path / "model.safetensors"
    path.write_bytes(build_safetensors({"w": ENTRY}, b"12345678"))
    model = read_safetensors(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RefusalError, match="cut short while it was read"):
        model.tensors["w"].read()
