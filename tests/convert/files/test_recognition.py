"""Layers seen in names and shapes, and what they leave open."""

from __future__ import annotations

import numpy as np
import pytest

from diptych.convert.files.model_file import Tensor
from diptych.convert.files.recognition import recognise


def judge(**shapes):
    tensors = {name: Tensor(name, "float32", shape, lambda: np.zeros(0)) for name, shape in shapes.items()}
    layers, notes = recognise(tensors, "")
    return [(layer.name, layer.kind) for layer in layers], [(note.where, note.key, note.likely) for note in notes]


@pytest.mark.parametrize(("gates", "kind"), [(1, "RNN"), (3, "GRU"), (4, "LSTM")])
def test_pytorch_s_own_names_leave_little_open(gates, kind):
    weights = {"a.weight_ih_l0": (gates * 5, 2), "a.weight_hh_l0": (gates * 5, 5), "a.bias_ih_l0": (gates * 5,)}
    assert judge(**weights) == ([("a", kind)], [("a", "nonlinearity", "tanh")] if gates == 1 else [])
    cell = {"weight_ih": (gates * 5, 2), "weight_hh": (gates * 5, 5)}
    assert judge(**cell)[0] == [("", f"{kind}Cell")]


def test_a_projection_is_of_an_lstm():
    assert judge(**{"a.weight_hh_l0": (20, 2), "a.weight_hr_l0": (2, 5)})[0] == [("a", "LSTM")]


def test_other_names_leave_the_gates_the_reset_and_the_biases_open():
    layers, notes = judge(
        enc_emb=(7, 2), enc_w_ih=(15, 2), enc_w_hh=(15, 5), enc_b_ih=(15,), enc_b_hh=(15,), fc_w=(3, 5)
    )
    assert layers == [("enc_emb", "Embedding"), ("enc", "GRU"), ("fc", "Linear")]
    assert notes == [
        ("enc", "gru_gates", "rzn"),
        ("enc", "recurrent_activation", "sigmoid"),
        ("enc", "reset", "after"),
        ("fc", "class", "Linear"),
    ]


def test_columns_are_taken_for_keras_s_order_and_one_bias_leaves_the_reset_open():
    _, notes = judge(w_ih=(2, 15), w_hh=(5, 15), b_ih=(15,))
    assert [note for note in notes if note[1] != "recurrent_activation"] == [
        ("", "gru_gates", "zrn"),
        ("", "reset", None),
    ]
    _, notes = judge(w_ih=(2, 20), w_hh=(5, 20))
    assert ("", "forget_bias", "0") in notes


def test_a_wrapper_s_prefix_is_told():
    tensors = {f"module.{name}": Tensor(name, "float32", (2, 2), lambda: np.zeros(0)) for name in "ab"}
    assert "every name begins with 'module.'" in recognise(tensors, "pytorch")[1][0].text


def test_what_is_not_known_has_no_class():
    assert judge(**{"a.weight_hh_l0": (7, 5)})[0] == [("a", "")]
    assert judge(alpha=(3,))[0] == [("", "")]
