"""Messages come out as they went in, and a stream that ends early is an end."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from diptych.processes.messages import receive, send

kinds = st.sampled_from([np.float32, np.float64, np.int32, np.int64])
some_arrays = st.lists(kinds.flatmap(lambda kind: arrays(kind, array_shapes(min_dims=0, min_side=0, max_side=4))))


@given(st.lists(st.tuples(st.dictionaries(st.text(), st.integers() | st.text()), some_arrays), max_size=3))
def test_messages_come_out_as_they_went_in(messages):
    stream = io.BytesIO()
    for message, given_arrays in messages:
        send(stream, message, given_arrays)
    stream.seek(0)
    for message, given_arrays in messages:
        found, found_arrays = receive(stream)
        assert found == message
        for one, other in zip(given_arrays, found_arrays, strict=True):
            assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
            assert other.flags.writeable
    with pytest.raises(EOFError):
        receive(stream)


@given(st.integers(0, 10_000))
def test_a_message_that_is_cut_short_is_the_end(cut):
    stream = io.BytesIO()
    send(stream, {"state": 1}, [np.arange(5.0), np.arange(3)])
    whole = stream.getvalue()
    with pytest.raises(EOFError):
        receive(io.BytesIO(whole[: cut % len(whole)]))
