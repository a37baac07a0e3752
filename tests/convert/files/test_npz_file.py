"""NumPy's archives and the zip archives that they and others are."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from diptych.convert.files import read_model_file


def npz(compressed=False, **tensors):
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **tensors)
    return file.getvalue()


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return file.getvalue()


def npy(header):
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


@settings(max_examples=30)
@given(
    arrays.arrays(
        st.sampled_from(["<f4", ">f4", "<f8", ">i8", "<u2", "?", "<c8"]), arrays.array_shapes(min_dims=0, min_side=0)
    ),
    st.booleans(),
    st.booleans(),
)
def test_what_was_written_is_read(tmp_path_factory, check_tensors, array, fortran, compressed):
    path = tmp_path_factory.mktemp("npz") / "model.npz"
    path.write_bytes(npz(compressed, w=np.asarray(array, order="F") if fortran else array))
    check_tensors(read_model_file(path), {"w": array})


@pytest.mark.parametrize("dtype", ["<f4", ">f4", ">i8"])
def test_the_order_of_axes_and_of_bytes_is_kept(read_bytes, check_tensors, dtype):
    array = np.arange(24, dtype=dtype).reshape(2, 3, 4)
    check_tensors(read_bytes(npz(rows=array, columns=np.asfortranarray(array))), {"rows": array, "columns": array})


def test_pickled_objects_are_refused(refuse):
    said = refuse(npz(good=np.ones(3), bad=np.array([{"a": 1}], dtype=object)))
    assert "bad holds pickled Python objects" in said
    assert "never loaded" in said


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "should have 8 bytes"),
        (b"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "impossible shape"),
        (b"{'descr': '<f4', 'fortran_order': False, 'shape': 2}", "impossible shape"),
        (b"{'descr': '<f4', 'fortran_order': False, 'shape': (1 << 2,)}", "header of w is damaged"),
        (b"{'descr': 'nonsense', 'fortran_order': False, 'shape': ()}", "header of w is damaged"),
        (b"{'descr': '<U9', 'fortran_order': False, 'shape': ()}", "type str"),
        (b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}", "pickled Python objects"),
        (b"__import__('os').system('true')", "header of w is damaged"),
        (b"(" * 3000, "header of w is damaged"),
        (b"-" * 9000 + b"1", "header of w is damaged"),
    ],
)
def test_a_damaged_header_is_refused(refuse, header, said):
    assert said in refuse(zipped(w=npy(header)))


def test_what_is_no_array_is_refused(refuse):
    assert "not an array" in refuse(zipped(w=b"nothing"))
    assert "claims 65,535 bytes" in refuse(zipped(w=b"\x93NUMPY\x01\x00\xff\xff" + b" " * 70_000))


def test_a_zip_bomb_is_refused_packed(refuse):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr(
            "w.npy", npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (9999999,)}") + bytes(40 << 20)
        )
    assert "zip bomb" in refuse(file.getvalue())


def test_a_member_that_is_there_twice_is_refused(refuse):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("w.npy", b"")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("w.npy", b"")
    assert "two members of one name" in refuse(file.getvalue())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"PK\x03\x04", b"PK\x03\x05", "not where the archive says"),
        (b"PK\x01\x02", b"PK\x01\x03", "not a whole zip archive"),
        (b"PK\x05\x06", b"PK\x05\x07", "does not end as one"),
    ],
)
def test_a_damaged_archive_is_refused(refuse, old, new, said):
    data = npz(a=np.ones(2), w=np.ones(3))
    at = data.rindex(old)
    assert said in refuse(data[:at] + new + data[at + len(old) :])


def test_an_encrypted_member_is_refused(refuse):
    data = bytearray(npz(w=np.ones(3)))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refuse(bytes(data))


def test_a_long_list_of_members_is_refused_unparsed(refuse):
    data = npz(w=np.ones(3))
    at = data.rindex(b"PK\x05\x06")
    end = bytearray(data[at:])
    end[12:16] = (200 << 20).to_bytes(4, "little")
    assert "list of members has 209,715,200 bytes" in refuse(data[:at] + bytes(end))


def test_a_compressed_member_that_is_altered_is_refused(refuse):
    data = bytearray(npz(compressed=True, w=np.arange(100.0)))
    data[60] ^= 0xFF
    said = refuse(bytes(data))
    assert "damaged" in said or "not of the size and sum" in said


def test_another_zip_archive_is_refused(refuse):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", b"")
    assert "zip archive of no kind that is read" in refuse(file.getvalue())
