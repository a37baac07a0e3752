"""Models and layers that live in this process, converted in it: nothing that is given is changed.

Both frameworks are in one process then, because the caller asks for both; each is imported when it is needed.
"""

from __future__ import annotations

import contextlib
import importlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from diptych import panel
from diptych.convert import certificate
from diptych.convert.certificate import Party
from diptych.convert.document import document
from diptych.convert.graph import Graph
from diptych.convert.keras.program_party import arrays_of_layers, doubled_said, party_of_program
from diptych.convert.keras.weights import to_keras as weights_to_keras
from diptych.convert.keras.writing import write_keras
from diptych.convert.projections import without_projections
from diptych.convert.targets import write_for
from diptych.convert.torch.party import party_of, party_of_module, variables_of
from diptych.convert.torch.writing import write_pytorch
from diptych.convert.trial import Trial, arrays_of, make_trial
from diptych.errors import RefusalError
from diptych.storage.place import replace_file

RATE = 0.125  # in float32, too: Keras rounds it


def to_pytorch(keras_model: Any) -> Any:
    """A PyTorch module that computes what a Keras model does, certified.

    Args:
        keras_model: a built Sequential or functional model; it is not changed.

    Returns:
        A module of stock layers in float32 and evaluation mode. `module.code` is its text, `module.certificate` the
        comparisons that were made, and on what.

    Raises:
        RefusalError: a part of the model cannot be converted exactly; the message names it.
        CertificateError: the module does not give the same numbers.
        BackendError: PyTorch is not installed.
    """
    read, running = _keras("live"), _torch("running")
    graph = read.graph_of(keras_model)
    written = write_pytorch(graph, f"{keras_model.name}, converted by Diptych; it needs torch and safetensors only.")
    trial = make_trial(graph)
    arrays = arrays_of(trial)
    with _folders() as (first, second):
        theirs = [read.party_of(keras_model, graph, arrays, first)] if _takes(keras_model, graph) else []
        again = running.module_from(written.code, written.weights)
        evidence = running.run_module(again, arrays, variables=variables_of(written), folder=second)
        ours = party_of(graph, written, evidence=evidence, found=evidence["gradients"])
        module = running.module_from(written.code, written.weights)
        module.code, module.certificate = written.code, _checked(graph, trial, parties=[*theirs, ours], to="pytorch")
    return module


@contextlib.contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    """Two folders for what two models find, as long as it is looked at."""
    with tempfile.TemporaryDirectory(prefix="diptych-", ignore_cleanup_errors=True) as name:
        first, second = Path(name, "first"), Path(name, "second")
        first.mkdir()
        second.mkdir()
        yield first, second


def _takes(keras_model: Any, graph: Graph) -> bool:
    """Whether a Keras model takes what its graph takes: a stateful one keeps its states to itself."""
    return len(keras_model.inputs) == len(graph.inputs)


def _checked(graph: Graph, trial: Trial, parties: list[Party], to: str) -> dict[str, Any]:
    checks = certificate.compare(graph, trial, parties=parties, rate=RATE)
    certificate.demand(checks)
    return document(graph, trial, parties=parties, checks=checks, to=to, missing=[])


def state_dict(keras_layer: Any) -> dict[str, Any]:
    """The weights of one Keras layer under the names that its PyTorch counterpart gives them.

    An LSTM's are those of `nn.LSTM(.., batch_first=True)`: `weight_ih_l0` and so on, the second bias zero; a
    Bidirectional layer's those of `bidirectional=True`.

    Args:
        keras_layer: a built layer: LSTM, GRU, SimpleRNN, Bidirectional, Dense, Embedding, LayerNormalization and so on.

    Returns:
        Torch tensors that share no memory with the layer.

    Raises:
        RefusalError: PyTorch has no stock layer that computes it.
    """
    graph = _keras("live").graph_of_layer(keras_layer)
    owners = [node for node in graph.nodes if node.weights]
    if len(owners) != 1:
        raise RefusalError(
            f"{keras_layer.name}: one layer with weights was expected, got {len(owners)}; use to_pytorch"
        )
    written = write_pytorch(graph, keras_layer.name)
    if written.code.count("\nclass ") > 1:
        raise RefusalError(
            f"{keras_layer.name}: no stock layer of PyTorch computes it; to_pytorch writes one that does"
        )
    prefix = f"{owners[0].name}."
    found: dict[str, Any] = _torch("running").tensors(written.weights)
    return {name.removeprefix(prefix): value for name, value in found.items()}


def _keras(name: str) -> ModuleType:
    panel.load("tensorflow")
    return importlib.import_module(f"diptych.convert.keras.{name}")


def _torch(name: str) -> ModuleType:
    panel.load("pytorch")
    return importlib.import_module(f"diptych.convert.torch.{name}")


def to_keras(module: Any, inputs: Any = None) -> Any:
    """A Keras model that computes what a PyTorch module does in evaluation mode, certified.

    Args:
        module: what `torch.fx` can trace; it is not changed.
        inputs: examples of what it takes, in its order; only shapes and types count. None: the layers that take them
            tell, where they can.

    Returns:
        A functional model in float32. `model.code` is its text, `model.certificate` the comparisons that were made.

    Raises:
        RefusalError: a part of the module cannot be converted exactly; the message names it.
        CertificateError: the model does not give the same numbers.
        BackendError: TensorFlow is not installed.
    """
    tracing, theirs_runs, ours_runs = _torch("tracing"), _torch("running"), _keras("running")
    graph = tracing.graph_of(module, [inputs] if hasattr(inputs, "shape") else inputs)
    expanded = without_projections(graph)
    written = write_keras(expanded, f"{type(module).__name__}, converted by Diptych; it needs Keras 3 only.")
    expanded = doubled_said(expanded, written.doubled)
    trial = make_trial(expanded)
    arrays = arrays_of(trial)
    variables = {str(ref): name for ref, name in written.variables.items()}
    with _folders() as (first, second):
        evidence = theirs_runs.run_original(module, arrays, layers=list(graph.origins), folder=first)
        theirs = party_of_module(expanded, evidence, evidence["gradients"])
        evidence, model, lent = ours_runs.run_code(
            written.code, variables, arrays=arrays_of_layers(written), trial=arrays, folder=second
        )
        lent.give()  # it outlives the folder
        ours = party_of_program(expanded, written, evidence=evidence, found=evidence["gradients"])
        object.__setattr__(model, "code", written.code)
        object.__setattr__(model, "certificate", _checked(expanded, trial, parties=[theirs, ours], to="keras"))
    return model


def to_onnx(model: Any, path: str | Path, inputs: Any = None) -> dict[str, Any]:
    """Write a Keras model or a PyTorch module as an ONNX file with native LSTM, GRU and RNN nodes, certified.

    Args:
        model: a built Sequential or functional Keras model, or a module that `torch.fx` can trace; it is not changed.
        path: of the file; one that is there is replaced.
        inputs: of a module, examples of what it takes, as `to_keras` takes them.

    Returns:
        The comparisons that were made: of the model with the formulas, and of the file by the runtimes that are
        installed (onnxruntime, onnx).

    Raises:
        RefusalError: a part of the model has no form in ONNX; the message names it.
        CertificateError: the file does not give the same numbers; nothing is written then.
    """
    read: Any
    is_module = any(base.__module__.partition(".")[0] == "torch" for base in type(model).__mro__)
    if is_module:
        read = _torch("tracing")
        graph = read.graph_of(model, [inputs] if hasattr(inputs, "shape") else inputs)
    else:
        read = _keras("live")
        graph = read.graph_of(model)
    target = write_for("onnx", graph, type(model).__name__)
    trial = make_trial(target.graph)
    theirs = []
    with _folders() as (folder, building):
        if is_module:
            evidence = _torch("running").run_original(
                model, arrays_of(trial), layers=list(graph.origins), folder=folder
            )
            theirs.append(party_of_module(target.graph, evidence, evidence["gradients"]))
        elif _takes(model, target.graph):
            theirs.append(read.party_of(model, target.graph, arrays_of(trial), folder))
        save_file(arrays_of(trial), folder / "trial.safetensors")
        ours = target.run(folder, building, None)
        made = _checked(target.graph, trial, parties=[*theirs, ours], to="onnx")
        replace_file(Path(path), (building / "model.onnx").read_bytes())
    return made


def keras_weights(torch_layer: Any) -> list[npt.NDArray[Any]]:
    """The weights of one PyTorch layer as `set_weights` of its Keras counterpart takes them.

    Two biases of `nn.LSTM` and `nn.RNN` become their sum; a bidirectional layer's weights are those of `Bidirectional`.

    Args:
        torch_layer: a stock layer: nn.LSTM, nn.GRU, nn.RNN (one layer of it), Linear, Embedding, LayerNorm and so on.

    Returns:
        Arrays that share no memory with the layer.

    Raises:
        RefusalError: it is a stack of layers, or Keras has no stock layer that computes it.
    """
    nodes = [node for node in _torch("tracing").graph_of_layer(torch_layer).nodes if node.weights]
    if len(nodes) != 1:
        raise RefusalError(f"one layer with weights was expected, got {len(nodes)}; use to_keras")
    if "weight_hr" in nodes[0].weights:
        raise RefusalError("a projection (proj_size) has no stock layer in Keras; to_keras writes one product more")
    kept = next(iter(nodes[0].weights.values())).dtype
    return [np.array(value, kept) for value in weights_to_keras(nodes[0].kind, dict(nodes[0].weights))]
