"""ONNX files, written here field by field."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from diptych.convert.files import Graph, Tensor


@pytest.fixture(scope="module")
def build(build_message):
    """Builds a model of nodes, weights and inputs."""

    def call(nodes=(), weights=(), inputs=(), producer="pytorch", version="2.1", opset=17):
        graph = build_message(
            *((1, node) for node in nodes), (2, "main"), *((5, weight) for weight in weights),
            *((11, value) for value in inputs), (12, value_info(build_message, "y", [1, 0])),
        )  # fmt: skip
        imports = build_message((1, ""), (2, opset))
        return build_message((1, 8), (2, producer), (3, version), (7, graph), (8, imports))

    return call


def value_info(message, name, sizes):
    dimensions = [(1, message((2, size) if isinstance(size, str) else (1, size))) for size in sizes]
    tensor = message((1, 1), (2, message(*dimensions)))
    return message((1, name), (2, message((1, tensor))))


def weight(message, name, array, **how):
    code = {"float32": 1, "int64": 7, "float64": 11}[array.dtype.name]
    fields = [(1, size) for size in array.shape] + [(2, code), (8, name)]
    return message(*fields, *how.get("fields", [(9, array.tobytes())]))


def node(message, operator, inputs, name="", domain="", **attributes):
    fields = [(1, each) for each in inputs] + [(2, "y"), (3, name), (4, operator), (7, domain)]
    for key, value in attributes.items():
        number = 3 if isinstance(value, int) else 2 if isinstance(value, float) else 4
        if isinstance(value, list):
            fields.append((5, message((1, key), *((9, each) for each in value), (20, 8))))
        elif isinstance(value, tuple):
            fields.append((5, message((1, key), value)))
        else:
            fields.append((5, message((1, key), (number, value))))
    return message(*fields)


def test_a_model_is_read(build, build_message, read_bytes, check_tensors):
    kernel = np.arange(6, dtype=np.float32).reshape(1, 3, 2)
    ids = np.array([1, -1])
    model = read_bytes(
        build(
            nodes=[
                node(build_message, "LSTM", ["x", "W", "W", "", "lengths"], "lstm", hidden_size=3, clip=2.5),
                node(build_message, "GRU", ["x", "W"], "gru", direction="forward"),
                node(build_message, "RNN", ["x", "W"], "rnn", activations=["Relu"]),
                node(build_message, "Fancy", ["x"], "odd", domain="com.mine"),
            ],
            weights=[weight(build_message, "W", kernel), weight(build_message, "ids", ids)],
            inputs=[value_info(build_message, "x", [1, "time", 4]), value_info(build_message, "W", [1, 3, 2])],
        )
    )
    check_tensors(model, {"W": kernel, "ids": ids})
    assert (model.format, str(model.written_by)) == ("onnx", "pytorch 2.1")
    graph = model.architecture
    assert isinstance(graph, Graph)
    assert graph.versions == {"ai.onnx": 17}
    assert [(value.name, value.dtype, value.shape) for value in graph.inputs] == [("x", "float32", (1, "time", 4))]
    assert graph.nodes[0].inputs == ("x", "W", "W", "", "lengths")
    assert graph.nodes[0].attributes == {"hidden_size": 3, "clip": 2.5}
    assert graph.nodes[3].operator == "com.mine.Fancy"
    assert [(layer.name, layer.kind, layer.tensors) for layer in model.layers] == [
        ("lstm", "LSTM", ("W", "W")), ("gru", "GRU", ("W",)), ("rnn", "RNN", ("W",)),
    ]  # fmt: skip
    said = {(note.where, note.text.split(":")[0]) for note in model.notes}
    assert said == {
        ("lstm", "sequence_lens"),
        ("lstm", "clip is 2.5"),
        ("gru", "linear_before_reset is 0"),
        ("rnn", "activations is ['Relu']"),
        ("odd", "com.mine.Fancy is no operator of ONNX itself"),
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([(4, struct.pack("<2f", 1.5, -2.0))], np.array([1.5, -2.0], np.float32)),
        ([(4, 1.5), (4, -2.0)], np.array([1.5, -2.0], np.float32)),
        ([(7, 3), (7, -4)], np.array([3, -4])),
        ([(7, b"\x03\x04")], np.array([3, 4])),
        ([(10, struct.pack("<2d", 1.5, -2.0))], np.array([1.5, -2.0])),
    ],
)
def test_numbers_written_one_by_one_are_read(build, build_message, read_bytes, check_tensors, fields, expected):
    written = weight(build_message, "w", expected, fields=fields)
    check_tensors(read_bytes(build(weights=[written])), {"w": expected})


def test_a_loop_s_body_is_a_graph(build, build_message, read_bytes):
    inner = build_message((1, node(build_message, "Relu", ["x"])), (2, "body"))
    model = read_bytes(build(nodes=[node(build_message, "Loop", ["x"], "steps", body=(6, inner))]))
    body = model.architecture.nodes[0].attributes["body"]
    assert (body.name, body.nodes[0].operator) == ("body", "Relu")
    assert "written as a program" in model.notes[0].text


def test_a_constant_is_a_tensor(build, build_message, read_bytes):
    inner = weight(build_message, "", np.array([2.5], np.float32))
    model = read_bytes(build(nodes=[node(build_message, "Constant", [], value=(5, inner))]))
    value = model.architecture.nodes[0].attributes["value"]
    assert isinstance(value, Tensor)
    assert value.read().tolist() == [2.5]


def outside(message, location, offset=0):
    where = [(13, message((1, "location"), (2, location))), (13, message((1, "offset"), (2, str(offset))))]
    return message((1, 2), (2, 1), (8, "w"), *where, (14, 1))


def test_numbers_in_a_file_beside_are_read(build, build_message, read_bytes, tmp_path):
    (tmp_path / "weights.bin").write_bytes(bytes(8) + struct.pack("<2f", 1.5, -2.0))
    model = read_bytes(build(weights=[outside(build_message, "weights.bin", 8)]))
    assert model.tensors["w"].read().tolist() == [1.5, -2.0]


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "link", "", "missing", "a\\..\\b", "nul\0", "."])
def test_numbers_outside_the_folder_are_refused(build, build_message, refuse, tmp_path, location):
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert "expected a file in the model's folder" in refuse(build(weights=[outside(build_message, location)]))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([(1, 3), (2, 1), (8, "w"), (9, bytes(8))], "has 8 bytes"),
        ([(1, -3), (2, 1), (8, "w"), (9, bytes(8))], "impossible shape"),
        ([(1, 1 << 39), (2, 1), (8, "w"), (4, 1.0)], "has 1 numbers"),
        ([(1, 2), (2, 99), (8, "w"), (9, bytes(8))], "type 99"),
        ([(1, 2), (2, 1), (8, "w"), (9, bytes(8)), (9, bytes(4))], "has 4 bytes"),
    ],
)
def test_a_hostile_tensor_is_refused(build, build_message, refuse, fields, said):
    assert said in refuse(build(weights=[build_message(*fields)]))


def test_two_weights_of_one_name_are_refused(build, build_message, refuse):
    twice = weight(build_message, "w", np.ones(2))
    assert "two weights of the name w" in refuse(build(weights=[twice, twice]))


def test_bodies_within_bodies_are_refused(build, build_message, refuse):
    graph = build_message((2, "innermost"))
    for _ in range(60):
        graph = build_message((1, node(build_message, "Loop", [], body=(6, graph))))
    assert "nest more than 100 deep" in refuse(build(nodes=[node(build_message, "Loop", [], body=(6, graph))]))


def test_a_file_without_a_graph_is_refused(build_message, refuse):
    assert "has no graph" in refuse(build_message((1, 8), (2, "pytorch")))
