"""Models as JSON."""

from __future__ import annotations

import json

import pytest

GRU = {
    "type": "gru",
    "activation": "tanh",
    "shape": [None, None, 1],
    "weights": [[[1, 2, 3]], [[4, 5, 6]], [[0] * 3] * 2],
}
DENSE = {"type": "dense", "activation": "", "shape": [None, None, 1], "weights": [[[1.5]], [0.5]]}


def test_rtneural_s_layers_are_read(read_bytes):
    model = read_bytes(json.dumps({"in_shape": [None, None, 1], "layers": [GRU, DENSE, {"type": "magic"}]}).encode())
    assert model.format == "rtneural-json"
    assert [(layer.name, layer.kind, len(layer.tensors)) for layer in model.layers] == [
        ("gru_0", "GRU", 3), ("dense_1", "Dense", 2), ("magic_2", "magic", 0),
    ]  # fmt: skip
    assert model.tensors["gru_0/bias"].read().shape == (2, 3)
    assert model.tensors["dense_1/kernel"].read().tolist() == [[1.5]]
    assert [(note.where, note.key) for note in model.notes] == [("gru_0", "recurrent_activation"), ("magic_2", "")]


def test_a_state_dict_of_lists_is_read(read_bytes):
    names = {"gru.weight_ih_l0": [[1.0]] * 3, "gru.weight_hh_l0": [[2.0]] * 3, "gru.bias_ih_l0": [0.5] * 3}
    model = read_bytes(json.dumps(names).encode())
    assert (model.format, [layer.kind for layer in model.layers]) == ("json-state-dict", ["GRU"])
    assert {name: tensor.read().tolist() for name, tensor in model.tensors.items()} == names


def test_a_configuration_alone_is_read(read_bytes):
    layers = [{"class_name": "LSTM", "config": {"name": "lstm", "inner_activation": "hard_sigmoid"}}]
    model = read_bytes(
        json.dumps({"class_name": "Sequential", "keras_version": "1.2.2", "config": layers}, indent=1).encode()
    )
    assert (model.format, str(model.written_by), len(model.tensors)) == ("keras-json", "keras 1.2.2", 0)
    assert "without weights" in model.notes[0].text
    assert "clip(0.2 x + 0.5)" in model.notes[1].text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[1, 2]", "JSON of no kind that is read"),
        (b"{}", "JSON of no kind that is read"),
        (b'{"a": [1, [2]]}', "rows of different lengths"),
        (b'{"a": ["x"]}', "expected a list of numbers"),
        (b'{"a": [1e999, %s]}' % (b"9" * 400), "expected a list of numbers"),
        (b'{"a": [%s]}' % (b"9" * 5000), "not valid JSON"),
        (b'{"in_shape": 1, "layers": [3]}', "expected an object with weights"),
        (b'{"in_shape": 1, "layers": [{"type": "gru", "weights": [3]}]}', "expected a list of numbers"),
        (b'{"a": ' + b"[" * 50 + b"]" * 50 + b"}", "expected a list of numbers"),
        (b'{"a": ' * 100_000, "nests too deep"),
        (b"[" * 5_000_000, "more than can be read safely"),
        (b'{"a": [1.0', "not valid JSON"),
    ],
)
def test_a_damaged_or_hostile_text_is_refused(refuse, text, said):
    assert said in refuse(text)
