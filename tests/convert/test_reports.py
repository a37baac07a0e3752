"""Public reports of recurrent models that gave other numbers after porting: the right value, and the mistake named.

The reports are listed in docs/convert.md. Each is planted as a mistake where it is one, and `certify` must name it.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from diptych.convert.causes.loading import CHANGED, NEVER
from diptych.convert.causes.search import faults
from diptych.convert.certificate import Party, compare, demand
from diptych.convert.files.graph import Graph as FrozenGraph
from diptych.convert.files.graph import Node as Operator
from diptych.convert.files.graph import Value
from diptych.convert.files.model_file import ModelFile, WrittenBy
from diptych.convert.graph import Graph, Input, Node, Ref
from diptych.convert.judge import run
from diptych.convert.keras.weights import to_keras
from diptych.convert.kinds import Function, Recurrent
from diptych.convert.pair import certify
from diptych.convert.source import Asked, read_source
from diptych.convert.tf1.cells import lstm_weights
from diptych.convert.tf1.reading import read_frozen
from diptych.convert.torch.writing import write_pytorch
from diptych.convert.trial import make_trial
from diptych.errors import CertificateError, RefusalError

_specification = importlib.util.spec_from_file_location(
    "recurrent_graphs", Path(__file__).with_name("recurrent_graphs.py")
)
graphs = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(graphs)
_specification = importlib.util.spec_from_file_location("keras_files", Path(__file__).with_name("keras_files.py"))
files = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(files)
keras_file, lstm, DRAW, LSTM_WEIGHTS = files.keras_file, files.lstm, files.DRAW, files.LSTM_WEIGHTS

GRU, LSTM = Recurrent("gru"), Recurrent("lstm")
BOTH = Recurrent("lstm", direction="both", zero_masked=True)
HARD = Function("hard_sigmoid_keras_2")

CLIPPED = Recurrent("lstm", cell_clip=0.3)
BACKWARD = Recurrent("gru", direction="backward")
GRU_ORDER = "its gates r, z, n lie in the order z, r, n (the order of Keras and ONNX)"
LSTM_ORDER = "its gates i, f, g, o lie in the order i, g, f, o (the order of TF1's cells)"
HARD_2 = "its gates have the hard_sigmoid of Keras 1 and 2, clip(0.2 x + 0.5)"
HARD_3 = "its gates have the hard_sigmoid of Keras 3, clip(x / 6 + 0.5)"
LENGTHS = "its mask is taken for lengths: as many first steps as are real, whichever they are"
FIRST_ROW = "every row starts in the states of the first one (a batch of 1 baked in)"
STARTED = "a row without a real step is run for one step (a length of 0 made 1)"

# thread: each model in which the mistake is planted, and what `certify` must say of it.
PLANTED = {
    "keras#15915": [(graphs.one_layer(GRU), GRU_ORDER), (graphs.one_layer(GRU), f"{GRU_ORDER}, in the kernels only")],
    "stackoverflow.com/questions/48361376": [
        (graphs.one_layer(BOTH), "the second bias (bias_hh) is missing"),
        (graphs.one_layer(BOTH), "the first bias (bias_ih) is missing"),
        (graphs.one_layer(BOTH), "the backward direction has the forward one's weights"),
    ],
    "discuss.pytorch.org/t/6630": [(graphs.one_layer(GRU), "the reset gate acts on the other side of the product")],
    "keras#9463": [(graphs.one_layer(LSTM), HARD_2)],
    "tf#29308": [
        (graphs.one_layer(LSTM), LSTM_ORDER), (graphs.one_layer(LSTM), "the forget bias is not added (1 less)"),
    ],
    "tf#6072": [
        (graphs.two_layers(GRU), "its weights and those of second are in each other's place"),
        (graphs.one_layer(LSTM), "the kernels of input and state are in each other's place"),
    ],
    "keras#3088": [(graphs.one_layer(LSTM, two_biases=False), LSTM_ORDER)],
    "apple/coremltools#1124": [
        (graphs.one_layer(GRU), "its two biases are summed, which in a GRU is another function"),
        (graphs.one_layer(Recurrent("gru", reset_after=False)), "the reset gate acts on the other side of the product"),
    ],
    "keras#1431": [
        (graphs.one_layer(BOTH), "the backward direction's outputs stay in the order in which it ran"),
        (graphs.one_layer(BACKWARD), "its outputs are turned round once too often, or not at all"),
    ],
    "onnx-tf#409": [
        (graphs.one_layer(BOTH, states=True), "the initial states of forward and backward are in each other's place"),
        (graphs.one_layer(LSTM, states=True), "the initial states h and c are in each other's place"),
        (graphs.one_layer(LSTM, states=True), "its initial states are not given to it"),
    ],
    "tf2onnx#1871": [(graphs.one_layer(GRU), LENGTHS), (graphs.one_layer(LSTM, "last"), LENGTHS)],
    "tf#43103": [(graphs.one_layer(LSTM), STARTED)],
    "tensorflow/tfjs#2279": [(graphs.one_layer(BOTH), "the padding is not masked")],
    "pytorch#4582": [(graphs.one_layer(GRU, "last"), STARTED)],
    "pytorch#45653": [(graphs.one_layer(LSTM, states=True), FIRST_ROW)],
    "keras#23462": [(graphs.one_layer(BACKWARD, states=True), "its initial states are not given to it")],
    "tf#65381": [(graphs.one_layer(Recurrent("lstm", gate=HARD)), HARD_3)],
    "keras#8957": [(graphs.one_layer(BOTH), "forward and backward weights are in each other's place")],
    "allenai/bilm-tf#96": [
        (graphs.one_layer(LSTM), "the forget bias is added twice (1 more)"),
        (graphs.one_layer(CLIPPED), "its cell state is not clipped"),
    ],
    "the last output of two directions": [
        (graphs.one_layer(BOTH, "last"),
         "its last output is outputs[:, -1], where the backward direction has seen one step"),
    ],
    "the last output under a mask": [
        (graphs.one_layer(GRU, "last"), "its last output is taken at the last step, which is padding in shorter rows"),
    ],
    "a transposed square kernel": [(graphs.one_layer(GRU), "a square recurrent kernel is not transposed")],
    "batch_first forgotten": [
        (graphs.one_layer(GRU, mask=False),
         "it runs along the batch: time and batch are in each other's place (batch_first, time_major)"),
    ],
}  # fmt: skip

# By thread, what else `certify` says in a test of its own.
SAID = {thread: [what for _, what in cases] for thread, cases in PLANTED.items()} | {
    "EasyOCR#1009": [NEVER], "PaddlePaddle/Paddle#18418": [LSTM_ORDER, HARD_2],
}  # fmt: skip
SAID["keras#8957"].append(NEVER)


@pytest.mark.parametrize(
    ("model", "what"),
    [pytest.param(*case, id=f"{thread}: {case[1]}") for thread, cases in PLANTED.items() for case in cases],
)
def test_the_mistake_of_a_report_is_named(model, what):
    (planted,) = [fault for fault in faults(model) if fault.what == what and fault.where == "layer"]
    verdict = certify(model, planted.graph)
    assert verdict.gap > 1e-3
    assert [(fault.what, fault.entry) for fault in verdict.explanation.faults] == [(what, planted.entry)]
    assert verdict.explanation.before == verdict.gap > 1e-12 >= verdict.explanation.after
    assert verdict.first.startswith(("layer.sequence, row", "dense, row"))  # dense: another output of the layer is used


def test_paddle_18418_gate_order_and_hard_sigmoid_together():
    model = graphs.one_layer(LSTM)
    first = next(fault for fault in faults(model) if fault.what == LSTM_ORDER)
    second = next(fault for fault in faults(first.graph) if fault.what == HARD_2)
    found = certify(model, second.graph).explanation.faults
    assert {fault.what for fault in found} == {first.what, second.what}


def fresh(model, *layers):
    """The model with these layers' weights as they were before anything was loaded."""
    draw = np.random.default_rng(9)
    return model.with_weights({
        name: draw.uniform(-0.5, 0.5, weight.shape) if weight.ndim > 1 else weight * 0
        for name, weight in model.weights().items() if name.startswith(layers)
    })  # fmt: skip


@pytest.mark.parametrize(
    "layers", [("layer",), ("dense",), ("layer", "dense")], ids=["the recurrent layer", "the other one", "both"]
)
def test_weights_that_were_never_loaded_are_named(layers):
    """EasyOCR#1009: strict=False, which loads nothing; keras#8957: Bidirectional(weights=..) ignored."""
    model = graphs.one_layer(BOTH)
    verdict = certify(model, fresh(model, *layers), seconds=0.0)
    assert verdict.gap > 0.1
    assert [str(fault) for fault in verdict.explanation.faults] == [f"{layer}: {NEVER}" for layer in layers]
    assert verdict.explanation.after <= 1e-12


def test_a_mistake_beside_weights_that_were_never_loaded_is_named_with_them():
    model = graphs.one_layer(BOTH)
    (planted,) = [fault for fault in faults(fresh(model, "dense")) if fault.what == LENGTHS]
    found = certify(model, planted.graph, seconds=0.0).explanation.faults
    assert [fault.what for fault in found] == [NEVER, LENGTHS]


def test_weights_that_were_trained_on_are_told_from_those_never_loaded():
    model = graphs.one_layer(GRU)
    moved = {
        name: weight + np.random.default_rng(1).normal(size=weight.shape) * 0.01
        for name, weight in model.weights().items()
    }
    found = certify(model, model.with_weights(moved), seconds=0.0).explanation.faults
    assert [fault.what for fault in found] == [CHANGED, CHANGED]


def one_unit(kind, **weights):
    """A layer with I = H = 1, from the numbers of each gate."""
    named = {
        name: np.array(value, float).reshape((-1, 1) if name.startswith("weight") else -1)
        for name, value in weights.items()
    }
    node = Node("layer", kind, {"x": Ref("x"), "h0": Ref("h0")}, named)
    return Graph((Input("x", (None, 1)), Input("h0", (1,))), (node,), {"y": Ref("layer", "sequence")})


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_rows_r_z_n_become_columns_z_r_h():
    """keras#15915: H = 1, T = 1, other numbers for r and z."""
    weights = {"weight_ih": np.array([[0.5], [-0.7], [0.9]]), "weight_hh": np.array([[0.2], [0.4], [-0.6]]),
               "bias_ih": np.array([0.1, 0.2, 0.3]), "bias_hh": np.array([0.4, 0.5, 0.6])}  # fmt: skip
    kernel, recurrent, bias = to_keras(GRU, weights)
    assert kernel.tolist() == [[-0.7, 0.5, 0.9]] and recurrent.tolist() == [[0.4, 0.2, -0.6]]
    assert bias.tolist() == [[0.2, 0.1, 0.3], [0.5, 0.4, 0.6]]
    x, h = 1.5, -0.8
    z, r = (sigmoid(kernel[0, k] * x + bias[0, k] + recurrent[0, k] * h + bias[1, k]) for k in (0, 1))
    n = np.tanh(kernel[0, 2] * x + bias[0, 2] + r * (recurrent[0, 2] * h + bias[1, 2]))  # Keras's formula
    values = run(one_unit(GRU, **weights), {"x": [[[x]]], "h0": [[h]]})
    assert values[Ref("layer", "h")].item() == pytest.approx(z * h + (1 - z) * n, abs=1e-15)


def test_four_arrays_of_a_direction_are_three_in_keras():
    """stackoverflow 48361376: the sum of the biases; `_reverse` is the backward layer."""
    weights = graphs.weights(BOTH, np.random.default_rng(0), 3, 1)
    arrays = to_keras(BOTH, weights)
    assert len(arrays) == 6
    assert np.allclose(arrays[2], weights["bias_ih"] + weights["bias_hh"], atol=1e-15)
    assert np.array_equal(arrays[3], weights["weight_ih_reverse"].T)
    assert np.allclose(arrays[5], weights["bias_ih_reverse"] + weights["bias_hh_reverse"], atol=1e-15)


def test_the_two_kinds_of_gru_are_two_functions_and_stay_so():
    """discuss.pytorch.org 6630, coremltools#1124: h0 != 0, T = 1, b_hn = 1, r = 0.5."""
    numbers = {"weight_ih": [0, 0, 0.3], "weight_hh": [0, 0, 0.7], "bias_ih": [0, 0, 0.1], "bias_hh": [0, 0, 1.0]}
    given = {"x": [[[2.0]]], "h0": [[0.4]]}
    after, before = (one_unit(Recurrent("gru", reset_after=reset), **numbers) for reset in (True, False))
    n = np.tanh(0.7 + 0.5 * (0.7 * 0.4 + 1.0))
    assert run(after, given)[Ref("layer", "h")].item() == pytest.approx(0.5 * 0.4 + 0.5 * n, abs=1e-15)
    n = np.tanh(0.7 + 0.7 * (0.5 * 0.4) + 1.0)
    assert run(before, given)[Ref("layer", "h")].item() == pytest.approx(0.5 * 0.4 + 0.5 * n, abs=1e-15)
    assert "nn.GRU(1, 1" in write_pytorch(after, "").code
    code = write_pytorch(before, "").code
    assert "class ResetBeforeGRU(nn.Module)" in code and "nn.GRU(" not in code
    assert to_keras(GRU, dict(after.weights_of(after.nodes[0])))[2].shape == (2, 3)  # both biases go along


def test_the_order_of_tensorflow_1_and_its_forget_bias():
    """tf#29308: i, j, f, o, and a forget bias that is not in the file."""
    kernel = np.arange(8.0).reshape(2, 4)  # columns i, j, f, o; rows x, h
    weights = lstm_weights(kernel, np.array([0.1, 0.2, 0.3, 0.4]), 1.0, 1)
    assert weights["weight_ih"].ravel().tolist() == [0, 2, 1, 3]
    assert weights["weight_hh"].ravel().tolist() == [4, 6, 5, 7]
    assert weights["bias_ih"].tolist() == [0.1, 1.3, 0.2, 0.4]


def test_a_buffer_of_cudnn_is_refused():
    """tf#6072, #20571: its layout is the driver's; the canonical arrays of layers are read."""
    nodes = (
        Operator("x", "Placeholder", (), (), {"shape": (5, None, 3), "dtype": "float32"}),
        Operator("rnn", "CudnnRNN", ("x",), (), {}),
    )
    file = ModelFile(
        Path("f.pb"),
        "tensorflow-graph",
        WrittenBy("tensorflow"),
        {},
        (),
        FrozenGraph("", nodes, (), (Value("rnn", "", None),)),
    )
    with pytest.raises(RefusalError, match="rnn: the operator CudnnRNN is not understood"):
        read_frozen(file)


def test_go_backwards_leaves_its_outputs_reversed(tmp_path):
    """keras#1431, #3163, #3448: at T = 2, the first output has seen the last step only."""
    layer = lstm(recurrent_activation="sigmoid", go_backwards=True, return_sequences=True)
    graph = read_source(keras_file(tmp_path / "m.h5", [layer], {"lstm": LSTM_WEIGHTS}, "2.2.4"), Asked()).graph
    plain = lstm(recurrent_activation="sigmoid", return_sequences=True)
    forward = read_source(keras_file(tmp_path / "n.h5", [plain], {"lstm": LSTM_WEIGHTS}, "2.2.4"), Asked()).graph
    x = DRAW.normal(size=(1, 2, 3))
    (ours,), (theirs,) = graph.outputs.values(), forward.outputs.values()
    assert np.array_equal(run(graph, {"inputs": x})[ours], run(forward, {"inputs": x[:, ::-1]})[theirs])


def test_both_directions_stop_at_the_padding():
    """tfjs#2279, keras-js#129: a length of 1 of 2."""
    model = graphs.one_layer(BOTH)
    x = np.random.default_rng(0).normal(size=(1, 2, 3))
    x[0, 1] = 0
    padded, short = (run(model, {"x": one}) for one in (x, x[:, :1]))
    for name in ("h", "c", "h_reverse", "c_reverse"):
        assert np.array_equal(padded[Ref("layer", name)], short[Ref("layer", name)])
    assert not padded[Ref("layer", "sequence")][0, 1].any()


@pytest.mark.usefixtures("with_pytorch")
def test_a_written_module_takes_any_batch_and_rows_without_a_step():
    """pytorch#45653, onnx#3182, ort#19270 (batch of 1, then of 2); pytorch#4582 (a length of 0)."""
    import torch

    from diptych.convert.torch.running import module_from

    graph = graphs.one_layer(BOTH)
    written = write_pytorch(graph, "")
    module = module_from(written.code, written.weights).double()
    for batch in (1, 2):
        x = np.random.default_rng(batch).normal(size=(batch, 3, 3))
        x[-1] = 0
        found = module(torch.from_numpy(x)).detach().numpy()
        assert np.allclose(found, run(graph, {"x": x})[Ref("dense")], atol=1e-14)


@pytest.mark.usefixtures("with_pytorch")
def test_what_stays_fixed_or_random_in_a_module_is_refused():
    """pytorch#45653: a state of a fixed batch; and dropout that stays on, which is the mode's fault."""
    import torch
    from torch.nn import functional as F

    from diptych.convert.torch.tracing import graph_of

    class Baked(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.gru = torch.nn.GRU(3, 4)

        def forward(self, x):
            return self.gru(x, torch.zeros(1, 2, 4))[0]

    class AlwaysDropping(Baked):
        def forward(self, x):
            return self.gru(F.dropout(x, 0.5))[0]

    with pytest.raises(RefusalError, match="bakes in the batch size"):
        graph_of(Baked(), None)
    with pytest.raises(RefusalError, match="dropout stays on after training"):
        graph_of(AlwaysDropping(), None)


def test_dropout_in_training_is_not_certified(tmp_path):
    """keras#19993: once for all steps, or at each step."""
    layer = lstm(recurrent_activation="sigmoid", dropout=0.5)
    graph = read_source(keras_file(tmp_path / "m.h5", [layer], {"lstm": LSTM_WEIGHTS}, "2.2.4"), Asked()).graph
    assert any("dropout acts in training only" in sentence for sentence in graph.uncertified)


def test_a_device_that_computes_otherwise_is_no_party_to_a_certificate():
    """pytorch#94754 and others: an LSTM on MPS, wrong in two directions; the judge is NumPy, wherever a model runs."""
    model = graphs.one_layer(BOTH)
    trial = make_trial(model)
    sequence = Ref("layer", "sequence")
    wrong = trial.values[sequence].copy()
    wrong[..., 3:] = 0.0
    party = Party("the model on MPS", outputs=[trial.values[Ref("dense")]], float32=[], values={sequence: wrong},
                  gradients={}, stepped=None)  # fmt: skip
    with pytest.raises(CertificateError, match=r"the model on MPS and the judge.* at layer.sequence, row 0, step 0"):
        demand(compare(model, trial, [party], rate=0.125))


def test_a_row_that_is_masked_from_end_to_end_keeps_its_state():
    """tf#43103, #36139, pytorch#4582: the initial state, and outputs of zero."""
    model = graphs.one_layer(LSTM, states=True)
    x = np.ones((2, 3, 3))
    x[1] = 0
    h, c = np.full((2, 3), 0.3), np.full((2, 3), -0.7)
    values = run(model, {"x": x, "h0": h, "c0": c})
    assert np.array_equal(values[Ref("layer", "h")][1], h[1])
    assert np.array_equal(values[Ref("layer", "c")][1], c[1])
    assert not values[Ref("layer", "sequence")][1].any()


def test_a_mask_with_a_hole_skips_the_step():
    """tf2onnx#1871: mask 1, 0, 1 is not a length of two."""
    model = graphs.one_layer(GRU)
    x = np.random.default_rng(0).normal(size=(1, 3, 3))
    x[0, 1] = 0
    holed = run(model, {"x": x})[Ref("layer", "h")]
    assert np.array_equal(holed, run(model, {"x": x[:, [0, 2]]})[Ref("layer", "h")])
    assert not np.allclose(holed, run(model, {"x": x[:, :2]})[Ref("layer", "h")])
