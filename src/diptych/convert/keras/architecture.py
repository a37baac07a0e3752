"""A Keras model's config, of version 1, 2 or 3, read into a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diptych.convert.graph import Array, Graph, Ref
from diptych.convert.keras.calls import Call, Tensor, calls_of, flat, replaced, tensors, tensors_in
from diptych.convert.keras.layers import READERS
from diptych.convert.keras.operations import read_operation
from diptych.convert.keras.reading import Layer, Reader, Value
from diptych.errors import RefusalError

MODELS = ("Sequential", "Functional", "Model")
NamedArrays = list[tuple[str, Array]]
KEYWORDS = frozenset("initial_state mask training return_attention_scores use_causal_mask inputs sequences".split())
"""What a layer may be called with beside its tensors."""


def read_keras(model: Mapping[str, Any], weights: Mapping[str, NamedArrays], keras_version: str | None = None) -> Graph:
    """The graph of a Keras model.

    Args:
        model: its config: `class_name` and `config`, as `model.to_json()` or a file says it.
        weights: by layer, the names of the models it is in before it ("inner/lstm"), in the order of `get_weights()`.
        keras_version: that wrote it; None where nothing says so, then the config's form tells the first number.

    Raises:
        RefusalError: a part that cannot be converted exactly, a weight that is left over or missing.
    """
    return read_keras_and_places(model, weights, keras_version)[0]


def read_keras_and_places(
    model: Mapping[str, Any], weights: Mapping[str, NamedArrays], keras_version: str | None = None
) -> tuple[Graph, dict[str, NamedArrays]]:
    """What `read_keras` gives; and the weights by the layer that has them, where the file has those of a whole model.

    Raises:
        RefusalError: as `read_keras`.
    """
    version = first_number(model, keras_version)
    reader = Reader(version, forces_zeros=version == 3 or is_of_tensorflow(keras_version))
    source = Weights(weights)
    values, names = _read_model(reader, model, path="", given=None, weights=source)
    source.check_all_used()
    outputs: dict[str, Value] = {}
    for name, value in zip(names, values):
        outputs[name if name not in outputs else f"{name}_{len(outputs)}"] = value
    outputs |= reader.states
    if keras_version is None and version < 3:
        reader.assumptions.append(
            f"nothing says which Keras wrote it; read as Keras {version} (--assume keras={version})"
        )
    return reader.graph(outputs), source.given


def first_number(model: Mapping[str, Any], keras_version: str | None) -> int:
    """The first number of the version that wrote a config."""
    if keras_version:
        return int(keras_version.split(".")[0])
    text = str(model)
    if "'module': 'keras" in text or "'registered_name'" in text:
        return 3
    return (
        1
        if "inner_activation" in text
        or "'W_regularizer'" in text
        or ("'output_dim': " in text and "units" not in text and "'embeddings_initializer'" not in text)
        else 2
    )


def is_of_tensorflow(keras_version: str | None) -> bool:
    """Whether a Keras 2 came with TensorFlow; the one that stood alone ended with 2.3."""
    if not keras_version:
        return True
    numbers = keras_version.split("-")[0].split(".")
    return "-tf" in keras_version or (int(numbers[0]), int(numbers[1])) >= (2, 4)


class Weights:
    """The weights of a file, each handed out once.

    Attributes:
        given: those that were handed out, by layer.
    """

    def __init__(self, weights: Mapping[str, NamedArrays]) -> None:
        self._all = {path: list(arrays) for path, arrays in weights.items()}
        self.given: dict[str, NamedArrays] = {}
        self._used: set[tuple[str, str]] = set()

    def of(self, path: str, name: str) -> list[Array]:
        """A layer's weights; those of a layer in a model that keeps them together are found by name."""
        if path not in self.given:
            holder, wanted = path, [(weight, array) for weight, array in self._all.get(path, [])]
            while not wanted and "/" in holder:
                holder = holder.rpartition("/")[0]
                wanted = [(weight, array) for weight, array in self._all.get(holder, []) if f"/{name}/" in f"/{weight}"]
            self._used |= {(holder, weight) for weight, _ in wanted}
            self.given[path] = wanted
        return [array for _, array in self.given[path]]

    def check_all_used(self) -> None:
        """Refuse a file with weights that no layer of the config uses."""
        left = [
            f"{path}: {weight}"
            for path, arrays in self._all.items()
            for weight, _ in arrays
            if (path, weight) not in self._used
        ]
        if left:
            raise RefusalError(f"{len(left)} weights belong to no layer of the config: {', '.join(left[:5])}")


def _read_model(
    reader: Reader, model: Mapping[str, Any], path: str, given: list[Value] | None, weights: Weights
) -> tuple[list[Value], list[str]]:
    """Every layer of a model; its outputs and the names of the layers they come from."""
    if model["class_name"] not in MODELS:
        raise RefusalError(
            f"{path or 'the model'} is a {model['class_name']!r}, a class of its own: its config does not say what it "
            f"computes; rebuild it as a Sequential or functional model"
        )
    if model["class_name"] == "Sequential":
        return _read_sequential(reader, model["config"], path=path, given=given, weights=weights)
    return _read_functional(reader, model["config"], path=path, given=given, weights=weights)


def _read_layer(
    reader: Reader, config: Mapping[str, Any], path: str, given: list[Value], weights: Weights, call: Call | None = None
) -> list[Value]:
    """One call of one layer or inner model."""
    name = config["config"].get("name") if isinstance(config["config"], dict) else config.get("name")
    name = name or config["class_name"].lower()
    where = f"{path}/{name}" if path else name
    if config["class_name"] in MODELS:
        values, _ = _read_model(reader, config, path=where, given=given, weights=weights)
        return values
    positional, keywords = (call.positional, call.keywords) if call else ([], {})
    operation = _is_operation(config)
    own = {} if operation else config["config"]
    layer = Layer(
        config["class_name"],
        name,
        path=where,
        config=own,
        arrays=[] if operation else weights.of(where, name),
        positional=positional,
        keywords=keywords,
    )
    if operation:
        layer = Layer(
            layer.class_name,
            name,
            path=where,
            config=config["config"],
            arrays=[],
            positional=positional,
            keywords=keywords,
        )
        values = read_operation(reader, layer, given)
    elif config["class_name"] in READERS:
        values = READERS[config["class_name"]](reader, layer, given)
    else:
        code = " (its code is in the file and is never run)" if config["class_name"] == "Lambda" else ""
        raise RefusalError(f"{where}: a layer of class {config['class_name']!r} cannot be converted{code}")
    reader.origins.setdefault(where, values[0].ref)
    return values


def _read_sequential(
    reader: Reader, config: Any, path: str, given: list[Value] | None, weights: Weights
) -> tuple[list[Value], list[str]]:
    layers = config["layers"] if isinstance(config, dict) else config  # a list before Keras 2.2.3
    if given is None:
        given = [reader.input("inputs", _input_shape(layers, config))]
    name = "output"
    for layer in layers:
        if layer["class_name"] != "InputLayer":
            given = _read_layer(reader, layer, path=path, given=given, weights=weights)
            name = layer["config"].get("name", name) if isinstance(layer["config"], dict) else layer.get("name", name)
    return given, [name] * len(given)


def _input_shape(layers: list[Any], config: Any) -> tuple[int | None, ...]:
    first: Any = layers[0]
    while first["class_name"] in MODELS:
        inner = first["config"]
        first = (inner["layers"] if isinstance(inner, dict) else inner)[0]
    found = first["config"]
    built = config.get("build_input_shape") if isinstance(config, dict) else None
    shape = found.get("batch_shape") or found.get("batch_input_shape") or built
    if shape:
        return tuple(shape[1:])
    if "input_dim" in found:
        return (found.get("input_length"),) if first["class_name"] == "Embedding" else (found["input_dim"],)
    raise RefusalError("the model has never been built: it does not say the shape of its input; give it an Input")


def _read_functional(
    reader: Reader, config: Any, path: str, given: list[Value] | None, weights: Weights
) -> tuple[list[Value], list[str]]:
    values: dict[Tensor, Value] = {}
    layers = {layer.get("name") or layer["config"]["name"]: layer for layer in config["layers"]}
    inputs = [Tensor(*one) for one in tensors(config["input_layers"])]
    for place, tensor in enumerate(inputs):
        found = layers[tensor.layer]["config"]
        shape = found.get("batch_shape") or found.get("batch_input_shape")
        values[tensor] = (
            given[place] if given is not None else reader.input(tensor.layer, tuple(shape[1:]), found.get("dtype"))
        )
    waiting = [
        (name, number, call)
        for name, layer in layers.items()
        for number, call in enumerate(calls_of(layer.get("inbound_nodes", [])))
        if layer["class_name"] != "InputLayer"
    ]
    while waiting:
        ready = [one for one in waiting if all(tensor in values for tensor in tensors_in(one[2]))]
        if not ready:
            raise RefusalError(
                f"{path or 'the model'}: the layers {sorted({n for n, _, _ in waiting})} wait for each other"
            )
        for name, number, call in ready:
            try:
                found = _read_call(reader, layers[name], path=path, call=call, values=values, weights=weights)
            except RefusalError as error:
                if not _is_operation(layers[name]):
                    raise
                reader.unreadable[name] = error
                found = [Value(Ref(name))]
            number += _first_call(layers[name], reader.version)
            values |= {Tensor(name, number, place): value for place, value in enumerate(found)}
        waiting = [one for one in waiting if one not in ready]
    outputs = [Tensor(*one) for one in tensors(config["output_layers"])]
    if unreadable := next((reader.unreadable[one.layer] for one in outputs if one.layer in reader.unreadable), None):
        raise unreadable
    return [values[tensor] for tensor in outputs], [tensor.layer for tensor in outputs]


def _first_call(layer: Mapping[str, Any], version: int) -> int:
    """The number of a layer's first call: up to Keras 2, a model's own making is its call 0."""
    return int(version < 3 and layer["class_name"] in MODELS)


def _read_call(
    reader: Reader, layer: Mapping[str, Any], path: str, call: Call, values: dict[Tensor, Value], weights: Weights
) -> list[Value]:
    positional = replaced(call.positional, values)
    keywords = {name: replaced(value, values) for name, value in call.keywords.items()}
    operation = _is_operation(layer)
    given = flat(positional)
    where = f"{path}/{layer['config']['name']}" if path else layer["config"]["name"]
    if keywords.get("training"):
        raise RefusalError(f"{where}: called with training = True, so that it draws random numbers")
    if operation:
        given += flat(list(keywords.values()))
    else:
        given += flat(keywords.get("initial_state"))
        masks = keywords.get("mask")
        for place, mask in enumerate(masks if isinstance(masks, list) else [masks]):
            if isinstance(mask, Value):
                given[place] = reader.with_mask(given[place], mask.ref)
        given += flat([keywords[name] for name in ("inputs", "sequences") if name in keywords])
        for name, value in keywords.items():
            if name not in KEYWORDS and value is not None:
                raise RefusalError(f"{where}: called with {name} = {value!r}, which is not known")
    return _read_layer(reader, layer, path=path, given=given, weights=weights, call=Call(positional, keywords))


def _is_operation(layer: Mapping[str, Any]) -> bool:
    """Whether it is one of `keras.ops`, no layer."""
    return str(layer.get("module", "")).startswith("keras.src.ops")
