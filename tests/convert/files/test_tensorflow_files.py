"""TensorFlow's frozen graphs, checkpoints and SavedModels, written here field by field."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from diptych.convert.files import read_model_file
from diptych.errors import RefusalError

FLOAT, STRING, INT64 = 1, 7, 9


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


@pytest.fixture(scope="module")
def build_bundle(build_message, build_varint):
    """Writes NAME.index and its data for arrays and texts; `change` changes the entries."""

    def block(entries):
        data, before = b"", b""
        for key, value in entries:
            shared = next((at for at, (a, b) in enumerate(zip(key, before)) if a != b), min(len(key), len(before)))
            own = key[shared:]
            data += build_varint(shared) + build_varint(len(own)) + build_varint(len(value)) + own + value
            before = key
        return data + struct.pack("<2I", 0, 1)

    def call(prefix, arrays, change=lambda entries: entries, compression=b"\0"):
        data, entries = b"", {b"": build_message((1, 1))}
        for name, array in arrays.items():
            if isinstance(array, bytes):
                content, code, shape = build_varint(len(array)) + bytes(4) + array, STRING, b""
            else:
                content, code = array.tobytes(), {"float32": FLOAT, "int64": INT64}[array.dtype.name]
                shape = build_message(*((2, build_message((1, size))) for size in array.shape))
            entries[name.encode()] = [(1, code), (2, shape), (4, len(data)), (5, len(content))]
            data += content
        entries = change(entries)
        listed = sorted(
            (key, each if isinstance(each, bytes) else build_message(*each)) for key, each in entries.items()
        )
        first = block(listed)
        table = first + compression + bytes(4)
        index = block([(b"\xff", build_varint(0) + build_varint(len(first)))])
        footer = build_varint(0) + build_varint(0) + build_varint(len(table)) + build_varint(len(index))
        table += index + b"\0" + bytes(4) + footer.ljust(40, b"\0") + (0xDB4775248B80FB57).to_bytes(8, "little")
        prefix.parent.mkdir(parents=True, exist_ok=True)
        prefix.with_name(f"{prefix.name}.index").write_bytes(table)
        prefix.with_name(f"{prefix.name}.data-00000-of-00001").write_bytes(data)
        return prefix.with_name(f"{prefix.name}.index")

    return call


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


def saved_model(build_message, build_bundle, folder, metadata=None):
    """A SavedModel as Keras 2 writes it: names in the object graph, the configuration in keras_metadata.pb."""
    keys = {name: f"variables/{number}/.ATTRIBUTES/VARIABLE_VALUE" for number, name in enumerate(ARRAYS)}
    again = {f"_all_variables/{number}/.ATTRIBUTES/VARIABLE_VALUE": name for number, name in enumerate(ARRAYS)}
    objects = build_message(
        *((1, build_message((2, build_message((1, "VARIABLE_VALUE"), (2, name), (3, key)))))
          for key, name in [*((key, name) for name, key in keys.items()), *again.items()])
    )  # fmt: skip
    arrays = {keys[name]: array for name, array in ARRAYS.items()}
    twins = {key: ARRAYS[name] for key, name in again.items()}
    build_bundle(folder / "variables" / "variables", {**arrays, **twins, "_CHECKPOINTABLE_OBJECT_GRAPH": objects})
    graph = build_message((1, build_message((5, "2.9.1"))), (2, b""))
    (folder / "saved_model.pb").write_bytes(build_message((1, 1), (2, graph)))
    if metadata is not None:
        root = build_message((2, 0), (3, "root"), (5, json.dumps(metadata)))
        (folder / "keras_metadata.pb").write_bytes(build_message((1, root)))


def test_a_saved_model_s_variables_have_their_names(build_message, build_bundle, tmp_path, check_tensors):
    saved_model(build_message, build_bundle, tmp_path / "saved")
    model = read_model_file(tmp_path / "saved")
    check_tensors(model, ARRAYS)
    assert (model.format, str(model.written_by)) == ("saved-model", "tensorflow 2.9.1")
    assert [layer.kind for layer in model.layers] == ["LSTM"]
    assert "not read" in model.notes[-1].text


def test_a_saved_model_s_configuration_is_read(build_message, build_bundle, tmp_path):
    config = {"class_name": "Sequential", "config": {"layers": [{"class_name": "LSTM", "config": {"name": "lstm"}}]}}
    metadata = {
        "keras_version": "2.9.0",
        "model_config": config,
        "training_config": {"optimizer_config": {"class_name": "SGD", "config": {"lr": 0.5}}},
    }
    saved_model(build_message, build_bundle, tmp_path / "saved", metadata)
    model = read_model_file(tmp_path / "saved")
    assert str(model.written_by) == "tf.keras 2.9.0"
    assert model.architecture == config
    assert [(layer.name, len(layer.tensors)) for layer in model.layers] == [("lstm", 3)]
    assert (model.training.optimizer, model.training.config) == ("SGD", {"lr": 0.5})


def test_a_saved_model_in_part_is_refused(build_message, build_bundle, tmp_path):
    saved_model(build_message, build_bundle, tmp_path / "saved")
    (tmp_path / "saved" / "variables" / "variables.data-00000-of-00001").unlink()
    with pytest.raises(RefusalError, match="is missing"):
        read_model_file(tmp_path / "saved")
    (tmp_path / "saved" / "variables" / "variables.index").unlink()
    with pytest.raises(RefusalError, match=r"has no variables/variables\.index"):
        read_model_file(tmp_path / "saved")
