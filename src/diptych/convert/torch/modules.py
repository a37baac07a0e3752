"""How each stock layer of PyTorch is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from diptych.convert import kinds
from diptych.convert.graph import Array, Ref
from diptych.convert.kinds import Function, Recurrent
from diptych.convert.torch.attention import read_multihead
from diptych.convert.torch.symbols import Builder, Constant, Packed, Stacked, Value, Zeros
from diptych.errors import RefusalError

Read = Callable[[Builder, str, Any, list[Any], dict[str, Any]], Any]


def _arrays(layer: Any) -> dict[str, Array]:
    return {name: parameter.detach().cpu().numpy().copy() for name, parameter in layer.named_parameters()}


def read_recurrent(builder: Builder, path: str, layer: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    """nn.LSTM, nn.GRU, nn.RNN: one node for each layer of the stack, of one direction or of two."""
    given = arguments[0] if arguments else options["input"]
    state = arguments[1] if len(arguments) > 1 else options.get("hx")
    packed = given if isinstance(given, Packed) else None
    time_first = packed is None and not layer.batch_first
    value = packed.ref if packed else builder.tensor(given)
    builder.tell_input(value, "float", width=layer.input_size, time=True, time_first=time_first)
    if time_first:
        value = builder.add(f"{path}_batch_first", kinds.Transpose((1, 0, 2)), {"x": value}).ref
    cell = {nn.LSTM: "lstm", nn.GRU: "gru", nn.RNN: "rnn"}[type(layer)]
    function = Function(layer.nonlinearity) if cell == "rnn" else kinds.TANH
    kind = Recurrent(
        cell, function, direction="both" if layer.bidirectional else "forward",  # type: ignore[arg-type]
        zero_masked=packed is not None,
    )  # fmt: skip
    if layer.dropout:
        builder.uncertified.append(f"{path}: dropout between its layers acts in training only")
    names = kind.state_names
    initial = _initial(builder, path, layer=layer, state=state, names=names)
    found: dict[str, list[Ref]] = {name: [] for name in names}
    weights = _arrays(layer)
    for depth in range(layer.num_layers):
        if depth and layer.dropout:
            value = builder.add(f"{path}_dropout_{depth}", kinds.Dropout(layer.dropout), {"x": value}).ref
        own = {
            f"{name}{suffix}": weights[f"{name}_l{depth}{suffix}"]
            for suffix in kind.suffixes
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
            if f"{name}_l{depth}{suffix}" in weights
        }
        inputs = {"x": value} | ({"mask": packed.mask} if packed else {})
        for name in names:
            for place, suffix in enumerate(kind.suffixes):
                if initial:
                    inputs[f"{name}0{suffix}"] = initial[name][depth * len(kind.suffixes) + place]
        owner = f"{path}.layer {depth}" if layer.num_layers > 1 else path
        wanted = f"{path}_{depth}" if layer.num_layers > 1 else path
        node = builder.add(wanted, kind, inputs=inputs, weights=own, owner=owner, output="sequence").ref
        value = node
        for name in names:
            found[name] += [Ref(node.node, f"{name}{suffix}") for suffix in kind.suffixes]
    builder.origins.setdefault(path, value)
    states = [Stacked(builder, f"{path}_{name}_n", found[name]) for name in names]
    final: Any = tuple(states) if cell == "lstm" else states[0]
    if packed:
        return Packed(value, packed.mask, packed.lengths), final
    if time_first:
        value = builder.add(f"{path}_time_first", kinds.Transpose((1, 0, 2)), {"x": value}).ref
    return Value(value), final


def _initial(builder: Builder, path: str, layer: Any, state: Any, names: tuple[str, ...]) -> dict[str, list[Ref]]:
    """The initial states, one ref for each layer and direction; empty where they are zero."""
    state = state.value if isinstance(state, Constant) else state
    if state is None:
        return {}
    parts = list(state) if isinstance(state, list | tuple) else [state]
    if all(isinstance(part, Zeros) for part in parts):
        return {}
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    found: dict[str, list[Ref]] = {}
    for name, part in zip(names, parts, strict=True):
        if isinstance(part, Zeros):
            raise RefusalError(f"{path}: one initial state is zeros and the other is given; give both or none")
        if isinstance(part, Stacked):
            found[name] = part.refs
            continue
        ref = builder.tensor(part)
        size = layer.proj_size if name == "h" and layer.proj_size else layer.hidden_size
        builder.tell_state(ref, count, size)
        found[name] = [
            builder.add(f"{path}_{name}0_{number}", kinds.Select(0, number), {"x": ref}).ref for number in range(count)
        ]
    if any(len(refs) != count for refs in found.values()):
        raise RefusalError(f"{path}: it has {count} layers and directions, but another number of initial states")
    return found


def read_cell(builder: Builder, path: str, layer: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    """nn.LSTMCell, nn.GRUCell, nn.RNNCell: a layer over one step."""
    x, state = builder.tensor(arguments[0]), arguments[1] if len(arguments) > 1 else options.get("hx")
    builder.tell_input(x, "float", width=layer.input_size)
    cell = {nn.LSTMCell: "lstm", nn.GRUCell: "gru", nn.RNNCell: "rnn"}[type(layer)]
    function = Function(layer.nonlinearity) if cell == "rnn" else kinds.TANH
    kind = Recurrent(cell, function)  # type: ignore[arg-type]
    inputs = {"x": builder.add(f"{path}_step", kinds.Unsqueeze(1), {"x": x}).ref}
    state = state.value if isinstance(state, Constant) else state
    parts = () if state is None else state if isinstance(state, list | tuple) else (state,)
    if parts and not all(isinstance(part, Zeros) for part in parts):
        for name, part in zip(kind.state_names, parts, strict=True):
            inputs[f"{name}0"] = builder.tensor(part)
            builder.tell_input(inputs[f"{name}0"], "float", width=layer.hidden_size)
    node = builder.add(path, kind, inputs=inputs, weights=_arrays(layer), owner=path, output="h").ref
    builder.origins.setdefault(path, node)
    return (Value(node), Value(Ref(node.node, "c"))) if cell == "lstm" else Value(node)


def _embedding(builder: Builder, path: str, layer: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    if layer.max_norm is not None:
        raise RefusalError(f"{path} (Embedding): max_norm = {layer.max_norm!r} changes the weights while it runs")
    if layer.scale_grad_by_freq:
        raise RefusalError(f"{path} (Embedding): scale_grad_by_freq = True trains by another rule, which Keras has not")
    x = builder.tensor(arguments[0])
    builder.tell_input(x, "ids", limit=layer.num_embeddings, time=True)
    if layer.padding_idx is not None:
        builder.uncertified.append(f"{path}: padding_idx = {layer.padding_idx}: its row is not trained in PyTorch only")
    return _kept(builder, path, builder.add(path, kinds.Embedding(), {"x": x}, _arrays(layer), path))


def _kept(builder: Builder, path: str, value: Value) -> Value:
    builder.origins.setdefault(path, value.ref)
    return value


def _linear(builder: Builder, path: str, layer: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    x = builder.tensor(arguments[0])
    builder.tell_input(x, "float", width=layer.in_features)
    return _kept(builder, path, builder.add(path, kinds.Dense(), {"x": x}, _arrays(layer), path))


def _layer_norm(builder: Builder, path: str, layer: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    if len(layer.normalized_shape) != 1:
        raise RefusalError(
            f"{path} (LayerNorm): normalized_shape = {layer.normalized_shape}: only one axis is converted"
        )
    kind = kinds.LayerNormalization(layer.eps)
    return _kept(builder, path, builder.add(path, kind, {"x": builder.tensor(arguments[0])}, _arrays(layer), path))


def _batch_norm(builder: Builder, path: str, layer: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    if not layer.track_running_stats or layer.momentum is None:
        raise RefusalError(f"{path} (BatchNorm1d): without running statistics it is another function")
    weights = _arrays(layer) | {
        "mean": layer.running_mean.numpy().copy(), "variance": layer.running_var.numpy().copy(),
    }  # fmt: skip
    kind, x = kinds.BatchNormalization(layer.eps, 1 - layer.momentum), builder.tensor(arguments[0])
    builder.uncertified.append(f"{path}: in training, the running variance is divided by N - 1 or by N")
    turned = builder.made_by(x)
    if turned is not None and isinstance(turned.kind, kinds.Transpose) and turned.kind.axes == (0, 2, 1):
        value = builder.add(path, kind, {"x": turned.inputs["x"]}, weights, path)
        return builder.add(f"{path}_channels_first", kinds.Transpose((0, 2, 1)), {"x": value.ref})
    if _has_channels_first(builder, x):
        last = builder.add(f"{path}_channels_last", kinds.Transpose((0, 2, 1)), {"x": x}).ref
        value = builder.add(path, kind, {"x": last}, weights, path)
        return builder.add(f"{path}_channels_first", kinds.Transpose((0, 2, 1)), {"x": value.ref})
    return _kept(builder, path, builder.add(path, kind, {"x": x}, weights, path))


def _has_channels_first(builder: Builder, x: Ref) -> bool:
    """Whether a value is (B, C, T): an input of three axes, or made of one, or of a convolution, element by element."""
    node = builder.made_by(x)
    while node is not None and isinstance(node.kind, kinds.Activation | kinds.Dropout | kinds.Scaled):
        x = node.inputs["x"]
        node = builder.made_by(x)
    if node is not None:
        return isinstance(node.kind, kinds.Transpose) and node.kind.axes == (0, 2, 1)
    return any(one.name == x.node and len(one.shape) == 2 for one in builder.inputs)


def _conv1d(builder: Builder, path: str, layer: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    if layer.padding_mode != "zeros":
        raise RefusalError(f"{path} (Conv1d): padding_mode = {layer.padding_mode!r} cannot be converted")
    padding: Any = layer.padding if isinstance(layer.padding, str) else (layer.padding[0], layer.padding[0])
    padding = "valid" if padding in ((0, 0), "valid") else padding
    kind = kinds.Convolution(layer.stride[0], layer.dilation[0], groups=layer.groups, padding=padding)
    x = builder.add(f"{path}_channels_last", kinds.Transpose((0, 2, 1)), {"x": builder.tensor(arguments[0])}).ref
    value = builder.add(path, kind, {"x": x}, _arrays(layer), path)
    builder.origins.setdefault(path, value.ref)
    return builder.add(f"{path}_channels_first", kinds.Transpose((0, 2, 1)), {"x": value.ref})


def _dropout(builder: Builder, path: str, layer: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    builder.uncertified.append(f"{path}: dropout draws other random numbers")
    return builder.add(path, kinds.Dropout(layer.p), {"x": builder.tensor(arguments[0])})


def _activation(name: str) -> Read:
    def read(builder: Builder, path: str, layer: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
        parameter = {"leaky_relu": "negative_slope", "elu": "alpha"}.get(name)
        function = Function(name, float(getattr(layer, parameter)) if parameter else None)
        axis = getattr(layer, "dim", -1)
        return builder.add(
            path, kinds.Activation(function, -1 if axis is None else axis), {"x": builder.tensor(arguments[0])}
        )

    return read


MODULES: dict[type, Read] = {
    **dict.fromkeys((nn.LSTM, nn.GRU, nn.RNN), read_recurrent),
    **dict.fromkeys((nn.LSTMCell, nn.GRUCell, nn.RNNCell), read_cell),
    nn.MultiheadAttention: read_multihead, nn.Embedding: _embedding, nn.Linear: _linear,
    nn.LayerNorm: _layer_norm, nn.BatchNorm1d: _batch_norm, nn.Conv1d: _conv1d, nn.Dropout: _dropout,
    nn.Tanh: _activation("tanh"), nn.Sigmoid: _activation("sigmoid"),
    nn.ReLU: _activation("relu"), nn.LeakyReLU: _activation("leaky_relu"), nn.ELU: _activation("elu"),
    nn.Hardsigmoid: _activation("hard_sigmoid"), nn.SiLU: _activation("silu"), nn.Softsign: _activation("softsign"),
    nn.Softmax: _activation("softmax"), nn.LogSoftmax: _activation("log_softmax"), nn.SELU: _activation("selu"),
    nn.ReLU6: _activation("relu6"), nn.Identity: lambda builder, path, layer, arguments, options: arguments[0],
}  # fmt: skip
"""By class."""
