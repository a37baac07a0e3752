"""A PyTorch module, run in a process of its own: its values, gradients, and what one optimizer step makes of it."""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import linecache
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file

RATE = 0.125  # in float32, too: Keras rounds it


def run_written(panel: ModuleType, folder: str, variables: dict[str, str], adam: bool) -> dict[str, Any]:
    """Run the module that a conversion wrote into a folder, on the trial that lies there too.

    Args:
        panel: PyTorch's, unused.
        folder: with `model.py`, `model.safetensors` and `trial.safetensors`.
        variables: by what a value is called, the local variable of `forward` that holds it.
        adam: whether there is an optimizer's state, from which a step is made.
    """
    program = load_program(Path(folder, "model.py"))
    trial = load_file(Path(folder, "trial.safetensors"))
    evidence = run_module(program.load(), trial, variables) | {"versions": {"torch": torch.__version__}}
    return evidence | ({"adam": _stepped(program, evidence["gradients"])} if adam else {})


def _stepped(program: Any, gradients: dict[str, Any]) -> dict[str, Any]:
    """The parameters after one more step of the optimizer that came with them."""
    model = program.load()
    optimizer = program.load_optimizer(model)
    parameters = dict(model.named_parameters())
    for name, gradient in gradients.items():
        parameters[name].grad = torch.from_numpy(gradient).to(parameters[name])
    optimizer.step()
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


def run_module(model: Any, trial: dict[str, Any], variables: dict[str, str]) -> dict[str, Any]:
    """A module's values in float64, its outputs in float32, its gradients, and its outputs after a step of SGD.

    Args:
        model: the module; changed.
        trial: `input.NUMBER.NAME` and `factor.NUMBER.NAME`.
        variables: by what a value is called, the local variable of `forward` that holds it.
    """
    inputs = [torch.from_numpy(np.array(value)) for name, value in sorted(trial.items()) if name.startswith("input.")]
    factors = [torch.from_numpy(np.array(value)) for name, value in sorted(trial.items()) if name.startswith("factor.")]
    model.eval()
    with torch.no_grad():
        rounded = copy.deepcopy(model).float()
        single = _outputs(rounded(*(one.float() if one.is_floating_point() else one for one in inputs)))
    model.double()
    for parameter in model.parameters():
        parameter.grad = None
    found = local_variables(model, inputs)
    outputs = _outputs(found["return"])
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    loss = sum((factor * output).sum() for factor, output in zip(factors, outputs))
    gradients = torch.autograd.grad(loss, list(trained.values()), allow_unused=True)
    evidence = {
        "outputs": [_array(output) for output in outputs],
        "float32": [_array(output) for output in single],
        "values": {
            name: _array(found[place]) for name, place in variables.items() if torch.is_tensor(found.get(place))
        },
        "states": {
            name: [_array(one) for one in (value if isinstance(value, tuple) else (value,))]
            for name, value in found.items()
            if name.endswith("_state") or name.endswith("_state_reverse")
        },
        "gradients": {
            name: _array(torch.zeros_like(trained[name]) if gradient is None else gradient)
            for name, gradient in zip(trained, gradients)
        },
    }
    optimizer = torch.optim.SGD(trained.values(), lr=RATE)
    for parameter, gradient in zip(trained.values(), gradients):
        parameter.grad = torch.zeros_like(parameter) if gradient is None else gradient
    optimizer.step()
    with torch.no_grad():
        evidence["stepped"] = [_array(output) for output in _outputs(model(*inputs))]
    return evidence


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


def _outputs(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple | list) else [result]


def _array(tensor: Any) -> Any:
    return tensor.detach().cpu().numpy()


def run_original(module: Any, trial: dict[str, Any], layers: list[str]) -> dict[str, Any]:
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

    for name in layers:
        if not isinstance(modules[name], torch.nn.BatchNorm1d):
            modules[name].register_forward_hook(watch(name))
    evidence = run_module(copied, trial, {})
    return evidence | {"layers": found, "versions": {"torch": torch.__version__}}
