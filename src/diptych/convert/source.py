"""A user's model as it comes: the file, its graph, and whether the framework that wrote it can still run it here."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from diptych.convert.adam import Adam
from diptych.convert.files.model_file import ModelFile
from diptych.convert.files.opening import read_model_file
from diptych.convert.framework_process import call
from diptych.convert.graph import Array, Graph
from diptych.convert.keras.adam import adam_of_keras
from diptych.convert.keras.architecture import NamedArrays, read_keras, read_keras_and_places
from diptych.convert.onnx.reading import read_onnx_graph
from diptych.convert.originals import SUFFIXES, KerasOriginal, ModuleOriginal, Numbers, OnnxOriginal, Original
from diptych.convert.parts import read_parts
from diptych.convert.rtneural import read_rtneural
from diptych.convert.scratch import mapped_arrays, save_arrays
from diptych.convert.stored import from_plain
from diptych.convert.tf1.reading import read_frozen
from diptych.convert.torch.adam import adam_of, averages_of
from diptych.errors import RefusalError
from diptych.panel import is_installed


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
        adam: the optimizer's state, if it has one that is converted.
    """

    path: Path
    sha256: str
    title: str
    written_by: str
    graph: Graph
    original: Original | None
    missing: tuple[str, ...] = ()
    adam: Adam | None = None


@dataclass(frozen=True)
class Asked:
    """What is said about a file beside its name.

    Attributes:
        assume: answers to what it leaves open, by key.
        config: of a file of Keras weights, the config that belongs to them, as JSON.
        module: of a state dict, the class that it belongs to, "package.module:Class".
        layers: of weights without a class, the layers that run one after the other; empty for each by itself.
        inputs: examples of what that class takes: shapes, such as "2,7" or, of whole numbers, "2,7:int"; of a frozen
            graph without placeholders, the nodes that are its inputs.
    """

    assume: Mapping[str, str] = field(default_factory=dict)
    config: Path | None = None
    module: str | None = None
    inputs: tuple[str, ...] = ()
    layers: tuple[str, ...] | None = None


def read_source(given: Path | ModelFile, asked: Asked, threads: int | None = None) -> Source:
    """A model file, read or to be read, as a source.

    Raises:
        RefusalError: it cannot be converted exactly, or it is ambiguous; the choices are named.
    """
    file = given if isinstance(given, ModelFile) else read_model_file(given)
    path = file.path
    if asked.module:
        return _module(file, asked, module=asked.module, threads=threads)
    of_keras = file.format.startswith("keras") or file.format == "saved-model"
    if of_keras and asked.layers is None:
        return _keras(file, asked)
    if file.format == "rtneural-json":
        return _rtneural(file)
    if file.format == "onnx" and asked.layers is None:
        _only(asked, file)
        return _source(file, read_onnx_graph(file), original=OnnxOriginal(path), missing=[])
    if asked.layers is not None:
        return _parts(file, asked)
    if file.format == "tensorflow-graph":
        return _frozen(file, asked)
    raise RefusalError(
        f"{path} ({file.written_by}) has names and weights, but does not say what its layers compute: name the class "
        f"that they belong to with --module package.module:Class, or the layers to run in order with --layers A,B"
    )


def _keras(file: ModelFile, asked: Asked) -> Source:
    _only(asked, file, "keras")
    architecture: Any = file.architecture
    version = asked.assume.get("keras") or file.written_by.version
    if asked.config is not None:
        architecture = json.loads(asked.config.read_text(encoding="utf-8"))
        version = asked.assume.get("keras") or architecture.get("keras_version") or version
    if file.format == "saved-model" and (not isinstance(file.architecture, dict) or asked.config is not None):
        raise RefusalError(
            f"{file.path} has its layers as programs of TensorFlow only, which are not read: a SavedModel with Keras's "
            f"configuration (keras_metadata.pb, of tf.keras 2.5 to 2.15) is converted. Convert the model's .keras or "
            f".h5 file, or layers by themselves with --layers A,B"
        )
    if not isinstance(architecture, dict):
        raise RefusalError(
            f"{file.path} has weights only: what its layers compute is not in it; give the model's config, as "
            f"model.to_json() writes it, with --config FILE.json, or the layers to run with --layers A,B"
        )
    weights: dict[str, NamedArrays] = {
        layer.name: [(name, file.tensors[name].read()) for name in layer.tensors] for layer in file.layers
    }
    check_finite(file.path, {f"{layer}: {name}": array for layer, named in weights.items() for name, array in named})
    named_by_layers = {name for layer in file.layers for name in layer.tensors}
    if left := [name for name in file.tensors if name not in named_by_layers]:
        raise RefusalError(f"{file.path}: {len(left)} weights belong to no layer of the config: {', '.join(left[:5])}")

    def read(arrays: dict[str, NamedArrays]) -> Graph:
        return read_keras(architecture, arrays, version)

    graph, weights = read_keras_and_places(architecture, weights, version)
    new = (version or "").startswith("3.")
    missing = [] if new else [f"the model as {file.written_by} runs it: Keras 3 cannot, so the formulas judge alone"]
    runs = new and file.format in SUFFIXES and is_installed("tensorflow")
    names = {path: [name for name, _ in named] for path, named in weights.items()}
    original = KerasOriginal(file, architecture, weights=names, read=read) if runs else None
    return _source(file, graph, original=original, missing=missing, adam=lambda: adam_of_keras(file, weights, read))


def _source(
    file: ModelFile, graph: Graph, original: Original | None, missing: list[str], adam: Callable[[], Adam] | None = None
) -> Source:
    """A source; it is said where the optimizer's state is dropped, and why, and where half precision is widened."""
    graph = _widened(file, graph)
    kept = None
    if file.training is not None:
        why = "layers alone have none"
        try:
            kept = adam() if adam else None
        except RefusalError as error:
            why = str(error)
        if kept is None:
            name = file.training.optimizer or "the optimizer"
            count = len(file.training.slots)
            missing = [*missing, f"the state of {name} ({count} arrays) is dropped: {why}; training starts anew"]
    by = str(file.written_by)
    return Source(
        file.path,
        sha256=digest_of(file.path),
        title=f"{file.path.name}, written by {by}",
        written_by=by,
        graph=graph,
        original=original,
        missing=tuple(missing),
        adam=kept,
    )


def _widened(file: ModelFile, graph: Graph) -> Graph:
    """The graph with its weights in float32 where the file has them in half precision, which is exact, and said."""
    halves = sorted({tensor.dtype for tensor in file.tensors.values()} & {"float16", "bfloat16"})
    if not halves or file.format == "onnx":  # an ONNX file computes in half precision, which its reader says
        return graph
    single = {name: one.astype(np.float32) for name, one in graph.weights().items() if one.dtype == np.float16}
    sentence = f"{' and '.join(halves)} weights are widened to float32, exactly: the model computes in float32"
    return replace(graph.with_weights(single), assumptions=(*graph.assumptions, sentence))


def digest_of(path: Path) -> str:
    """The SHA-256 of a file; of a folder, of its files' names and digests."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        listed = "".join(f"{digest_of(file)}  {file.relative_to(path).as_posix()}\n" for file in files)
        return hashlib.sha256(listed.encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _only(asked: Asked, file: ModelFile, *keys: str) -> None:
    if unknown := sorted(set(asked.assume) - set(keys)):
        raise RefusalError(
            f"--assume {unknown[0]} means nothing for {file.path}; choose among: {', '.join(keys) or 'none'}"
        )


def _module(file: ModelFile, asked: Asked, module: str, threads: int | None) -> Source:
    _only(asked, file)
    weights = Numbers(file.tensors)
    check_finite(file.path, weights)
    averages: dict[str, dict[str, Array]] = {}
    problem: RefusalError | None = None
    if file.training is not None:
        try:
            averages = averages_of(file.training)
        except RefusalError as error:
            problem = error
    with tempfile.TemporaryDirectory(prefix="diptych-", ignore_cleanup_errors=True) as folder:
        save_arrays(Path(folder, "weights.safetensors"), weights)
        arguments = {"folder": folder, "module": module, "inputs": list(asked.inputs), "averages": averages}
        function = "diptych.convert.torch.users:read_module_of_user"
        found = call("pytorch", function, arguments=arguments, threads=threads, module=module)
        named = mapped_arrays(Path(folder, "graph.safetensors"))
        graph = from_plain(found["graph"], {name: np.array(array) for name, array in named.items()})

    def adam() -> Adam:
        if problem is not None or file.training is None:
            raise problem or RefusalError("there is none")
        if found["averages"] is None:
            raise RefusalError(f"it has averages for {len(averages['first'])} parameters, the module others")
        return adam_of(file.training, found["averages"])

    return _source(file, graph, original=ModuleOriginal(module, weights), missing=[], adam=adam)


def _parts(file: ModelFile, asked: Asked) -> Source:
    graph = read_parts(file, asked.layers or (), asked.assume)
    used = {node.origin for node in graph.nodes}
    left = [layer.name for layer in file.layers if layer.tensors and layer.name not in used]
    missing = ["nothing runs the file itself: the formulas judge alone"]
    missing += [f"the layers {', '.join(left)} are left out, as asked"] if left else []
    weights = {f"{node.name}.{name}": array for node in graph.nodes for name, array in node.weights.items()}
    check_finite(file.path, weights)
    return _source(file, graph, original=None, missing=missing)


def _frozen(file: ModelFile, asked: Asked) -> Source:
    _only(asked, file)
    graph = read_frozen(file, asked.inputs)
    check_finite(file.path, graph.weights())
    return _source(file, graph, original=None, missing=["the model as TensorFlow 1 runs it: nothing here is that old"])


def _rtneural(file: ModelFile) -> Source:
    architecture: Any = file.architecture
    return _source(
        file,
        read_rtneural(architecture, file.path),
        original=None,
        missing=["nothing runs the file itself: the formulas judge alone"],
    )


def check_finite(path: Path, weights: Mapping[str, Array]) -> None:
    """Refuse weights that are not numbers.

    Raises:
        RefusalError: naming the first one.
    """
    for name, array in weights.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise RefusalError(f"{path}: {name} has numbers that are not finite: there is nothing to compare")
