"""A Keras model, run in a process of its own: its values, gradients, and what one optimizer step makes of it.

Its weights, and its gradients as soon as they are known, are in files that are mapped, see `lending`.
"""

from __future__ import annotations

import gc
import json
import math
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from safetensors.numpy import load_file

from diptych.convert.keras.lending import Lent, blank_weights
from diptych.convert.scratch import mapped_arrays, new_arrays
from diptych.errors import RefusalError

VERSIONS = {"tensorflow": tf.__version__, "keras": keras.__version__}
RATE = 0.125  # in float32, too: Keras rounds it
TOGETHER = 1 << 22
"""Numbers of the gradients that are known at the same time."""


def run_original(folder: str, file: str) -> dict[str, Any]:
    """Run a model from its config (`original.json`) and weights (`original.safetensors`, "PATH|NUMBER") in a folder.

    The config is taken in float64, and in float32 for the outputs only. Keras loads the weights from the user's file,
    too: so a weight that was read into the wrong place cannot be certified there.

    Raises:
        RefusalError: Keras finds other numbers in the file, or cannot load it.
    """
    config = Path(folder, "original.json").read_text(encoding="utf-8")
    arrays, own = mapped_arrays(Path(folder, "original.safetensors")), Path(folder, "original")
    own.mkdir()
    trial = load_file(Path(folder, "trial.safetensors"))
    if "module" not in json.loads(config):  # a whole .h5 has Keras 2's form, read in such files only
        with blank_weights():
            config = keras.saving.load_model(file, compile=False).to_json()
    takes = _check_weights(config, arrays, file)
    gc.collect()  # a Keras model holds itself
    if takes < sum(name.startswith("input.") for name in trial):
        return {"versions": VERSIONS}  # a stateful model: it does not take its states
    evidence = run_built(config, arrays, trial=trial, folder=own)
    del evidence["gradients"]
    return evidence


def _check_weights(config: str, arrays: dict[str, Any], file: str) -> int:
    """Compare the weights that were read with those that Keras itself loads; how many inputs the model has."""
    try:
        with blank_weights():
            loaded = keras.models.model_from_json(config)
        loaded.load_weights(file)
    except (ValueError, TypeError, OSError, KeyError) as error:
        said = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise RefusalError(f"{file}: Keras {keras.__version__} cannot load its weights: {said[0][:200]}") from error
    for path, layer in layers_of(loaded):
        for number, value in enumerate(layer.get_weights()):
            found = arrays.get(f"{path}|{number}")
            if found is None or not np.array_equal(np.asarray(found, value.dtype), value):
                raise RefusalError(
                    f"{file}: {path}: Keras reads other numbers as its weight {number} than were read here"
                )
    return len(loaded.inputs)


def run_built(config: str, arrays: dict[str, Any], trial: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Build a model from its config, in float64 and then in float32, and run it; see `run_model`."""
    model = built(config, "float64")
    lent = lend(model, arrays, folder / "float64")
    values = _values(model, trial)
    evidence = run_model(model, lent, trial=trial, folder=folder) | {"values": values}
    del model, lent
    gc.collect()
    model = built(config, "float32")
    lend(model, arrays, folder / "float32")
    single = _call(model, trial, "float32")
    return evidence | {"float32": [_array(one) for one in single], "versions": VERSIONS}


def built(config: str, dtype: str) -> Any:
    """A model from its config, computing in another precision."""
    other = {"float64": "float32", "float32": "float64"}[dtype]
    with blank_weights():
        return keras.models.model_from_json(config.replace(f'"{other}"', f'"{dtype}"'))


def lend(model: Any, arrays: dict[str, Any], path: Path) -> Lent:
    """Give a model its weights, "PATH|NUMBER", which are in a file of this path from here on."""
    variables = {
        f"{path}|{number}": variable
        for path, layer in layers_of(model)
        for number, variable in enumerate(layer.weights)
    }
    if set(variables) != set(arrays):
        raise ValueError(f"expected weights of {sorted(variables)}, got {sorted(arrays)}")
    real = {name: variable for name, variable in variables.items() if "float" in variable.dtype}
    for name in variables.keys() - real.keys():
        variables[name].assign(arrays[name])
    return Lent(path, real, arrays)


def layers_of(model: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every layer with its path; those of models inside, too."""
    found = []
    for layer in model.layers:
        where = f"{path}/{layer.name}" if path else layer.name
        if isinstance(layer, keras.Model):
            found += layers_of(layer, where)
        elif hasattr(layer, "set_weights"):
            found.append((where, layer))
    return found


def run_model(model: Any, lent: Lent, trial: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A model's outputs in float64, its gradients by "PATH|NUMBER", and its outputs after a step of SGD.

    Args:
        model: it computes in float64; changed.
        lent: its weights.
        trial: `input.NUMBER.NAME` and `factor.NUMBER.NAME`.
        folder: where the gradients are kept, in `gradients.safetensors`: those of a large model fill no memory.
    """
    factors = [value for name, value in sorted(trial.items()) if name.startswith("factor.")]
    variables: dict[str, Any] = {}
    numbers: dict[str, int] = {}
    for path, layer in layers_of(model):
        of_rows = isinstance(layer, keras.layers.Embedding)  # those that were asked for
        for number, variable in enumerate(layer.weights):
            if "float" in variable.dtype and not variable.path.endswith(("moving_mean", "moving_variance")):
                variables[f"{path}|{number}"] = variable
                numbers[f"{path}|{number}"] = 0 if of_rows else math.prod(variable.shape)
    forms = {name: (np.float64, tuple(variable.shape)) for name, variable in variables.items()}
    gradients = new_arrays(folder / "gradients.safetensors", forms)
    outputs: list[Any] = []
    for names in _together(numbers):  # each with a tape of its own: one computes whatever leads to what it watches
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for name in names:
                tape.watch(variables[name].value)
            outputs = _call(model, trial, "float64")
            loss = sum(tf.reduce_sum(factor * output) for factor, output in zip(factors, outputs))
        for name, found in zip(names, tape.gradient(loss, [variables[name].value for name in names])):
            _keep(found, gradients[name])
    evidence = {"outputs": [_array(output) for output in outputs], "gradients": gradients}
    optimizer = keras.optimizers.SGD(RATE)
    optimizer.build(list(variables.values()))
    for name, variable in variables.items():
        optimizer.apply([tf.constant(gradients[name])], [variable])
        lent.keep(name)
    return evidence | {"stepped": [_array(output) for output in _call(model, trial, "float64")]}


def _together(numbers: dict[str, int]) -> list[list[str]]:
    """The variables, by how many numbers their gradients have, in groups that together fill no memory."""
    groups: list[tuple[int, list[str]]] = []
    for name, count in sorted(numbers.items(), key=lambda one: -one[1]):  # so that large ones are alone
        for place, (taken, names) in enumerate(groups):
            if taken + count <= TOGETHER:
                groups[place] = taken + count, [*names, name]
                break
        else:
            groups.append((count, [name]))
    return [names for _, names in groups]


def _keep(gradient: Any, array: Any) -> None:
    """Add a gradient to an array of zeros; None is one of zeros."""
    if isinstance(gradient, tf.IndexedSlices):
        np.add.at(array, gradient.indices.numpy(), gradient.values.numpy())
    elif gradient is not None:
        array[...] = _array(gradient)


def _values(model: Any, trial: dict[str, Any]) -> dict[str, Any]:
    """What each layer of the model gives that is called once, its first output."""
    found = {}
    for layer in model.layers:
        # The output of a model in the model is that of its own making.
        own = not isinstance(layer, keras.layers.InputLayer | keras.Model)
        if own and len(layer._inbound_nodes) == 1:
            output = layer.output
            found[layer.name] = output[0] if isinstance(output, list | tuple) else output
    if not found:
        return {}
    whole = keras.Model(model.inputs, found)
    values = whole(_inputs(trial, "float64"))
    return {name: _array(value) for name, value in values.items()}


def _inputs(trial: dict[str, Any], dtype: str) -> list[Any]:
    given = [value for name, value in sorted(trial.items()) if name.startswith("input.")]
    return [tf.constant(one, dtype if one.dtype.kind == "f" else None) for one in given]


def _call(model: Any, trial: dict[str, Any], dtype: str) -> list[Any]:
    inputs = _inputs(trial, dtype)
    result = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    outputs: list[Any] = keras.tree.flatten(result)  # the states of a stack of cells come in lists
    return outputs


def _array(tensor: Any) -> Any:
    return np.asarray(tensor)


def run_program(folder: str, variables: dict[str, str], adam: dict[str, Any] | None) -> dict[str, Any]:
    """Run the program that a conversion wrote into a folder, and save it there as `model.keras`.

    Args:
        folder: with `model.py`, `arrays.safetensors` (its weights, "LAYER|NUMBER") and `trial.safetensors`; the
            gradients are written into `written` there.
        variables: by what a value is called, the local variable of `build` that holds it.
        adam: the optimizer's state, which is saved with the model: its settings, and its averages under "first" and
            "second" as the weights; None if there is none.
    """
    trial, arrays = load_file(Path(folder, "trial.safetensors")), mapped_arrays(Path(folder, "arrays.safetensors"))
    code, own = Path(folder, "model.py").read_text(encoding="utf-8"), Path(folder, "written")
    own.mkdir()
    evidence, model, _ = run_code(code, variables, arrays=arrays, trial=trial, folder=own)
    gradients = evidence.pop("gradients")
    if adam:
        _compile(model, adam)
    model.save(Path(folder, "model.keras"))
    return evidence | ({"adam": _stepped(model, gradients)} if adam else {})


def _variables(model: Any) -> dict[str, Any]:
    """The trained variables, "LAYER|NUMBER"."""
    trained = {id(variable) for variable in model.trainable_variables}
    return {
        f"{path}|{number}": variable
        for path, layer in layers_of(model)
        for number, variable in enumerate(layer.weights)
        if id(variable) in trained
    }


def _compile(model: Any, adam: dict[str, Any]) -> None:
    """Give a model the optimizer that was training it."""
    made = keras.optimizers.AdamW if adam["decay"] else keras.optimizers.Adam
    decay = {"weight_decay": adam["decay"]} if adam["decay"] else {}
    betas = {name: adam[name] for name in ("beta_1", "beta_2", "epsilon")}  # AdamW's second argument is another
    optimizer = made(learning_rate=adam["rate"], **betas, **decay)
    model.compile(optimizer)
    optimizer.build(model.trainable_variables)
    optimizer.iterations.assign(adam["step"])
    places = {id(variable): name for name, variable in _variables(model).items()}
    for number, variable in enumerate(model.trainable_variables):
        optimizer._momentums[number].assign(adam["first"][places[id(variable)]])
        optimizer._velocities[number].assign(adam["second"][places[id(variable)]])


def _stepped(model: Any, gradients: dict[str, Any]) -> dict[str, Any]:
    """The weights after one more step of its optimizer, "LAYER|NUMBER"; the model is changed."""
    variables = _variables(model)
    given = [tf.constant(gradients[name], "float32") for name in variables]
    model.optimizer.apply(given, list(variables.values()))
    return {name: _array(variable) for name, variable in variables.items()}


def run_code(
    code: str, variables: dict[str, str], arrays: dict[str, Any], trial: dict[str, Any], folder: Path
) -> tuple[dict[str, Any], Any, Lent]:
    """A written program's findings, see `run_model`, and its model in float32 with what it is lent."""
    evidence = _in_float64(code, variables, arrays=arrays, trial=trial, folder=folder)
    gc.collect()  # a Keras model holds itself
    model, _ = _built_from(code, "float32")
    lent = lend(model, arrays, folder / "float32")
    single = _call(model, trial, "float32")
    return evidence | {"float32": [_array(one) for one in single], "versions": VERSIONS}, model, lent


def _in_float64(
    code: str, variables: dict[str, str], arrays: dict[str, Any], trial: dict[str, Any], folder: Path
) -> dict[str, Any]:
    model, found = _built_from(code, "float64")
    lent = lend(model, arrays, folder / "float64")
    shown = {
        name: found[variable]
        for name, variable in variables.items()
        if isinstance(found.get(variable), keras.KerasTensor) and "float" in str(found[variable].dtype)
    }
    whole = keras.Model(model.inputs, shown)
    values = {name: _array(value) for name, value in whole(_inputs(trial, "float64")).items()}
    return run_model(model, lent, trial=trial, folder=folder) | {"values": values}


def _built_from(code: str, dtype: str) -> tuple[Any, dict[str, Any]]:
    """The model that a program builds in this precision, and the local variables of `build`."""
    program: dict[str, Any] = {"__file__": "model.py", "__name__": "converted"}
    exec(compile(code, "model.py", "exec"), program)
    found: dict[str, Any] = {}

    def watch(frame: Any, event: str, value: Any) -> None:
        if event == "return" and frame.f_code is program["build"].__code__:
            found.update(frame.f_locals)

    before = keras.config.floatx()
    keras.config.set_floatx(dtype)
    keras.utils.clear_session(free_memory=False)
    sys.setprofile(watch)
    try:
        with blank_weights():
            model = program["build"]()
    finally:
        sys.setprofile(None)
        keras.config.set_floatx(before)
    return model, found
