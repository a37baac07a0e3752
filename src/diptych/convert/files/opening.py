"""A model file opened by what is in it, whatever its name ends in."""

from __future__ import annotations

import stat
from pathlib import Path

from diptych.convert.files.hdf5_file import read_hdf5
from diptych.convert.files.json_file import read_json
from diptych.convert.files.keras_archive import (
    CONFIG,
    METADATA,
    is_keras_3_layout,
    read_keras_archive,
    read_keras_weights,
)
from diptych.convert.files.keras_hdf5 import is_keras_layout, read_keras_hdf5
from diptych.convert.files.model_file import ModelFile, WrittenBy
from diptych.convert.files.npz_file import read_npz
from diptych.convert.files.onnx_file import read_onnx
from diptych.convert.files.pytorch_file import read_pytorch_stream, read_pytorch_zip
from diptych.convert.files.recognition import recognise
from diptych.convert.files.safetensors_file import read_safetensors
from diptych.convert.files.saved_model import read_saved_model, read_tensorflow_checkpoint
from diptych.convert.files.stored_bytes import StoredBytes
from diptych.convert.files.tensor_bundle import is_index
from diptych.convert.files.tensorflow_graph import read_tensorflow_graph
from diptych.convert.files.zip_archive import ZipArchive
from diptych.errors import RefusalError, UsageError

KNOWN = (
    "expected .h5, .keras, .weights.h5, a SavedModel folder, .pt, .pth, .bin, .safetensors, .npz, .onnx, a frozen .pb, "
    "RTNeural's .json, or a run or checkpoint of Diptych"
)


def read_model_file(path: str | Path) -> ModelFile:
    """What is in a model file: nothing of it is run, and no framework is imported.

    Raises:
        UsageError: there is no such file.
        RefusalError: it is damaged, hostile, or of no format that is read.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return _read_folder(path)
        if not stat.S_ISREG(mode):
            raise RefusalError(f"{path} is neither a file nor a folder; {KNOWN}")
        with path.open("rb") as file:
            start = file.read(64)
        return _read_file(path, start)
    except FileNotFoundError:
        raise UsageError(f"there is no {path}; {KNOWN}") from None
    except (OSError, ValueError) as error:
        raise RefusalError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


def _read_folder(path: Path) -> ModelFile:
    if (path / "saved_model.pb").is_file():
        return read_saved_model(path)
    # Only here, for the configuration takes longer to import than a model's file to be read.
    from diptych.convert.files.diptych_folder import is_diptych, read_diptych

    if is_diptych(path):
        return read_diptych(path)
    raise RefusalError(f"{path} is a folder of no kind that is read; {KNOWN}")


def _read_file(path: Path, start: bytes) -> ModelFile:
    if not start:
        raise RefusalError(f"{path} is empty; {KNOWN}")
    if start.startswith(b"PK\x03\x04"):
        return _read_zip(path)
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return _read_hdf5(path)
    if start[:1] == b"\x80" and start[1] <= 5:
        return read_pytorch_stream(path)
    if start[8:9] == b"{":
        return read_safetensors(path)
    if start.lstrip()[:1] in (b"{", b"["):
        return read_json(path)
    if is_index(path):
        return read_tensorflow_checkpoint(path)
    if start[4:8] == b"TFL3":
        raise RefusalError(f"{path} is a TensorFlow Lite model, which is not read: give the model it was made from")
    if start[0] == 0x0A:  # the first node of a graph
        return read_tensorflow_graph(path)
    if start[0] == 0x08:  # the version of ONNX
        return read_onnx(path)
    raise RefusalError(f"{path} begins with {start[:8]!r}, which is no format that is read; {KNOWN}")


def _read_zip(path: Path) -> ModelFile:
    archive = ZipArchive(path)
    if CONFIG in archive and METADATA in archive:
        return read_keras_archive(path, archive)
    if any(name.rpartition("/")[2] == "data.pkl" for name in archive.names):
        return read_pytorch_zip(path, archive)
    if archive.names and all(name.endswith(".npy") for name in archive.names):
        return read_npz(path, archive)
    raise RefusalError(f"{path} is a zip archive of no kind that is read; {KNOWN}")


def _read_hdf5(path: Path) -> ModelFile:
    file = read_hdf5(StoredBytes.of_file(path))
    if is_keras_layout(file):
        return read_keras_hdf5(path, file)
    if is_keras_3_layout(file):
        return read_keras_weights(path, file)
    layers, notes = recognise(file.arrays, "")
    return ModelFile(path, "hdf5", written_by=WrittenBy("", None), tensors=file.arrays, layers=layers, notes=notes)
