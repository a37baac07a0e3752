"""Files made by rule: by the library that writes them where it is light, else byte by byte."""

from __future__ import annotations

import json
import struct
import subprocess
import sys

import numpy as np
import pytest

from diptych.convert.files import read_model_file
from diptych.errors import RefusalError
from diptych.onnx.message import varint


def message(*fields):
    """A protocol buffer of (number, value): an integer, a float (32 bits), bytes, a text, or an inner message."""
    found = b""
    for number, value in fields:
        if isinstance(value, float):
            found += varint(number << 3 | 5) + struct.pack("<f", value)
        elif isinstance(value, int):
            found += varint(number << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            found += varint(number << 3 | 2) + varint(len(data)) + data
    return found


@pytest.fixture(scope="session")
def build_message():
    return message


@pytest.fixture(scope="session")
def build_varint():
    return varint


@pytest.fixture
def refuse(tmp_path):
    """Writes bytes into a file and gives what reading it is refused with: one printable line, with exit code 2."""

    def call(data, name="model.bin"):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(RefusalError) as caught:
            read_all(path)
        said = str(caught.value)
        assert said.isprintable(), said
        assert len(said) < 1000
        assert str(path) in said
        assert caught.value.exit_code == 2
        return said

    return call


@pytest.fixture
def read_bytes(tmp_path):
    """Writes bytes into a file and reads it."""

    def call(data, name="model.bin"):
        path = tmp_path / name
        path.write_bytes(data)
        return read_model_file(path)

    return call


def read_all(path):
    """A model with every number of it."""
    model = read_model_file(path)
    return model, {name: tensor.read() for name, tensor in model.tensors.items()}


@pytest.fixture(scope="session")
def read_everything():
    return read_all


@pytest.fixture(scope="session")
def build_safetensors():
    """Builds a .safetensors file of a header, which is taken as it is if it is bytes, and data."""

    def call(header, data=b"", length=None):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(text) if length is None else length) + text + data

    return call


@pytest.fixture(scope="session")
def check_tensors():
    """Checks that a model has exactly these arrays: names, shapes, types and numbers, before and after reading."""

    def check(model, expected):
        assert set(model.tensors) == set(expected)
        for name, array in expected.items():
            tensor = model.tensors[name]
            assert (tensor.name, tensor.shape, tensor.dtype) == (name, array.shape, array.dtype.name)
            found = tensor.read()
            assert (found.shape, found.dtype) == (array.shape, array.dtype.newbyteorder("="))
            np.testing.assert_array_equal(found, array)

    return check


@pytest.fixture(scope="session")
def run_python():
    """Runs a program in a fresh Python and gives what it printed."""

    def call(program, *arguments, **environment):
        import os

        finished = subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
            env={**os.environ, **environment},
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    return call


@pytest.fixture(scope="session")
def build_bundle(build_message, build_varint):
    """Writes TensorFlow's checkpoint, NAME.index and its data, for arrays and texts; `change` changes the entries."""

    def block(entries):
        data, before = b"", b""
        for key, value in entries:
            shared = next((at for at, (a, b) in enumerate(zip(key, before)) if a != b), min(len(key), len(before)))
            own = key[shared:]
            data += build_varint(shared) + build_varint(len(own)) + build_varint(len(value)) + own + value
            before = key
        return data + struct.pack("<2I", 0, 1)

    def call(prefix, arrays, change=lambda entries: entries, compression=b"\0"):
        data, entries = b"", {b"": build_message((1, 1))}
        for name, array in arrays.items():
            if isinstance(array, bytes):
                content, code, shape = build_varint(len(array)) + bytes(4) + array, 7, b""
            else:
                content, code = array.tobytes(), {"float32": 1, "int64": 9}[array.dtype.name]
                shape = build_message(*((2, build_message((1, size))) for size in array.shape))
            entries[name.encode()] = [(1, code), (2, shape), (4, len(data)), (5, len(content))]
            data += content
        entries = change(entries)
        listed = sorted(
            (key, each if isinstance(each, bytes) else build_message(*each)) for key, each in entries.items()
        )
        first = block(listed)
        table = first + compression + bytes(4)
        index = block([(b"\xff", build_varint(0) + build_varint(len(first)))])
        footer = build_varint(0) + build_varint(0) + build_varint(len(table)) + build_varint(len(index))
        table += index + b"\0" + bytes(4) + footer.ljust(40, b"\0") + (0xDB4775248B80FB57).to_bytes(8, "little")
        prefix.parent.mkdir(parents=True, exist_ok=True)
        prefix.with_name(f"{prefix.name}.index").write_bytes(table)
        prefix.with_name(f"{prefix.name}.data-00000-of-00001").write_bytes(data)
        return prefix.with_name(f"{prefix.name}.index")

    return call
