"""A model file opened by what is in it, whatever its name ends in."""

from __future__ import annotations

import stat
from pathlib import Path

from diptych.convert.files.model_file import ModelFile
from diptych.convert.files.npz_file import read_npz
from diptych.convert.files.safetensors_file import read_safetensors
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
    raise RefusalError(f"{path} is a folder of no kind that is read; {KNOWN}")


def _read_file(path: Path, start: bytes) -> ModelFile:
    if not start:
        raise RefusalError(f"{path} is empty; {KNOWN}")
    if start.startswith(b"PK\x03\x04"):
        return _read_zip(path)
    if start[8:9] == b"{":
        return read_safetensors(path)
    raise RefusalError(f"{path} begins with {start[:8]!r}, which is no format that is read; {KNOWN}")


def _read_zip(path: Path) -> ModelFile:
    archive = ZipArchive(path)
    if archive.names and all(name.endswith(".npy") for name in archive.names):
        return read_npz(path, archive)
    raise RefusalError(f"{path} is a zip archive of no kind that is read; {KNOWN}")
