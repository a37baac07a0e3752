"""A user's model as it comes: the file, its graph, and whether the framework that wrote it can still run it here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from safetensors.numpy import save_file

from diptych.convert.certificate import Party
from diptych.convert.files.model_file import ModelFile
from diptych.convert.files.opening import read_model_file
from diptych.convert.graph import Graph
from diptych.convert.keras.architecture import NamedArrays, read_keras
from diptych.convert.keras.file import named_arrays
from diptych.convert.keras.party import party_of_original
from diptych.errors import RefusalError
from diptych.processes.call import call


class Original(Protocol):
    """The user's model where its framework can run it."""

    def run(self, graph: Graph, folder: Path, threads: int | None) -> Party:
        """Its findings on the trial in a folder."""


@dataclass(frozen=True, eq=False)
class Source:
    """A user's model.

    Attributes:
        path: where it came from.
        sha256: of the file; empty where there is none.
        title: what it is, for the first line of what is written.
        written_by: the framework and its version.
        graph: the model.
        original: runs it as it is; None where no framework here can.
        missing: what the certificate therefore lacks.
    """

    path: Path
    sha256: str
    title: str
    written_by: str
    graph: Graph
    original: Original | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class KerasOriginal:
    """A model that Keras 3 wrote."""

    config: dict[str, Any]
    weights: dict[str, NamedArrays]
    read: Callable[[dict[str, NamedArrays]], Graph]

    def run(self, graph: Graph, folder: Path, threads: int | None) -> Party:
        """Its findings on the trial in a folder."""
        (folder / "original.json").write_text(json.dumps(self.config), encoding="utf-8")
        arrays = {
            f"{path}|{number}": np.ascontiguousarray(array)
            for path, named in self.weights.items()
            for number, (_, array) in enumerate(named)
        }
        save_file(arrays, folder / "original.safetensors")
        found = call(
            "tensorflow", "diptych.convert.keras.running:run_original", {"folder": str(folder)}, threads, "cpu"
        )
        return party_of_original(graph, found, self.weights, self.read)


KEYS = ("keras",)
"""What `--assume` can answer of a Keras file."""


def read_source(path: Path, assume: Mapping[str, str], config: Path | None = None) -> Source:
    """A model file as a source.

    Raises:
        RefusalError: it cannot be converted exactly, or it is ambiguous; the choices are named.
    """
    file = read_model_file(path)
    if file.format.startswith("keras"):
        return _keras(file, assume, config)
    raise RefusalError(f"{path} is of the format {file.format}, which is not converted yet")


def _keras(file: ModelFile, assume: Mapping[str, str], config: Path | None) -> Source:
    if unknown := sorted(set(assume) - set(KEYS)):
        raise RefusalError(f"--assume {unknown[0]} means nothing for {file.path}; choose among: {', '.join(KEYS)}")
    architecture: Any = file.architecture
    version = assume.get("keras") or file.written_by.version
    if config is not None:
        architecture = json.loads(config.read_text(encoding="utf-8"))
        version = assume.get("keras") or architecture.get("keras_version") or version
    if not isinstance(architecture, dict):
        raise RefusalError(
            f"{file.path} has weights only: what its layers compute is not in it; give the model's config, as "
            f"model.to_json() writes it, with --config FILE.json"
        )
    weights = named_arrays(file)
    _check_finite(file.path, weights)

    def read(arrays: dict[str, NamedArrays]) -> Graph:
        return read_keras(architecture, arrays, version)

    graph = read(weights)
    new = (version or "").startswith("3.")
    missing = () if new else (f"the model as {file.written_by} runs it: Keras 3 cannot, so the formulas judge alone",)
    return Source(
        file.path,
        hashlib.sha256(file.path.read_bytes()).hexdigest(),
        f"{file.path.name}, written by {file.written_by}",
        str(file.written_by),
        graph,
        KerasOriginal(architecture, weights, read) if new else None,
        missing,
    )


def _check_finite(path: Path, weights: dict[str, NamedArrays]) -> None:
    for layer, named in weights.items():
        for name, array in named:
            if not np.isfinite(array).all():
                raise RefusalError(
                    f"{path}: {layer}: {name} has numbers that are not finite; there is nothing to compare"
                )
