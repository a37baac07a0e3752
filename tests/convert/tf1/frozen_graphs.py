"""Frozen graphs of TensorFlow 1 in memory, as dynamic_rnn and static_rnn build them: what the tests take for files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from diptych.convert.files.graph import Graph, Node, Value
from diptych.convert.files.model_file import Layer, ModelFile, Tensor, WrittenBy
from diptych.convert.tf1.evaluation import place_of


class Frozen:
    """Nodes as they are added; names are made unique as TensorFlow makes them."""

    def __init__(self):
        self.nodes: dict[str, Node] = {}

    def op(self, operator, *inputs, name=None, **attributes):
        wanted = name or operator.lower()
        unique, number = wanted, 0
        while unique in self.nodes:
            number += 1
            unique = f"{wanted}_{number}"
        self.nodes[unique] = Node(unique, operator, tuple(inputs), (), attributes)
        return unique

    def const(self, value, name="const"):
        array = np.asarray(value)
        tensor = Tensor(name, str(array.dtype), array.shape, lambda: array)
        return self.op("Const", name=name, value=tensor, dtype=str(array.dtype))

    def weight(self, array, name):
        return self.op("Identity", self.const(array, name), name=f"{name}/read")

    def placeholder(self, name, *shape, dtype="float32"):
        return self.op("Placeholder", name=name, shape=shape, dtype=dtype)

    def file(self):
        """The graph as `read_model_file` gives it, its nodes in any order."""
        read = {place_of(name)[0] for node in self.nodes.values() for name in node.inputs}
        outputs = tuple(Value(name, "", None) for name in self.nodes if name not in read)
        inputs = tuple(Value(n.name, "", None) for n in self.nodes.values() if n.operator == "Placeholder")
        graph = Graph("", tuple(reversed(self.nodes.values())), inputs, outputs)
        return ModelFile(
            Path("frozen.pb"), "tensorflow-graph", WrittenBy("tensorflow"), {}, (Layer("", "", ()),), graph
        )


class Cell:
    """A cell's weights and its operators for one step.

    Args:
        kind: "rnn", "lstm", "gru", "LSTMBlockCell", "GRUBlockCell".
        more: activation (an operator), peepholes, cell_clip, forget_bias, projection.
    """

    def __init__(self, frozen, kind, width, hidden, scope="rnn/cell", seed=0, **more):
        self.frozen, self.kind, self.scope, self.more = frozen, kind, scope, more
        draw = np.random.default_rng(seed)

        def weight(name, *shape):
            return frozen.weight(draw.normal(size=shape).astype("float32"), f"{scope}/{name}")

        states = more.get("projection") or hidden
        self.sizes = {"h": states, "c": hidden} if "lstm" in kind.lower() else {"h": hidden}
        if "gru" in kind.lower():
            both = width + hidden
            self.w = [weight("gates/kernel", both, 2 * hidden), weight("candidate/kernel", both, hidden),
                      weight("gates/bias", 2 * hidden), weight("candidate/bias", hidden)]  # fmt: skip
        else:
            gates = 4 if "lstm" in kind.lower() else 1
            self.w = [weight("kernel", width + states, gates * hidden), weight("bias", gates * hidden)]
        self.peepholes = [weight(f"w_{gate}_diag", hidden) for gate in "ifo"] if more.get("peepholes") else []
        self.projection = weight("projection/kernel", hidden, states) if more.get("projection") else None

    def step(self, x, states, enter=lambda name: name):
        """The names of the new states."""
        f, more = self.frozen, self.more
        w, looks = [enter(name) for name in self.w], [enter(name) for name in self.peepholes]
        h, c = states["h"], states.get("c")

        def op(operator, *inputs, **attributes):
            return f.op(operator, *inputs, name=f"{self.scope}/{operator}", **attributes)

        if self.kind == "GRUBlockCell":
            return {"h": f"{op(self.kind, x, h, *w)}:3"}
        if self.kind == "LSTMBlockCell":
            zeros = looks or [f.const(np.zeros(self.sizes["c"], "float32"))] * 3
            attributes = {name: more[name] for name in ("forget_bias", "cell_clip") if name in more}
            made = op(self.kind, x, c, h, w[0], *zeros, w[1], use_peephole=bool(looks), **attributes)
            return {"h": f"{made}:6", "c": f"{made}:1"}
        one = f.const(np.int32(1))
        summed = op("BiasAdd", op("MatMul", op("ConcatV2", x, h, one), w[0]), w[-1] if self.kind != "gru" else w[2])
        act = more.get("activation", "Tanh")
        if self.kind == "rnn":
            return {"h": op(act, summed)}
        if self.kind == "gru":
            split = op("Split", one, op("Sigmoid", summed), num_split=2)
            joined = op("ConcatV2", x, op("Mul", split, h), one)
            new = op(act, op("BiasAdd", op("MatMul", joined, w[1]), w[3]))
            rest = op("Sub", f.const(np.float32(more.get("one", 1.0))), f"{split}:1")
            return {"h": op("Add", op("Mul", f"{split}:1", h), op("Mul", rest, new))}
        split = op("Split", one, summed, num_split=4)
        forget = op("Add", f"{split}:2", f.const(np.float32(more.get("forget_bias", 1.0))))

        def looking(gate, place, state):
            return op("Add", gate, op("Mul", looks[place], state)) if looks else gate

        i, forget = looking(f"{split}:0", 0, c), looking(forget, 1, c)
        new = op("Add", op("Mul", op("Sigmoid", forget), c), op("Mul", op("Sigmoid", i), op(act, f"{split}:1")))
        if "cell_clip" in more:
            low = f.const(np.float32(-more.get("lowest", more["cell_clip"])))
            new = op("Maximum", op("Minimum", new, f.const(np.float32(more["cell_clip"]))), low)
        out = op("Sigmoid", looking(f"{split}:3", 2, new))
        h = op("Mul", out, op(act, new))
        return {"h": op("MatMul", h, enter(self.projection)) if self.projection else h, "c": new}


def dynamic(frozen, cells, x, initial, after=lambda frozen, new, old: new, scope="rnn", sized=True, lengths=None):
    """A while loop over x (T, B, I): the last cell's sequence (T, B, H) and the last states.

    Args:
        cells: one above the other, as MultiRNNCell has them; their states are called h, c, h1, c1 and so on.
        initial: tensors of the states, by name.
        after: what is done with a new state before it is kept, given the old one.
        sized: whether the array of outputs is asked for its size, as TensorFlow did up to 1.14.
        lengths: the node that says how many steps each row has; then states stay and outputs are zeros.
    """
    f, frame = frozen, f"{scope}/while_context"

    def enter(name, constant=True):
        return f.op("Enter", name, name=f"{scope}/while/Enter", frame_name=frame, is_constant=constant)

    steps = f.op("StridedSlice", f.op("Shape", x), *(f.const(np.array([n], np.int32)) for n in (0, 1, 1)),
                 shrink_axis_mask=1)  # fmt: skip
    given, made = f.op("TensorArrayV3", steps, name="TensorArray"), f.op("TensorArrayV3", steps, name="TensorArray")
    zero, one = f.const(np.int32(0)), f.const(np.int32(1))
    places = f.op("Range", zero, steps, one)
    filled = f.op("TensorArrayScatterV3", given, places, x, f"{given}:1")
    variables = {"time": zero, "flow": f"{made}:1", **initial}
    merges = {
        name: f.op("Merge", enter(value, False), f"{scope}/while/next_{name}", name=f"{scope}/while/Merge")
        for name, value in variables.items()
    }
    condition = f.op("LoopCond", f.op("Less", merges["time"], enter(steps)))
    switches = {name: f.op("Switch", merge, condition) for name, merge in merges.items()}
    now = {name: f.op("Identity", f"{switch}:1") for name, switch in switches.items()}
    read = f.op("TensorArrayReadV3", enter(given), now["time"], enter(filled))
    onward, below = {}, read
    for number, cell in enumerate(cells):
        names = {name: f"{name}{number or ''}" for name in cell.sizes}
        new = cell.step(below, {name: now[own] for name, own in names.items()}, enter)
        onward |= {names[name]: after(f, value, now[names[name]]) for name, value in new.items()}
        below, size = onward[names["h"]], cell.sizes["h"]
    if lengths:
        late = f.op("GreaterEqual", now["time"], enter(lengths), name=f"{scope}/while/GreaterEqual")
        onward = {name: f.op("Select", late, now[name], value) for name, value in onward.items()}
        batch = f.op("StridedSlice", f.op("Shape", x), *(f.const(np.array([n], np.int32)) for n in (1, 2, 1)))
        shape = f.op("ConcatV2", batch, f.const(np.array([size], np.int32)), zero)
        below = f.op("Select", late, enter(f.op("Fill", shape, f.const(np.float32(0)))), below)
    onward["time"] = f.op("Add", now["time"], f.const(np.int32(1)))
    onward["flow"] = f.op("TensorArrayWriteV3", enter(made), now["time"], below, now["flow"])
    for name, value in onward.items():
        f.op("NextIteration", value, name=f"{scope}/while/next_{name}")
    exits = {name: f.op("Exit", switch) for name, switch in switches.items() if name != "time"}
    counted = f.op("TensorArraySizeV3", made, exits["flow"]) if sized else steps
    sequence = f.op("TensorArrayGatherV3", made, f.op("Range", zero, counted, one), exits["flow"])
    return sequence, {name: exits[name] for name in initial}
