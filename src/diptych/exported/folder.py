"""An export's folder: what is in it, and whether it is what was written.

OUT/config.toml  tokenizer/   as a run has them: `Run.open` opens an export, in which nothing is trained
    config.json               token ids and sizes, for programs that know no TOML
    model.safetensors         the weights, by name, as any backend takes them
    encoder_model.onnx ..     what its runtime runs, see `diptych.export`
    README.md                 the model card
    certificate.json          size and SHA-256 of each file, and what was compared with the reference
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load as parse_tensors

from diptych.errors import CheckpointError
from diptych.parameters.specification import Parameter

CERTIFICATE, WEIGHTS, SETTINGS, CARD = "certificate.json", "model.safetensors", "config.json", "README.md"
ENCODER, DECODER = "encoder_model.onnx", "decoder_model.onnx"
ONNX_RUNTIME = "onnxruntime"
"""The backend that runs these two."""
ADVICE = "export the run again"


def is_export(folder: Path) -> bool:
    """Whether a folder is an export; a run and a conversion are none."""
    return (folder / CERTIFICATE).is_file() and (folder / SETTINGS).is_file() and (folder / WEIGHTS).is_file()


def default_backend(folder: str | Path) -> str:
    """What translates with a folder if nothing is said: an export's own runtime, a run's model in PyTorch."""
    return ONNX_RUNTIME if (Path(folder) / ENCODER).is_file() else "pytorch"


def read_certificate(folder: Path) -> dict[str, Any]:
    """The certificate of an export.

    Raises:
        CheckpointError: it cannot be read, or is no certificate of an export.
    """
    path = folder / CERTIFICATE
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read as JSON ({error}); {ADVICE}") from error
    if not isinstance(values, dict) or not isinstance(values.get("files"), dict):
        raise CheckpointError(f"{path} is not the certificate of an export: it names no files; {ADVICE}")
    return values


def check_files(folder: Path) -> None:
    """Refuse an export of which a file is missing or is not what was written.

    Raises:
        CheckpointError: naming the file.
    """
    for name, entry in read_certificate(folder)["files"].items():
        path = folder / name
        if not path.is_file():
            raise CheckpointError(f"{path} is missing, but {CERTIFICATE} names it; {ADVICE}")
        expected = entry.get("sha256") if isinstance(entry, dict) else None
        found = describe(path)["sha256"]
        if found != expected:
            raise CheckpointError(f"{path} has SHA-256 {found}, {CERTIFICATE} says {expected}: altered; {ADVICE}")


def describe(path: Path) -> dict[str, Any]:
    """The size and the SHA-256 of a file."""
    with path.open("rb") as file:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def read_parameters(folder: Path, expected: Mapping[str, Parameter]) -> dict[str, npt.NDArray[Any]]:
    """The weights of an export, by name, in the order of the specification.

    Raises:
        CheckpointError: a file was altered, or a weight is missing or of another shape.
    """
    check_files(folder)
    path = folder / WEIGHTS
    try:
        found = dict(parse_tensors(path.read_bytes()))
    except (OSError, SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}; {ADVICE}") from error
    wrong = [name for name, weight in expected.items() if name not in found or found[name].shape != weight.shape]
    if wrong or len(found) != len(expected):
        raise CheckpointError(f"{path} is not of the model in config.toml ({', '.join(wrong[:3])}); {ADVICE}")
    return {name: found[name] for name in expected}
