"""Files made to hurt, and files with one thing wrong: what `convert_bounds.py hostile` inspects and converts."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np


def _safetensors_header(file: io.BytesIO) -> None:
    header = b'{"' + b"a" * 10 + b'":{"dtype":"F32","shape":[' + b"1," * 7_000_000 + b'1],"data_offsets":[0,4]}}'
    file.write(struct.pack("<Q", len(header)) + header + bytes(4))


def _many_tensors(file: io.BytesIO) -> None:
    entries = ",".join(f'"t{n}":{{"dtype":"F32","shape":[],"data_offsets":[0,4]}}' for n in range(200_000))
    header = f"{{{entries}}}".encode()
    file.write(struct.pack("<Q", len(header)) + header + bytes(4))


def _deep_json(file: io.BytesIO) -> None:
    file.write(b'{"layers":' + b"[" * 8_000_000 + b"]" * 8_000_000 + b"}")


def _wide_json(file: io.BytesIO) -> None:
    file.write(b'{"layers":[' + b"{}," * 5_000_000 + b"{}]}")


def _zip_bomb(file: io.BytesIO) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(500 << 20))


def _keras_bomb(file: io.BytesIO) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", b'{"a":"' + b" " * (400 << 20) + b'"}')
        archive.writestr("model.weights.h5", b"")


def _npz_header(file: io.BytesIO) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000000), }"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)


def _pickle_bomb(file: io.BytesIO) -> None:
    """Lists of a list of a list: 2 ** 60 things that share one memory."""
    body = b"\x80\x02]q\x00" + b"".join(
        b"](h" + bytes([n]) + b"h" + bytes([n]) + b"eq" + bytes([n + 1]) for n in range(60)
    )
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("m/data.pkl", body + b".")


def _pickle_of_programs(file: io.BytesIO) -> None:
    class Harm:
        def __reduce__(self) -> tuple[Any, ...]:
            return print, ("run",)

    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("m/data.pkl", pickle.dumps({"w": Harm()}))


def _pickle_of_opcodes(file: io.BytesIO) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("m/data.pkl", b"\x80\x02" + b"(" * 15_000_000 + b".")


def _onnx_fields(file: io.BytesIO) -> None:
    file.write(b"\x08\x08" * 15_000_000)


def _onnx_nodes(file: io.BytesIO) -> None:
    node = b"\x0a\x02\x22\x00"
    graph = node * 4_000_000
    length, varint = len(graph), b""
    while length > 127:
        varint, length = varint + bytes([length & 127 | 128]), length >> 7
    file.write(b"\x08\x08\x3a" + varint + bytes([length]) + graph)


def _frozen_nodes(file: io.BytesIO) -> None:
    file.write(b"\x0a\x00" * 10_000_000)


def _hdf5_groups(file: io.BytesIO) -> None:
    import h5py

    with h5py.File(file, "w") as archive:
        for number in range(60_000):
            archive.create_group(f"g{number}")


def _hdf5_attribute(file: io.BytesIO) -> None:
    import h5py

    with h5py.File(file, "w", track_order=True) as archive:
        archive.attrs.create("layer_names", np.zeros(7000, "S9"))
        archive.create_dataset("a", (1 << 30, 1 << 9), "f4", chunks=(1 << 10, 1 << 9))


def _empty(file: io.BytesIO) -> None:
    del file


def _cut_short(file: io.BytesIO) -> None:
    _keras(file, [LSTM], WEIGHTS)
    file.truncate(file.seek(0, io.SEEK_END) // 2)


def _keras(file: io.BytesIO, layers: list[dict[str, Any]], weights: dict[str, Any], **more: Any) -> None:
    """An .h5 as tf.keras 2.9 wrote it; more is in the model's config."""
    import h5py

    with h5py.File(file, "w") as archive:
        config = {"name": "m", "layers": layers, **more}
        archive.attrs["keras_version"], archive.attrs["backend"] = "2.9.0", "tensorflow"
        archive.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": config})
        group = archive.create_group("model_weights")
        group.attrs["layer_names"] = np.array([layer["config"]["name"].encode() for layer in layers])
        for number, layer in enumerate(layers):
            own = group.create_group(layer["config"]["name"])
            named = weights if number == len(layers) - 1 else {}
            own.attrs["weight_names"] = np.array([name.encode() for name in named], dtype="S20")
            for name, array in named.items():
                own.create_dataset(name, data=array)


LSTM = {"class_name": "LSTM", "config": {"name": "l", "units": 2, "batch_input_shape": [None, 5, 3]}}
WEIGHTS = {"l/kernel:0": np.ones((3, 8)), "l/recurrent:0": np.ones((2, 8)), "l/bias:0": np.ones(8)}


def _keras_file(weights: dict[str, Any] | None = None, **config: Any) -> Callable[[Any], None]:
    """One LSTM with these arguments beside its own."""
    kind = config.pop("class_name", "LSTM")
    layer = {"class_name": kind, "config": {**LSTM["config"], **config}}  # type: ignore[dict-item]
    return lambda file: _keras(file, [layer], WEIGHTS if weights is None else weights)


def _cyclic(file: io.BytesIO) -> None:
    """Two layers that wait for each other."""
    import h5py

    def layer(name: str, after: str) -> dict[str, Any]:
        config = {"name": name, "units": 2, "use_bias": False}
        return {"class_name": "Dense", "name": name, "config": config, "inbound_nodes": [[[after, 0, 0, {}]]]}

    given = {"name": "x", "batch_input_shape": [None, 2]}
    layers = [{"class_name": "InputLayer", "name": "x", "config": given, "inbound_nodes": []}]
    config = {"name": "m", "layers": [*layers, layer("a", "b"), layer("b", "a")], "input_layers": [["x", 0, 0]],
              "output_layers": [["a", 0, 0]]}  # fmt: skip
    with h5py.File(file, "w") as archive:
        archive.attrs["keras_version"], archive.attrs["backend"] = "2.9.0", "tensorflow"
        archive.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": config})
        group = archive.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"x", b"a", b"b"])
        for name in ("x", "a", "b"):
            own = group.create_group(name)
            own.attrs["weight_names"] = np.array([], dtype="S20")


def _path_in_a_name(file: io.BytesIO) -> None:
    header = b'{"../../etc/passwd":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    file.write(struct.pack("<Q", len(header)) + header + bytes(4))


HOSTILE: dict[str, Callable[[Any], None]] = {
    "a shape of 7 million sizes.safetensors": _safetensors_header, "200,000 tensors.safetensors": _many_tensors,
    "8 million brackets deep.json": _deep_json, "5 million objects.json": _wide_json,
    "a zip bomb of 500 MB.npz": _zip_bomb, "a bomb of a configuration.keras": _keras_bomb,
    "a header of petabytes.npz": _npz_header, "a pickle that doubles 60 times.pt": _pickle_bomb,
    "a pickle of programs.pt": _pickle_of_programs, "15 million opcodes.pt": _pickle_of_opcodes,
    "15 million fields.onnx": _onnx_fields, "4 million nodes.onnx": _onnx_nodes, "10 million nodes.pb": _frozen_nodes,
    "60,000 groups.h5": _hdf5_groups, "a sparse array of terabytes.h5": _hdf5_attribute,
    "nothing in it.h5": _empty, "nothing in it.pt": _empty, "half of it.h5": _cut_short,
    "NaN among its weights.h5": _keras_file({**WEIGHTS, "l/bias:0": np.full(8, np.nan)}),
    "two layers that wait for each other.h5": _cyclic,
    "a weight too many.h5": _keras_file({**WEIGHTS, "l/w:0": np.ones(3)}),
    "a weight too few.h5": _keras_file({name: WEIGHTS[name] for name in list(WEIGHTS)[:2]}),
    "an unknown layer.h5": _keras_file(class_name="Mine"), "a Lambda layer.h5": _keras_file(class_name="Lambda"),
    "an unknown argument.h5": _keras_file(zoneout=0.1), "half precision.h5": _keras_file(dtype="mixed_float16"),
    "a path for a name.safetensors": _path_in_a_name,
}  # fmt: skip
