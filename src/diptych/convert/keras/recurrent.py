"""Keras's recurrent layers: LSTM, GRU, SimpleRNN, their cuDNN and cell forms, Bidirectional, stacked cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from diptych.convert.graph import Array
from diptych.convert.keras.arguments import Arguments
from diptych.convert.keras.reading import Layer, Reader, Value
from diptych.convert.keras.weights import cudnn_arrays, from_keras, keras_1_arrays
from diptych.convert.kinds import Flip, Merge, Recurrent, Slice, Transpose

CELLS = {
    "LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn", "CuDNNLSTM": "lstm", "CuDNNGRU": "gru",
    "LSTMCell": "lstm", "GRUCell": "gru", "SimpleRNNCell": "rnn",
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A cell's formula, whether it has a bias, and whether its weights lie as cuDNN's do."""

    kind: Recurrent
    use_bias: bool
    cudnn: bool

    @property
    def count(self) -> int:
        """How many arrays one direction has."""
        return 3 if self.use_bias else 2


def read_recurrent(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    """LSTM, GRU, SimpleRNN, CuDNNLSTM, CuDNNGRU."""
    arguments = reader.arguments(layer)
    cell, calls = _cell(layer.class_name, arguments), _calls(arguments)
    arguments.finish()
    return _run(
        reader,
        layer,
        stack=[(cell.kind, _weights(cell, layer.arrays, arguments))],
        calls=calls,
        given=given,
        arguments=arguments,
    )


def read_rnn(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    """RNN(cell), and RNN over a list of cells or StackedRNNCells."""
    arguments = reader.arguments(layer)
    calls = _calls(arguments)
    cell = arguments.take("cell")
    cells = cell["config"]["cells"] if cell["class_name"] == "StackedRNNCells" else [cell]
    arguments.finish()
    stack, left = [], list(layer.arrays)
    for number, one in enumerate(cells):
        where = f"{layer.path}/cell {number}"
        if one["class_name"] not in CELLS:
            raise arguments.refusal(f"its cell {one['class_name']!r} is not one of Keras's own")
        own = Arguments(where, one["class_name"], config=one["config"], version=reader.version)
        made = _cell(one["class_name"], own)
        own.finish()
        stack.append((made.kind, _weights(made, left[: made.count], own)))
        del left[: made.count]
    if left:
        raise arguments.refusal(f"{len(left)} weights are left over once its {len(cells)} cells have theirs")
    return _run(reader, layer, stack=stack, calls=calls, given=given, arguments=arguments)


def read_bidirectional(reader: Reader, layer: Layer, given: list[Value]) -> list[Value]:
    """Bidirectional, with every merge mode."""
    arguments = reader.arguments(layer)
    inner, other = arguments.take("layer"), arguments.take("backward_layer")
    mode = arguments.take("merge_mode", "concat")
    arguments.finish()
    cell, calls, own = _within(reader, arguments, inner, where=f"{layer.path}/{inner['config'].get('name', 'layer')}")
    if other is not None and _within(reader, arguments, other, where=f"{layer.path}/backward")[0] != cell:
        raise arguments.refusal("its two layers differ in more than their direction")
    if calls["backward"]:
        raise arguments.refusal("its layer itself has go_backwards = True")
    mask = reader.obeyed_mask(layer, given)
    if mask and calls["unroll"]:
        raise arguments.refusal(
            "unroll = True with a mask: Keras then masks the backward layer's outputs at the wrong steps "
            "(the mask is not turned round); set unroll = False"
        )
    half = len(layer.arrays) // 2
    weights = _weights(cell, layer.arrays[:half], own)
    weights |= {f"{name}_reverse": array for name, array in _weights(cell, layer.arrays[half:], own).items()}
    zero = bool(mask) and calls["sequences"] and reader.forces_zeros
    both = replace(cell.kind, direction="both", zero_masked=zero)
    inputs = {"x": given[0].ref} | ({"mask": mask} if mask else {})
    initial = given[1:]
    if calls["stateful"] and not initial:
        units = weights["weight_hh"].shape[1]
        initial = reader.kept_states(layer, _state_inputs(both), [units] * len(_state_inputs(both)))
    inputs |= dict(zip(_state_inputs(both), (value.ref for value in initial)))
    node = reader.add(layer, both, inputs, weights)
    if calls["stateful"]:
        reader.states |= {f"{layer.name}_{one}": Value(node(one)) for one in _states(both)}
    whole = node("sequence" if calls["sequences"] else "last")
    outputs = [
        Value(ref, given[0].mask if calls["sequences"] else None)
        for ref in _merged(reader, layer, kind=both, whole=whole, weights=weights, mode=mode)
    ]
    states = [node(one) for one in _states(both)]
    return outputs + ([Value(ref) for ref in states] if calls["states"] else [])


def _within(
    reader: Reader, arguments: Arguments, inner: dict[str, Any], where: str
) -> tuple[Cell, dict[str, Any], Arguments]:
    """The cell of a layer inside Bidirectional, how the layer is run, and the arguments that say so; RNN(cell), too."""
    own = Arguments(where, inner["class_name"], config=inner["config"], version=reader.version)
    if inner["class_name"] == "RNN":
        calls, inner = _calls(own), own.take("cell")
        own.finish()
        own = Arguments(f"{where}/cell", inner["class_name"], config=inner["config"], version=reader.version)
    if inner["class_name"] not in CELLS:
        raise arguments.refusal(f"a {inner['class_name']!r} inside it cannot be converted")
    cell = _cell(inner["class_name"], own)
    if not inner["class_name"].endswith("Cell"):
        calls = _calls(own)
    own.finish()
    return cell, calls, own


def _merged(
    reader: Reader, layer: Layer, kind: Recurrent, whole: Any, weights: dict[str, Array], mode: str | None
) -> list[Any]:
    if mode == "concat":
        return [whole]
    units = weights["weight_hh"].shape[1]
    halves = [
        reader.operation(layer, f"{end}", kind=Slice(-1, start, stop), inputs={"x": whole})
        for end, start, stop in (("forward", 0, units), ("backward", units, None))
    ]
    if mode is None:
        return halves
    merge = Merge({"sum": "add", "mul": "multiply", "ave": "average"}[mode])  # type: ignore[arg-type]
    return [reader.operation(layer, "merged", kind=merge, inputs={"x0": halves[0], "x1": halves[1]})]


def _cell(class_name: str, arguments: Arguments) -> Cell:
    """What a recurrent layer's or cell's own arguments say about its formula."""
    cell = CELLS[class_name]
    cudnn = class_name.startswith("CuDNN")
    arguments.take("units")
    use_bias = bool(arguments.take("use_bias", True))
    for name in ("dropout", "recurrent_dropout"):
        if arguments.take(name, 0.0):
            arguments.trained_otherwise.append(
                f"{arguments.where}: {name} acts in training only; Keras and PyTorch draw it otherwise"
            )
    arguments.take("dropout_mask_count")
    activation = arguments.function("activation", "tanh")
    gate = arguments.function("recurrent_activation", "sigmoid" if cudnn or arguments.version >= 3 else "hard_sigmoid")
    reset_after = bool(arguments.take("reset_after", cudnn or arguments.version >= 3))
    if cell == "rnn":
        return Cell(Recurrent("rnn", activation), use_bias, cudnn)
    kind = Recurrent(cell, activation, gate=gate, reset_after=reset_after if cell == "gru" else True)  # type: ignore[arg-type]
    return Cell(kind, use_bias, cudnn)


def _calls(arguments: Arguments) -> dict[str, Any]:
    """How the layer is run."""
    arguments.take("input_dim")
    arguments.take("input_length")
    return {
        "sequences": bool(arguments.take("return_sequences", False)),
        "states": bool(arguments.take("return_state", False)),
        "backward": bool(arguments.take("go_backwards", False)),
        "zero": bool(arguments.take("zero_output_for_mask", False)),
        "stateful": bool(arguments.take("stateful", False)),
        "time_major": bool(arguments.take("time_major", False)),
        "unroll": bool(arguments._left.get("unroll", False)),
    }


def _weights(cell: Cell, arrays: list[Array], arguments: Arguments) -> dict[str, Array]:
    """One direction's weights, whichever version kept them."""
    kind, count = cell.kind, cell.count
    gates = len(kind.gates)
    if arguments.version == 1 and kind.cell != "rnn" and len(arrays) == 3 * gates:
        ends = "icfo" if kind.cell == "lstm" else "zrh"
        names = [f"{letter}_{gate}" for gate in ends for letter in "WUb"]
        arrays = keras_1_arrays(kind.cell, dict(zip(names, arrays)))
    if len(arrays) != count:
        raise arguments.refusal(f"{len(arrays)} weights, but it has {count}: {[array.shape for array in arrays]}")
    if cell.cudnn:
        arrays = cudnn_arrays(kind.cell, arrays)
    units = arrays[1].shape[0]
    shapes: list[tuple[int, ...]] = [(arrays[0].shape[0], gates * units), (units, gates * units)]
    two = (kind.cell == "gru" and kind.reset_after) or cell.cudnn
    shapes += [(2, gates * units) if two else (gates * units,)] * (count - 2)
    found = [tuple(array.shape) for array in arrays]
    if found != shapes:
        advice = "; its bias says the other reset_after" if kind.cell == "gru" and found[:2] == shapes[:2] else ""
        raise arguments.refusal(f"weights of shapes {found}, but {shapes} were expected{advice}")
    return from_keras(kind, arrays)


def _state_inputs(kind: Recurrent) -> list[str]:
    return [f"{name}0{suffix}" for suffix in kind.suffixes for name in kind.state_names]


def _states(kind: Recurrent) -> list[str]:
    return [f"{name}{suffix}" for suffix in kind.suffixes for name in kind.state_names]


def _run(
    reader: Reader, layer: Layer, stack: list[tuple[Recurrent, dict[str, Array]]], calls: dict[str, Any],
    given: list[Value], arguments: Arguments,
) -> list[Value]:  # fmt: skip
    """The nodes of one layer, or of the cells of one stack, each of which runs over the outputs of the one before."""
    value, mask, initial = given[0].ref, reader.obeyed_mask(layer, given), [one.ref for one in given[1:]]
    if calls["time_major"]:
        value = reader.operation(layer, "batch_first", kind=Transpose((1, 0, 2)), inputs={"x": value})
        mask = reader.operation(layer, "mask_batch_first", kind=Transpose((1, 0)), inputs={"x": mask}) if mask else None
    if mask and calls["unroll"] and calls["backward"] and calls["zero"]:
        raise arguments.refusal(
            "unroll, go_backwards and zero_output_for_mask with a mask: Keras masks the wrong steps"
        )
    wanted = sum(len(kind.state_names) for kind, _ in stack)
    if calls["stateful"] and not initial:
        if len(stack) > 1:
            raise arguments.refusal("stateful = True over several cells is not converted; use a layer for each")
        names = _state_inputs(stack[0][0])
        initial = [
            one.ref for one in reader.kept_states(layer, names, [stack[0][1]["weight_hh"].shape[1]] * len(names))
        ]
    if initial and len(initial) != wanted:
        raise arguments.refusal(f"{len(initial)} initial states, but it has {wanted}")
    states: list[Value] = []
    for number, (plain, weights) in enumerate(stack):
        direction: Literal["forward", "backward"] = "backward" if calls["backward"] else "forward"
        kind = replace(plain, direction=direction, zero_masked=calls["zero"] and bool(mask))
        inputs = {"x": value} | ({"mask": mask} if mask else {})
        if initial:
            inputs |= dict(zip(_state_inputs(kind), initial))
            del initial[: len(kind.state_names)]
        node = reader.add(layer, kind, inputs, weights, part=f"cell_{number}" if len(stack) > 1 else "")
        value = node("sequence")
        states += [Value(node(name)) for name in kind.state_names]
        if calls["stateful"]:
            reader.states |= {f"{layer.name}_{name}": Value(node(name)) for name in kind.state_names}
    if calls["sequences"]:
        if calls["backward"]:
            value = reader.operation(layer, "as_it_ran", kind=Flip(), inputs={"x": value})
        if calls["time_major"]:
            value = reader.operation(layer, "time_first", kind=Transpose((1, 0, 2)), inputs={"x": value})
        outputs = [Value(value, given[0].mask)]
    else:
        outputs = [Value(node("last"))]
    return outputs + (states if calls["states"] else [])
