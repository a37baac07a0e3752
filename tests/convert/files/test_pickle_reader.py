"""Pickles as data: plain values come out equal, everything else is refused by name, and nothing is ever run."""

from __future__ import annotations

import collections
import contextlib
import os
import pickle
import pickletools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.convert.files.pickle_reader import Name, read_pickle
from diptych.errors import RefusalError

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(-9, 9), inner, max_size=4)
    ),
    max_leaves=12,
)


class Hostile:
    """Asks the one who unpickles it to call a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@given(PLAIN, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_plain_values_come_out_equal(tmp_path_factory, value, protocol):
    assert read_pickle("model.pt", pickle.dumps(value, protocol)) == value


@given(st.binary(max_size=80))
def test_any_bytes_give_a_value_or_a_refusal(data):
    with contextlib.suppress(RefusalError):
        read_pickle("model.pt", data)


@given(st.lists(st.sampled_from(pickletools.opcodes), max_size=12), st.binary(max_size=60))
def test_any_operations_give_a_value_or_a_refusal(opcodes, data):
    """Operations in any order, each followed by a byte or two that may be its argument."""
    program = b"".join(opcode.code.encode("latin-1") + data[2 * at : 2 * at + 2] for at, opcode in enumerate(opcodes))
    with contextlib.suppress(RefusalError):
        read_pickle("model.pt", program + b".")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    ("value", "named"),
    [
        (Hostile(os.system, "touch {}"), f"{os.name}.system"),
        (Hostile(eval, "open('{}', 'w')"), "eval"),
        (Hostile(getattr, "", "join"), "getattr"),
        (collections.Counter("ab"), "collections.Counter"),
        (pytest.approx, "approx"),
    ],
)
def test_what_would_run_something_is_refused_by_name_and_not_run(tmp_path, protocol, value, named):
    witness = tmp_path / "witness"
    if isinstance(value, Hostile):
        function, arguments = value.call
        value = Hostile(function, *(each.format(witness) for each in arguments))
    with pytest.raises(RefusalError, match=named):
        read_pickle("model.pt", pickle.dumps({"weights": value}, protocol))
    assert not witness.exists()


@pytest.mark.parametrize(
    "program",
    [
        b"(S'true'\nios\nsystem\n.",  # INST
        b"(cos\nsystem\nS'true'\no.",  # OBJ
        b"\x80\x02ccollections\nOrderedDict\n)\x81.",  # NEWOBJ
        b"\x80\x04ccollections\nOrderedDict\n)}\x92.",  # NEWOBJ_EX
        b"\x82\x01.",  # EXT1
        b"Pstorage\n.",  # PERSID
        b"\x97.",  # NEXT_BUFFER
    ],
)
def test_operations_that_make_objects_are_refused(program):
    with pytest.raises(RefusalError, match=r"makes an object|names os\.system"):
        read_pickle("model.pt", program)


def test_an_allowed_name_is_not_looked_up():
    assert read_pickle("model.pt", b"\x80\x02ctorch\nfloat32\n.") == Name("torch.float32")


def test_an_allowed_function_with_other_arguments_is_refused():
    with pytest.raises(RefusalError, match="_rebuild_tensor_v2"):
        read_pickle("model.pt", b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nK\x01R.")
    with pytest.raises(RefusalError, match="a tensor of"):
        read_pickle("model.pt", b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(K\x01K\x02))tR.")


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (b"", "damaged"),
        (b"\x80\x02K\x01", "damaged"),
        (b"K\x01(.", "a mark where a value was expected"),
        (b"t.", "no mark"),
        (b"h\x05.", "damaged"),
        (b"}K\x01s.", "damaged"),
        (b"]K\x01K\x02s.", "a list where a dict was expected"),
        (b"\x8d" + (1 << 62).to_bytes(8, "little") + b"x.", "damaged"),
        (b"\x8b" + (1 << 30).to_bytes(4, "little") + b"x.", "claims 1,073,741,824 bytes"),
        (b"c" + b"x" * 100_000, "damaged"),
        (b"}\x8a\x08" + (2**61 - 1).to_bytes(8, "little") + b"K\x01s.", "expected a name or a number"),
        (b"0" * 10 + b".", "damaged"),
        (b"K\x01" + b"0K\x01" * 300_000 + b".", "more than 600,000 operations"),
    ],
)
def test_a_damaged_or_hostile_pickle_is_refused(program, said):
    with pytest.raises(RefusalError, match=said):
        read_pickle("model.pt", program)


def test_a_list_that_holds_itself_is_a_value():
    value = []
    value.append(value)
    found = read_pickle("model.pt", pickle.dumps(value))
    assert found[0] is found
