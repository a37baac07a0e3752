"""Protocol buffers without a schema: what was written is read, and no bytes make anything but values or a refusal."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.convert.files.protobuf import Budget, Fixed, Span, floats, integers, signed, text
from diptych.errors import RefusalError

NUMBERS = st.integers(1, 1 << 20)
FIELD = st.tuples(NUMBERS, st.integers(-(1 << 63), (1 << 63) - 1) | st.binary(max_size=20) | st.floats(width=32))


def span(data):
    return Span(data, 0, len(data), Budget(Path("model.onnx")))


def plain(value):
    return value.bytes() if isinstance(value, Span) else value.real() if isinstance(value, Fixed) else signed(value)


@given(st.lists(FIELD, max_size=8))
def test_what_was_written_is_read(build_message, fields):
    found = [(number, plain(value)) for number, value in span(build_message(*fields)).fields()]
    assert repr(found) == repr(fields)  # NaN is itself


@given(st.binary(max_size=60))
def test_any_bytes_give_fields_or_a_refusal(data):
    with contextlib.suppress(RefusalError):
        for _, value in span(data).fields():
            if isinstance(value, Span):
                assert 0 <= value.start <= value.end <= len(data)
                text(value), integers(value), floats(value)


@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=9))
def test_packed_integers_are_read(build_varint, values):
    assert integers(span(b"".join(map(build_varint, values)))) == values


@given(st.lists(st.floats(width=32, allow_nan=False), max_size=9))
def test_packed_floats_are_read(values):
    assert floats(span(struct.pack(f"<{len(values)}f", *values))) == values


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x0a\x05ab", "a field of 5 bytes where 2 are left"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "where 0 are left"),
        (b"\x80" * 20, "a number without an end"),
        (b"\x0d\x00", "cut off"),
        (b"\x0b", "a field of kind 3"),
        (b"\x08\x01" * 500_001, "more than 500,000 fields"),
    ],
)
def test_damaged_and_endless_messages_are_refused(data, said):
    with pytest.raises(RefusalError, match=said):
        list(span(data).fields())


def test_messages_that_nest_too_deep_are_refused(build_message):
    data = b""
    for _ in range(200):
        data = build_message((1, data))

    def go_down(message):
        for _, value in message.fields():
            go_down(value)

    with pytest.raises(RefusalError, match="nest more than 100 deep"):
        go_down(span(data))
