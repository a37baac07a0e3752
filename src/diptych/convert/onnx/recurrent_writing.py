"""A recurrent layer as a native ONNX node, masks and all.

A mask of lengths is `sequence_lens`. Any other mask moves the real steps to the front, in their order, runs the node
over as many of them as each row has, and puts every output where its step was: a masked step repeats the output before
it (backward: after it), or is zero; a row without a real step ends in the state it started from.
"""

from __future__ import annotations

from typing import Any

from diptych.convert import kinds
from diptych.convert.graph import Node, Ref
from diptych.convert.kinds import Recurrent
from diptych.convert.onnx.weights import function_to_onnx, to_onnx
from diptych.convert.onnx.writing import FileWriter
from diptych.errors import RefusalError

DIRECTIONS = {"forward": "forward", "backward": "reverse", "both": "bidirectional"}
BATCH_FIRST = [1, 0, 2]


def write_recurrent(writer: FileWriter, node: Node, kind: Recurrent) -> None:
    """The node, and what turns its outputs into those of the layer.

    Raises:
        RefusalError: ONNX has no node that computes it.
    """
    where, name = node.origin or node.name, node.name
    weights = writer.graph.weights_of(node)
    if kind.cell_clip is not None or kind.projection_clip is not None:
        raise RefusalError(f"{where}: ONNX's clip bounds what goes into the activations, not the state")
    lengths, mask = _mask(writer, node, kind)
    x = writer.given(node)
    if mask:
        x = mask.gathered(x, name)
    x = writer.op("Transpose", [x], f"{name}_time_first", perm=BATCH_FIRST)
    owner = node.shares or name
    parts = [
        "" if array is None else writer.weight(f"{owner}.{letter}", array)
        for letter, array in zip("WRBP", to_onnx(kind, weights))
    ]
    inputs = [x, *parts[:3], lengths, *_initial(writer, node, kind), *parts[3:]]
    if kind.cell != "lstm":
        inputs.pop()
    while inputs and not inputs[-1]:
        inputs.pop()
    attributes = _attributes(kind, where, weights["weight_hh"].shape[1])
    outputs = [f"{name}_Y", *(f"{name}_Y_{state}" for state in kind.state_names)]
    operator = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}[kind.cell]
    y, *finals = writer.ops(operator, inputs, outputs, **attributes)
    said = ", ".join(
        [*(f"{key}={value}" for key, value in attributes.items()), *(["sequence_lens"] if lengths else [])]
    )
    writer.lines[name] = f"{operator}({said})"
    _states(writer, node, kind=kind, finals=finals, mask=mask)
    sequence = _sequence(writer, kind, y=y, name=name)
    if mask:
        hidden = weights["weight_hh"].shape[1]
        halves = [sequence] if kind.direction != "both" else [
            writer.op("Slice", [sequence, *(writer.constant([n]) for n in (place * hidden, (place + 1) * hidden, -1))],
                      f"{name}_half{suffix}")
            for place, suffix in enumerate(kind.suffixes)
        ]  # fmt: skip
        spread = [
            mask.spread(
                half, kind.direction == "backward" or bool(suffix), zero=kind.zero_masked, name=f"{name}{suffix}"
            )
            for half, suffix in zip(halves, kind.suffixes)
        ]
        sequence = writer.op("Concat", spread, name, axis=-1) if len(spread) > 1 else spread[0]
    writer.assign(node, sequence, "sequence")
    if Ref(name, "last") in writer.used:
        writer.assign(node, _last(writer, node, kind=kind, sequence=sequence, masked="mask" in node.inputs), "last")


def _attributes(kind: Recurrent, where: str, hidden: int) -> dict[str, Any]:
    found: dict[str, Any] = {"hidden_size": hidden}
    if kind.direction != "forward":
        found["direction"] = DIRECTIONS[kind.direction]
    if kind.cell == "gru":
        found["linear_before_reset"] = int(kind.reset_after)
    functions = {"lstm": [kind.gate, kind.activation, kind.activation], "gru": [kind.gate, kind.activation]}
    own = functions.get(kind.cell, [kind.activation])
    plain = [kinds.SIGMOID, kinds.TANH, kinds.TANH][: len(own)] if kind.cell != "rnn" else [kinds.TANH]
    if own != plain:
        named = [function_to_onnx(where, function) for function in own] * len(kind.suffixes)
        found["activations"] = [name for name, _, _ in named]
        alphas, betas = ([number for one in named for number in one[place]] for place in (1, 2))
        found |= {"activation_alpha": alphas} if alphas else {}
        found |= {"activation_beta": betas} if betas else {}
    return found


def _sequence(writer: FileWriter, kind: Recurrent, y: str, name: str) -> str:
    """(T, D, B, H) as (B, T, DH)."""
    if kind.direction != "both":
        squeezed = writer.op("Squeeze", [y, writer.constant([1])], f"{name}_steps")
        return writer.op("Transpose", [squeezed], f"{name}_sequence", perm=BATCH_FIRST)
    turned = writer.op("Transpose", [y], f"{name}_directions", perm=[2, 0, 1, 3])
    return writer.op("Reshape", [turned, writer.constant([0, 0, -1])], f"{name}_sequence")


def _last(writer: FileWriter, node: Node, kind: Recurrent, sequence: str, masked: bool) -> str:
    """The output of the last step that each direction ran."""
    name = f"{node.name}_last"
    if not masked:
        ends = [writer.variables[Ref(node.name, f"h{suffix}")] for suffix in kind.suffixes]
        return writer.op("Concat", ends, name, axis=-1) if len(ends) > 1 else ends[0]
    if kind.direction != "both":
        return writer.op("Gather", [sequence, writer.constant(0 if kind.direction == "backward" else -1)], name, axis=1)
    hidden = writer.graph.weights_of(node)["weight_hh"].shape[1]
    halves = []
    for place, step in ((0, -1), (1, 0)):
        whole = writer.op("Gather", [sequence, writer.constant(step)], f"{name}_{place}", axis=1)
        limits = [writer.constant([n]) for n in (place * hidden, (place + 1) * hidden, -1)]
        halves.append(writer.op("Slice", [whole, *limits], f"{name}_half_{place}"))
    return writer.op("Concat", halves, name, axis=-1)


def _states(writer: FileWriter, node: Node, kind: Recurrent, finals: list[str], mask: Mask | None) -> None:
    """(D, B, H) as one (B, H) for each direction."""
    for state, whole in zip(kind.state_names, finals):
        for place, suffix in enumerate(kind.suffixes):
            ref = Ref(node.name, f"{state}{suffix}")
            for_last = Ref(node.name, "last") in writer.used and "mask" not in node.inputs and state == "h"
            if ref not in writer.used and not for_last:
                continue
            found = writer.op("Gather", [whole, writer.constant(place)], f"{node.name}_{state}{suffix}", axis=0)
            if mask:
                start = writer.variables.get(node.inputs.get(f"{state}0{suffix}", Ref("")), writer.real(0))
                found = writer.op("Where", [mask.has_steps(), found, start], f"{node.name}_{state}{suffix}_end")
            writer.variables[ref] = found


def _initial(writer: FileWriter, node: Node, kind: Recurrent) -> list[str]:
    """initial_h and initial_c (D, B, H); "" where they are zero."""
    found = []
    for state in ("h", "c"):
        names = [f"{state}0{suffix}" for suffix in kind.suffixes]
        if not any(name in node.inputs for name in names):
            found.append("")
            continue
        parts = []
        for name in names:
            if name in node.inputs:
                part = writer.given(node, name)
            else:
                part = _zeros(writer, node)
            parts.append(writer.op("Unsqueeze", [part, writer.constant([0])], f"{node.name}_{name}"))
        found.append(parts[0] if len(parts) == 1 else writer.op("Concat", parts, f"{node.name}_{state}0_both", axis=0))
    return found


def _zeros(writer: FileWriter, node: Node) -> str:
    """(B, H) of zeros."""
    hidden = writer.graph.weights_of(node)["weight_hh"].shape[1]
    shape = writer.op("Shape", [writer.given(node)], f"{node.name}_shape")
    rows = writer.op("Slice", [shape, writer.constant([0]), writer.constant([1])], f"{node.name}_rows")
    whole = writer.op("Concat", [rows, writer.constant([hidden])], f"{node.name}_state_shape", axis=0)
    return writer.op("Expand", [writer.real(0), whole], f"{node.name}_zeros")


def _mask(writer: FileWriter, node: Node, kind: Recurrent) -> tuple[str, Mask | None]:
    """sequence_lens, and what moves steps where the mask is not one of lengths."""
    if "mask" not in node.inputs:
        return "", None
    ref = node.inputs["mask"]
    maker = next((one for one in writer.graph.nodes if one.name == ref.node), None)
    if maker is not None and isinstance(maker.kind, kinds.MaskOfLengths) and kind.zero_masked:
        key = "lengths", ref
        if key not in writer.made:
            lengths = writer.variables[maker.inputs["lengths"]]
            writer.made[key] = writer.op("Cast", [lengths], f"{maker.name}_sequence_lens", to=6)
        return str(writer.made[key]), None
    if ("mask", ref) not in writer.made:
        writer.made["mask", ref] = Mask(writer, writer.variables[ref])
    mask: Mask = writer.made["mask", ref]
    return mask.lengths, mask


class Mask:
    """A mask (B, T) with holes: where its real steps go, and how they come back."""

    def __init__(self, writer: FileWriter, mask: str) -> None:
        self.writer, self.mask = writer, mask
        op, constant = writer.op, writer.constant
        self.ones = op("Cast", [mask], f"{mask}_ones", to=7)
        self.real = op("ReduceSum", [self.ones, constant([1])], f"{mask}_steps", keepdims=0)
        # A row without a step runs one, whose result is put away: not every runtime takes a length of 0.
        at_least = op("Max", [self.real, constant(1)], f"{mask}_at_least_one")
        self.lengths = op("Cast", [at_least], f"{mask}_sequence_lens", to=6)
        shape = op("Shape", [mask], f"{mask}_shape")
        self.time = op("Gather", [shape, constant(1)], f"{mask}_time")
        places = op("Range", [constant(0), self.time, constant(1)], f"{mask}_places")
        behind = op("Mul", [op("Sub", [constant(1), self.ones], f"{mask}_masked"), self.time], f"{mask}_behind")
        keys = op("Add", [behind, places], f"{mask}_keys")
        count = op("Unsqueeze", [self.time, constant([0])], f"{mask}_count")
        _, self.order = writer.ops("TopK", [keys, count], [f"{mask}_sorted", f"{mask}_order"], axis=1, largest=0)
        self.sums = op("CumSum", [self.ones, constant(1)], f"{mask}_sums")
        self._places: dict[tuple[bool, bool], tuple[str, str]] = {}

    def gathered(self, x: str, name: str) -> str:
        """x (B, T, I) with its real steps first."""
        return self._taken(x, self.order, f"{name}_real_first")

    def _taken(self, x: str, places: str, name: str) -> str:
        op = self.writer.op
        wide = op("Unsqueeze", [places, self.writer.constant([2])], f"{name}_wide")
        shape = op("Shape", [x], f"{name}_shape")
        return op("GatherElements", [x, op("Expand", [wide, shape], f"{name}_places")], name, axis=1)

    def spread(self, sequence: str, backward: bool, zero: bool, name: str) -> str:
        """Outputs (B, T, H) of the real steps, where the steps were."""
        op, constant = self.writer.op, self.writer.constant
        if (backward, zero) not in self._places:
            end = f"{self.mask}_{'backward' if backward else 'forward'}{'_zero' if zero else ''}"
            place = op("Sub", [self.sums, self.ones if backward else constant(1)], f"{end}_place")
            real = op("Unsqueeze", [self.real, constant([1])], f"{end}_real")
            there = op("And", [op("GreaterOrEqual", [place, constant(0)], f"{end}_begun"),
                               op("Less", [place, real], f"{end}_left")], f"{end}_there")  # fmt: skip
            there = op("And", [there, self.mask], f"{end}_real_only") if zero else there
            last = op("Sub", [self.time, constant(1)], f"{end}_last")
            inside = op("Min", [op("Max", [place, constant(0)], f"{end}_not_before"), last], f"{end}_inside")
            self._places[backward, zero] = inside, op("Unsqueeze", [there, constant([2])], f"{end}_shown")
        inside, shown = self._places[backward, zero]
        found = self._taken(sequence, inside, f"{name}_spread")
        return op("Where", [shown, found, self.writer.real(0)], f"{name}_outputs")

    def has_steps(self) -> str:
        """(B, 1): whether a row has a real step."""
        if "has" not in self.__dict__:
            some = self.writer.op("Greater", [self.real, self.writer.constant(0)], f"{self.mask}_some")
            self.has = self.writer.op("Unsqueeze", [some, self.writer.constant([1])], f"{self.mask}_has_steps")
        return self.has
