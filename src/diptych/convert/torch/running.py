"""A PyTorch module, run in a process of its own: its values, gradients, and what one optimizer step makes of it.

In float64 a large model has twice its size, and so have its gradients: both are in files that are mapped, and each
gradient is there as soon as it is known.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import importlib.util
import linecache
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file

from diptych.convert.scratch import new_arrays
from diptych.errors import RefusalError

RATE = 0.125  # in float32, too: Keras rounds it


def run_written(folder: str, variables: dict[str, str], adam: bool) -> dict[str, Any]:
    """Run the module that a conversion wrote into a folder, on the trial that lies there too.

    Args:
        folder: with `model.py`, `model.safetensors` and `trial.safetensors`.
        variables: by what a value is called, the local variable of `forward` that holds it.
        adam: whether there is an optimizer's state, from which a step is made.
    """
    program = load_program(Path(folder, "model.py"))
    trial, own = load_file(Path(folder, "trial.safetensors")), Path(folder, "written")
    own.mkdir()
    evidence = run_module(program.load(), trial, variables=variables, folder=own)
    gradients = evidence.pop("gradients")
    return evidence | ({"adam": _stepped(program, gradients)} if adam else {})


def _stepped(program: Any, gradients: dict[str, Any]) -> dict[str, Any]:
    """The parameters after one more step of the optimizer that came with them."""
    model = program.load()
    optimizer = program.load_optimizer(model)
    parameters = dict(model.named_parameters())
    for name, gradient in gradients.items():
        parameters[name].grad = torch.from_numpy(gradient).to(parameters[name])
        optimizer.step()  # one after the other: a parameter without a gradient stays as it is
        parameters[name].grad = None
    return {name: _array(parameters[name]) for name in gradients}


def module_from(code: str, weights: Mapping[str, Any]) -> Any:
    """A written module from its text, with its weights; `inspect.getsource` shows the text."""
    name = f"converted_{hashlib.sha256(code.encode()).hexdigest()[:12]}"
    file = f"<{name}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    program = sys.modules.setdefault(name, ModuleType(name))
    program.__file__ = file
    exec(compile(code, file, "exec"), program.__dict__)
    module, own = program.Model(), tensors(weights)
    if any(value.dtype == torch.float64 for value in own.values()):
        module.double()
    module.load_state_dict(own)
    return module.eval()


def tensors(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors of arrays; they share no memory with them."""
    return {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}


def load_program(path: Path) -> ModuleType:
    """A written program as a module."""
    specification = importlib.util.spec_from_file_location(f"converted_{path.stem}", path)
    assert specification is not None
    assert specification.loader is not None
    program = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(program)
    return program


def run_module(model: Any, trial: dict[str, Any], variables: dict[str, str], folder: Path) -> dict[str, Any]:
    """A module's values in float64, its outputs in float32, its gradients, and its outputs after a step of SGD.

    Args:
        model: the module; changed.
        trial: `input.NUMBER.NAME` and `factor.NUMBER.NAME`.
        variables: by what a value is called, the local variable of `forward` that holds it.
        folder: where its weights in float64 are kept, and its gradients: `gradients.safetensors`.
    """
    inputs = [torch.from_numpy(np.array(value)) for name, value in sorted(trial.items()) if name.startswith("input.")]
    factors = [torch.from_numpy(np.array(value)) for name, value in sorted(trial.items()) if name.startswith("factor.")]
    model.eval()
    with torch.no_grad():
        wide = {name: one.detach() for name, one in _numbers(model) if one.dtype == torch.float64}
        single = _outputs(model.float()(*(one.float() if one.is_floating_point() else one for one in inputs)))
    _widen(model, wide, folder)
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    forms = {name: (np.float64, tuple(parameter.shape)) for name, parameter in trained.items()}
    gradients = new_arrays(folder / "gradients.safetensors", forms)  # zeros, where the loss does not depend on one
    for name, parameter in trained.items():
        parameter.grad = None
        parameter.register_post_accumulate_grad_hook(_into(gradients[name]))
    with _in_float64():
        found = local_variables(model, inputs)
    outputs = _outputs(found["return"])
    loss: Any = sum((factor * output).sum() for factor, output in zip(factors, outputs))
    if loss.requires_grad:
        loss.backward()
    evidence = {
        "outputs": [_array(output) for output in outputs],
        "float32": [_array(output) for output in single],
        "versions": {"torch": torch.__version__},
        "values": {
            name: _array(found[place]) for name, place in variables.items() if torch.is_tensor(found.get(place))
        },
        "states": {
            name: [_array(one) for one in (value if isinstance(value, tuple) else (value,))]
            for name, value in found.items()
            if name.endswith("_state") or name.endswith("_state_reverse")
        },
        "gradients": gradients,
    }
    with torch.no_grad():
        for name, parameter in trained.items():
            optimizer = torch.optim.SGD([parameter], lr=RATE)
            parameter.grad = torch.from_numpy(gradients[name])
            optimizer.step()
            parameter.grad = None
        with _in_float64():
            evidence["stepped"] = [_array(output) for output in _outputs(model(*inputs))]
    return evidence


def _widen(model: Any, wide: dict[str, Any], folder: Path) -> None:
    """Let a module compute in float64, with numbers that are in a file.

    Args:
        model: in float32; changed.
        wide: its parameters and buffers that have more digits.
        folder: for the file.
    """
    own = dict(_numbers(model))
    forms = {name: (np.float64, tuple(one.shape)) for name, one in own.items()}
    for name, array in new_arrays(folder / "double.safetensors", forms).items():
        array[...] = _array(wide.get(name, own[name]))
        own[name].data = torch.from_numpy(array)


def _numbers(model: Any) -> Iterator[tuple[str, Any]]:
    """A module's parameters and buffers that are no whole numbers."""
    for named in (model.named_parameters(), model.named_buffers()):
        yield from ((name, one) for name, one in named if one.is_floating_point())


def _into(array: Any) -> Any:
    """What is done with a parameter's gradient when it is known: it goes into an array."""

    def take(parameter: Any) -> None:
        array[...] = _array(parameter.grad)
        parameter.grad = None

    return take


def local_variables(model: Any, inputs: list[Any]) -> dict[str, Any]:
    """The local variables of `forward` when it returns, and what it returns under "return"."""
    code, found = type(model).forward.__code__, {}

    def watch(frame: Any, event: str, value: Any) -> None:
        if event == "return" and frame.f_code is code:
            found.update(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        result = model(*inputs)
    finally:
        sys.setprofile(before)
    return found | {"return": result}


@contextlib.contextmanager
def _in_float64() -> Iterator[None]:
    """Tensors that a `forward` makes without saying of which type, torch.zeros(..) for a first state, are float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _outputs(result: Any) -> list[Any]:
    """What a module returns, nested or not, one after the other."""
    if isinstance(result, tuple | list):
        return [output for each in result for output in _outputs(each)]
    return [result]


def _array(tensor: Any) -> Any:
    return tensor.detach().cpu().numpy()


def run_original(module: Any, trial: dict[str, Any], layers: list[str], folder: Path) -> dict[str, Any]:
    """What a copy of a user's module computes, and what each of these layers gives, the axes in a graph's order."""
    copied = copy.deepcopy(module)
    modules: dict[str, Any] = dict(copied.named_modules())
    found: dict[str, Any] = {}

    def watch(name: str) -> Any:
        def keep(layer: Any, inputs: Any, output: Any) -> None:
            first = output[0] if isinstance(output, tuple) and torch.is_tensor(output[0]) else output
            if not torch.is_tensor(first) or first.dtype != torch.float64:
                return
            if first.dim() == 3 and getattr(layer, "batch_first", True) is False:
                first = first.transpose(0, 1)
            if isinstance(layer, torch.nn.Conv1d):
                first = first.transpose(1, 2)
            found.setdefault(name, _array(first))

        return keep

    for layer in modules.values():
        if isinstance(layer, torch.nn.Embedding):
            # A row that is not trained is said to be uncertified; the others are compared.
            layer.padding_idx, layer.sparse = None, False
    for name in layers:
        if not isinstance(modules[name], torch.nn.BatchNorm1d):
            modules[name].register_forward_hook(watch(name))
    try:
        evidence = run_module(copied, trial, variables={}, folder=folder)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise RefusalError(
            f"{type(module).__name__} cannot be run beside what is written, in float64 and on other inputs: "
            f"{first[:200]}; a type or a size that its forward fixes is to be taken from its inputs"
        ) from error
    return evidence | {"layers": found}
