"""A Keras model, run in a process of its own: its values, gradients, and what one optimizer step makes of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from safetensors.numpy import load_file

from diptych.errors import RefusalError

RATE = 0.125  # in float32, too: Keras rounds it


def run_original(panel: ModuleType, folder: str, file: str) -> dict[str, Any]:
    """Run a model from its config (`original.json`) and weights (`original.safetensors`, "PATH|NUMBER") in a folder.

    The config is taken in float64, and in float32 for the outputs only. Keras loads the weights from the user's file,
    too: so a weight that was read into the wrong place cannot be certified there.

    Raises:
        RefusalError: Keras finds other numbers in the file, or cannot load it.
    """
    config = Path(folder, "original.json").read_text(encoding="utf-8")
    arrays = load_file(Path(folder, "original.safetensors"))
    trial = load_file(Path(folder, "trial.safetensors"))
    if "module" not in json.loads(config):  # a whole .h5 has Keras 2's form, read in such files only
        config = keras.saving.load_model(file, compile=False).to_json()
    _check_weights(config, arrays, file)
    versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
    if len(keras.models.model_from_json(config).inputs) < sum(name.startswith("input.") for name in trial):
        return {"versions": versions}  # a stateful model: it does not take its states
    return run_built(config, arrays, trial) | {"versions": versions}


def _check_weights(config: str, arrays: dict[str, Any], file: str) -> None:
    """Compare the weights that were read with those that Keras itself loads."""
    try:
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


def run_built(config: str, arrays: dict[str, Any], trial: dict[str, Any]) -> dict[str, Any]:
    """Build a model from its config, in float64 and in float32, and run it."""
    evidence = run_model(built(config, arrays, "float64"), trial)
    single = _call(built(config, arrays, "float32"), trial, "float32")
    return evidence | {"float32": [_array(one) for one in single], "versions": {}}


def built(config: str, arrays: dict[str, Any], dtype: str) -> Any:
    """A model from its config, computing in another precision, with these weights."""
    other = {"float64": "float32", "float32": "float64"}[dtype]
    model = keras.models.model_from_json(config.replace(f'"{other}"', f'"{dtype}"'))
    for path, layer in layers_of(model):
        own = sorted((name for name in arrays if name.rpartition("|")[0] == path), key=lambda n: int(n.split("|")[-1]))
        layer.set_weights([arrays[name] for name in own])
    return model


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


def run_model(model: Any, trial: dict[str, Any]) -> dict[str, Any]:
    """A model's values in float64, its gradients by "PATH|NUMBER", and its outputs after a step of SGD.

    Args:
        model: it computes in float64; changed.
        trial: `input.NUMBER.NAME` and `factor.NUMBER.NAME`.
    """
    factors = [value for name, value in sorted(trial.items()) if name.startswith("factor.")]
    variables = {
        f"{path}|{number}": variable
        for path, layer in layers_of(model)
        for number, variable in enumerate(layer.weights)
        if "float" in variable.dtype and not variable.path.endswith(("moving_mean", "moving_variance"))
    }
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        for variable in variables.values():
            tape.watch(variable.value)
        outputs = _call(model, trial, "float64")
        loss = sum(tf.reduce_sum(factor * output) for factor, output in zip(factors, outputs))
    gradients = tape.gradient(loss, [variable.value for variable in variables.values()], unconnected_gradients="zero")
    gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
    evidence = {
        "outputs": [_array(output) for output in outputs],
        "values": _values(model, trial),
        "gradients": {name: _array(gradient) for name, gradient in zip(variables, gradients)},
    }
    optimizer = keras.optimizers.SGD(RATE)
    optimizer.apply(gradients, list(variables.values()))
    return evidence | {"stepped": [_array(output) for output in _call(model, trial, "float64")]}


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
    return list(result) if isinstance(result, list | tuple) else [result]


def _array(tensor: Any) -> Any:
    return np.asarray(tensor)


def run_program(
    panel: ModuleType, folder: str, variables: dict[str, str], arrays: dict[str, Any], adam: dict[str, Any] | None
) -> dict[str, Any]:
    """Run the program that a conversion wrote into a folder, and save it there as `model.keras`.

    Args:
        panel: TensorFlow's, unused.
        folder: with `model.py` and `trial.safetensors`.
        variables: by what a value is called, the local variable of `build` that holds it.
        arrays: its weights, "LAYER|NUMBER".
        adam: the optimizer's state, which is saved with the model: its settings, and its averages under "first" and
            "second" as the weights; None if there is none.
    """
    trial = load_file(Path(folder, "trial.safetensors"))
    evidence, model = run_code(Path(folder, "model.py").read_text(encoding="utf-8"), variables, arrays, trial)
    if adam:
        _compile(model, adam)
    model.save(Path(folder, "model.keras"))
    evidence["versions"] = {"tensorflow": tf.__version__, "keras": keras.__version__}
    return evidence | ({"adam": _stepped(model, evidence["gradients"])} if adam else {})


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
    optimizer = made(adam["rate"], adam["beta_1"], adam["beta_2"], adam["epsilon"], **decay)
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
    code: str, variables: dict[str, str], arrays: dict[str, Any], trial: dict[str, Any]
) -> tuple[dict[str, Any], Any]:
    """A written program's findings, and its model in float32."""
    models = {}
    before = keras.config.floatx()
    for dtype in ("float64", "float32"):
        keras.config.set_floatx(dtype)
        keras.utils.clear_session(free_memory=False)
        try:
            model, found = _built_from(code)
        finally:
            keras.config.set_floatx(before)
        _set_weights(model, arrays)
        models[dtype] = model, found
    model, found = models["float64"]
    shown = {
        name: found[variable]
        for name, variable in variables.items()
        if isinstance(found.get(variable), keras.KerasTensor) and "float" in str(found[variable].dtype)
    }
    whole = keras.Model(model.inputs, shown)
    values = {name: _array(value) for name, value in whole(_inputs(trial, "float64")).items()}
    evidence = run_model(model, trial) | {"values": values}
    single = _call(models["float32"][0], trial, "float32")
    return evidence | {"float32": [_array(one) for one in single], "versions": {}}, models["float32"][0]


def _built_from(code: str) -> tuple[Any, dict[str, Any]]:
    """The model that a program builds, and the local variables of `build`."""
    program: dict[str, Any] = {"__file__": "model.py", "__name__": "converted"}
    exec(compile(code, "model.py", "exec"), program)
    found: dict[str, Any] = {}

    def watch(frame: Any, event: str, value: Any) -> None:
        if event == "return" and frame.f_code is program["build"].__code__:
            found.update(frame.f_locals)

    sys.setprofile(watch)
    try:
        model = program["build"]()
    finally:
        sys.setprofile(None)
    return model, found


def _set_weights(model: Any, arrays: dict[str, Any]) -> None:
    for path, layer in layers_of(model):
        own = sorted((name for name in arrays if name.rpartition("|")[0] == path), key=lambda n: int(n.split("|")[-1]))
        layer.set_weights([arrays[name] for name in own])
