"""TensorFlow's frozen graphs and checkpoints, written here field by field."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from diptych.convert.files import read_model_file
from diptych.errors import RefusalError

FLOAT = 1


@pytest.fixture(scope="module")
def build(build_message):
    """Builds nodes of a graph."""

    class Build:
        def shape(self, sizes):
            return build_message(*((2, build_message((1, size))) for size in sizes))

        def node(self, name, operator, inputs=(), **attributes):
            entries = [(5, build_message((1, key), (2, build_message(value)))) for key, value in attributes.items()]
            return (1, build_message((1, name), (2, operator), *((3, each) for each in inputs), *entries))

        def constant(self, name, array, fields=None):
            fields = [(4, array.tobytes())] if fields is None else fields
            tensor = build_message((1, FLOAT), (2, self.shape(array.shape)), *fields)
            return self.node(name, "Const", value=(8, tensor), dtype=(6, FLOAT))

        def variable(self, name, array):
            return self.constant(name, array), self.node(f"{name}/read", "Identity", [name])

        def graph(self, *nodes):
            return build_message(*nodes, (4, build_message((1, 27))))

    return Build()


def test_a_frozen_cell_is_read(build, read_bytes, check_tensors):
    kernel, bias = np.arange(60, dtype=np.float32).reshape(5, 12), np.ones(12, np.float32)
    scope = "rnn/basic_lstm_cell"
    model = read_bytes(
        build.graph(
            build.node("x", "Placeholder", dtype=(6, FLOAT), shape=(7, build.shape([2, -1, 2]))),
            *build.variable(f"{scope}/kernel", kernel),
            *build.variable(f"{scope}/bias", bias),
            build.constant("rnn/while/basic_lstm_cell/Const", np.array(2.0, np.float32)),
            build.node("rnn/while/basic_lstm_cell/split", "Split", [f"{scope}/kernel/read"]),
            build.node(
                "rnn/while/basic_lstm_cell/Add",
                "Add",
                ["rnn/while/basic_lstm_cell/split:2", "rnn/while/basic_lstm_cell/Const"],
            ),
            build.node("script", "PyFunc", ["x"]),
        )
    )
    check_tensors(model, {f"{scope}/kernel": kernel, f"{scope}/bias": bias})
    assert [(layer.name, layer.kind) for layer in model.layers] == [(scope, "BasicLSTMCell")]
    assert [(value.name, value.shape) for value in model.architecture.inputs] == [("x", (2, None, 2))]
    assert model.architecture.versions == {"producer": 27}
    said = [note.text for note in model.notes]
    assert said[0].startswith("gates i, j, f, o on [x; h]; a forget bias of 2 is added at run time")
    assert "calls Python (PyFunc): named, never run" in said


def test_a_block_cell_s_attributes_are_read(build, read_bytes):
    scope = "rnn/lstm_cell"
    model = read_bytes(
        build.graph(
            *build.variable(f"{scope}/kernel", np.ones((5, 12), np.float32)),
            build.node(
                f"{scope}/Cell", "LSTMBlockCell", [], forget_bias=(4, 1.5), cell_clip=(4, 3.0), use_peephole=(5, 1)
            ),
        )
    )
    (layer,) = model.layers
    assert (layer.kind, layer.config["forget_bias"], layer.config["use_peephole"]) == ("LSTMBlockCell", 1.5, True)
    assert [note.text.split(",")[0] for note in model.notes[1:]] == ["has peepholes", "the cell is clipped to +-3"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([(5, 2.5)], [[2.5, 2.5], [2.5, 2.5]]),
        ([(5, 1.0), (5, 2.0)], [[1.0, 2.0], [2.0, 2.0]]),
        ([(5, struct.pack("<4f", 1, 2, 3, 4))], [[1.0, 2.0], [3.0, 4.0]]),
        ([], [[0.0, 0.0], [0.0, 0.0]]),
    ],
)
def test_numbers_written_one_by_one_are_read_and_the_last_is_repeated(build, read_bytes, fields, expected):
    model = read_bytes(build.graph(build.constant("w", np.zeros((2, 2), np.float32), fields)))
    assert model.tensors["w"].read().tolist() == expected


def test_a_hostile_constant_is_refused(build, build_message, refuse):
    class Huge:
        shape = (1 << 30, 1 << 9)

    assert "written as 1 numbers" in refuse(build.graph(build.constant("w", Huge, [(5, 1.0)])))
    assert "written as 5 numbers" in refuse(build.graph(build.constant("w", np.zeros((2, 2)), [(5, 1.0)] * 5)))
    assert "has 4 bytes" in refuse(build.graph(build.constant("w", np.zeros((2, 2)), [(4, bytes(4))])))


def test_two_nodes_of_one_name_are_refused(build, refuse):
    assert "two nodes of the name x" in refuse(build.graph(build.node("x", "NoOp"), build.node("x", "NoOp")))


ARRAYS = {
    "lstm/kernel": np.arange(8, dtype=np.float32).reshape(1, 8),
    "lstm/recurrent_kernel": np.ones((2, 8), np.float32),
    "lstm/bias": np.zeros(8, np.float32),
}


def test_a_checkpoint_is_read(build_bundle, tmp_path, check_tensors):
    slots = {"optimizer/iter": np.array(9), "lstm/kernel/.OPTIMIZER_SLOT/m": np.ones((1, 8), np.float32)}
    model = read_model_file(build_bundle(tmp_path / "ck", {**ARRAYS, **slots}))
    check_tensors(model, ARRAYS)
    assert model.format == "tensorflow-checkpoint"
    assert (model.training.step, sorted(model.training.slots)) == (9, sorted(slots))
    assert [(layer.name, layer.kind) for layer in model.layers] == [("lstm", "LSTM")]


def without(field):
    def change(entries):
        kept = {key: value for key, value in entries.items() if key}
        return {b"": b"", **{key: [each for each in value if each[0] != field] for key, value in kept.items()}}

    return change


def with_field(number, value):
    def change(entries):
        return {key: [*each, (number, value)] if key else each for key, each in entries.items()}

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without(5), "has 0 bytes"),
        (with_field(4, 1 << 40), "cut short or altered"),
        (with_field(4, -8), "cut short or altered"),
        (with_field(3, 7), "lies in part 7 of 1"),
        (with_field(3, -1), "lies in part -1 of 1"),
        (with_field(7, b""), "cut into slices"),
        (lambda entries: {**entries, b"": b"\x08\x02"}, "data-00000-of-00002 is missing"),
    ],
)
def test_a_hostile_entry_is_refused(build_bundle, tmp_path, change, said):
    index = build_bundle(tmp_path / "ck", ARRAYS, change)
    with pytest.raises(RefusalError, match=said):
        read_model_file(index)


def test_a_damaged_index_is_refused(build_bundle, tmp_path):
    index = build_bundle(tmp_path / "ck", ARRAYS, compression=b"\1")
    with pytest.raises(RefusalError, match="is compressed"):
        read_model_file(index)
    data = build_bundle(tmp_path / "ck", ARRAYS).read_bytes()
    for at in (0, len(data) - 45, len(data) - 8):
        index.write_bytes(data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :])
        with pytest.raises(RefusalError):
            read_model_file(index)
