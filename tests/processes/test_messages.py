"""Messages come out as they went in, and a stream that ends early is an end."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from diptych.processes.messages import receive, send

some_arrays = arrays(
    st.sampled_from(["<f4", ">f8", "<i4", "<i8", "?", "<u2", "<f2"]), array_shapes(min_dims=0, min_side=0, max_side=4)
)
numbers = st.integers() | st.floats(allow_nan=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text() | some_arrays,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.text(), values, max_size=3), max_size=3))
def test_messages_come_out_as_they_went_in(messages):
    stream = io.BytesIO()
    for message in messages:
        send(stream, message)
    stream.seek(0)
    for message in messages:
        assert_same(receive(stream), message)
    with pytest.raises(EOFError):
        receive(stream)


def assert_same(found, expected):
    if isinstance(expected, np.ndarray):
        assert (found.dtype, found.shape) == (expected.dtype.newbyteorder("="), expected.shape)
        np.testing.assert_array_equal(found, expected)
        assert found.flags.writeable
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            assert_same(found[key], expected[key])
    elif isinstance(expected, list):
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert type(found) is type(expected)
        assert found == expected


def test_arrays_of_any_layout_and_numbers_of_numpy_arrive():
    stream = io.BytesIO()
    square = np.arange(9.0).reshape(3, 3)
    send(stream, ({"columns": square.T, "every other": square[:, ::2]}, np.float64(0.1), np.bool_(True)))
    stream.seek(0)
    found, number, truth = receive(stream)
    np.testing.assert_array_equal(found["columns"], square.T)
    np.testing.assert_array_equal(found["every other"], square[:, ::2])
    assert (number, truth) == (0.1, True)


@given(st.integers(0, 10_000))
def test_a_message_that_is_cut_short_is_the_end(cut):
    stream = io.BytesIO()
    send(stream, {"state": 1, "arrays": [np.arange(5.0), np.arange(3)]})
    whole = stream.getvalue()
    with pytest.raises(EOFError):
        receive(io.BytesIO(whole[: cut % len(whole)]))


@pytest.mark.parametrize("value", [{1: "a number as key"}, np.array(["text"]), np.array([object()]), object()])
def test_what_cannot_travel_is_refused_before_anything_is_written(value):
    stream = io.BytesIO()
    with pytest.raises(TypeError, match=r"processes send each other|not JSON serializable"):
        send(stream, {"fine": np.zeros(2), "value": value})
    assert not stream.getvalue()
