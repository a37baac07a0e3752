"""ONNX files of every kind of model: what the runtime makes of them is what the reference computes."""

from dataclasses import replace

import numpy as np
import pytest

from diptych.errors import CertificateError
from diptych.export.certificate import demand
from diptych.export.exporting import export
from diptych.export.onnx import decoder, encoder
from diptych.export.onnx.products import quantized
from diptych.export.onnx.target import OnnxTarget
from diptych.export.trial import Trial, outputs
from diptych.exported.runtime import session
from diptych.exported.stepper import Stepper
from diptych.onnx.cutting import without

from .conftest import KINDS

pytest.importorskip("onnxruntime")
TARGET = OnnxTarget(whole="greedy", threads=1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_is_what_the_reference_computes(kind, trained, tmp_path):
    model = trained(kind)
    TARGET.write(model, tmp_path)
    checks = TARGET.certify(model, tmp_path)
    demand(checks)
    assert len(checks) == 8  # a batch, four rows by themselves, two searches, the whole graph
    assert max(check.gap for check in checks) < 1e-5


@pytest.mark.parametrize("kind", ["gru, two layers, general, fed", "lstm, concat, fed", "gru, all tied"])
def test_int8_is_near_and_is_int8(kind, trained, tmp_path):
    onnx = pytest.importorskip("onnx")
    model, target = trained(kind), replace(TARGET, int8=True)
    target.write(model, tmp_path)
    checks = target.certify(model, tmp_path)
    demand(checks)
    assert 0.0 < max(check.gap for check in checks) < 0.02
    nodes = [node.op_type for node in onnx.load(tmp_path / "decoder_model.onnx").graph.node]
    assert "Gemm" not in nodes
    fusing = [name for name in model.parameters if "weight" in name and name.startswith(("decoder.layers", "output"))]
    assert nodes.count("MatMulInteger") >= len(fusing)
    session(tmp_path / "decoder_model.onnx", 1, "cpu", tmp_path / "quick.onnx")
    quick = [node.op_type for node in onnx.load(tmp_path / "quick.onnx").graph.node]
    fused = quick.count("DynamicQuantizeMatMul") + quick.count("MatMulIntegerToFloat")
    assert (fused, "MatMulInteger" in quick) == (nodes.count("MatMulInteger"), False)


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_are_valid_and_their_shapes_follow(kind, trained, tmp_path):
    onnx = pytest.importorskip("onnx")
    TARGET.write(trained(kind), tmp_path)
    for path in tmp_path.iterdir():
        onnx.checker.check_model(onnx.load(path), full_check=True)


@pytest.mark.parametrize(
    ("module", "name", "value", "kind"),
    [
        (encoder, "ONNX_GATES", {"gru": "rzn", "lstm": "ifog", "rnn": "n"}, "gru, additive"),
        (encoder, "ONNX_GATES", {"gru": "zrn", "lstm": "ifgo", "rnn": "n"}, "lstm, concat, fed"),
        (decoder.np, "inf", 0.0, "gru, additive"),  # padding is looked at
    ],
)
@pytest.mark.parametrize("int8", [False, True])
def test_a_fault_in_the_graph_is_not_certified(module, name, value, kind, int8, trained, tmp_path, monkeypatch):
    model, target = trained(kind), replace(TARGET, int8=int8)
    with monkeypatch.context() as patch:
        patch.setattr(module, name, value)
        target.write(model, tmp_path)
    with pytest.raises(CertificateError, match=f"a batch of four lengths, ONNX Runtime in {target.precision}"):
        demand(target.certify(model, tmp_path))


@pytest.mark.parametrize("name", ["weight_ih", "weight_hh"])
@pytest.mark.parametrize("kind", ["gru, additive", "lstm, concat, fed", "lstm, no attention", "gru, all tied"])
def test_gates_swapped_in_int8_are_not_certified(kind, name, trained, tmp_path):
    model, target = trained(kind), replace(TARGET, int8=True)
    name = f"decoder.layers.0.{name}"
    turned = np.roll(model.parameters[name], 5, axis=0)
    target.write(replace(model, parameters={**model.parameters, name: turned}), tmp_path)
    with pytest.raises(CertificateError, match="the usual gap of log-probabilities"):
        demand(target.certify(model, tmp_path))


def test_padding_and_neighbours_change_nothing(trained, tmp_path):
    model = trained("lstm, concat, fed")
    TARGET.write(model, tmp_path)
    stepper, trial = Stepper(tmp_path, 1, "cpu"), Trial.of(model)
    whole = outputs(stepper, trial)
    wider = outputs(stepper, replace(trial, source=np.pad(trial.source, ((0, 0), (0, 3)))))
    np.testing.assert_allclose(wider["log_probabilities"], whole["log_probabilities"], atol=2e-6)
    assert not wider["attention"][..., trial.source.shape[1] :].any()
    turned = outputs(stepper, Trial(trial.source[::-1], trial.lengths[::-1], trial.tokens[::-1]))
    np.testing.assert_allclose(turned["log_probabilities"][::-1], whole["log_probabilities"], atol=2e-6)


@pytest.mark.parametrize("largest", [127, 64])
def test_numbers_of_one_byte_are_within_half_a_step(largest):
    values = np.random.default_rng(0).normal(size=(5, 40))
    values[3] = 0.0
    numbers, scales = quantized(values, largest)
    assert np.abs(numbers * scales - values).max() <= (0.5 + 1e-6) * scales.max()
    assert np.abs(numbers).max(axis=1).tolist() == [largest, largest, largest, 0, largest]


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("kind", ["lstm, concat, fed", "gru, all tied"])
def test_a_graph_is_cut_before_its_output_layer(kind, int8, trained, tmp_path):
    onnx = pytest.importorskip("onnx")
    replace(TARGET, int8=int8).write(trained(kind), tmp_path)
    whole = (tmp_path / "decoder_model.onnx").read_bytes()
    cut = onnx.load_from_string(without(whole, "log_probabilities"))
    onnx.checker.check_model(cut, full_check=True)
    before, after = onnx.load_from_string(whole).graph, cut.graph
    assert [each.name for each in after.output] == [
        each.name for each in before.output if each.name != "log_probabilities"
    ]
    assert [each.name for each in after.input] == [each.name for each in before.input]
    assert "LogSoftmax" not in [node.op_type for node in after.node]
    assert not [each.name for each in after.initializer if each.name.startswith("output_layer")]
    used = {name for node in after.node for name in node.input}
    assert {each.name for each in after.initializer} <= used
    assert onnx.load_from_string(without(whole, "no such output")) == onnx.load_from_string(whole)


def test_rows_that_stay_in_their_sentences_copy_no_memory(trained, tmp_path):
    model = trained("gru, two layers, general, fed")
    TARGET.write(model, tmp_path)
    stepper, trial = Stepper(tmp_path, 1, "cpu"), Trial.of(model)
    state = stepper.reorder(stepper.start(trial.source, trial.lengths), np.repeat(np.arange(4), 2))
    _, _, state = stepper.step(state, trial.tokens[np.repeat(np.arange(4), 2), 0])
    turned = stepper.reorder(state, np.array([1, 0, 2, 2, 5, 4, 7, 7]))
    assert all(turned.memory[name] is value for name, value in state.memory.items())
    moved = stepper.reorder(state, np.array([2, 3]))
    for name, value in state.memory.items():
        np.testing.assert_array_equal(moved.memory[name], value[[2, 3]])


def test_sums_in_int8_fit_the_numbers_in_which_they_are_made(trained, tmp_path):
    """Two products of a byte with a byte are added in int16 where a processor has no VNNI, and cut off there."""
    onnx = pytest.importorskip("onnx")
    for kind in KINDS:
        replace(TARGET, int8=True).write(trained(kind), tmp_path)
        graph = onnx.load(tmp_path / "decoder_model.onnx").graph
        values = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
        turned = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Transpose"}
        factors = [values[turned[node.input[1]]] for node in graph.node if node.op_type == "MatMulInteger"]
        assert factors
        for factor in factors:
            assert factor.dtype == np.int8
            assert 2 * 255 * int(np.abs(factor.astype(int)).max()) <= np.iinfo(np.int16).max


@pytest.mark.parametrize(
    "kind", ["gru, two layers, general, fed", "rnn, no attention, no attentional layer", "gru, all tied"]
)
def test_a_step_restricted_to_some_words_gives_these_alone(kind, trained, tmp_path):
    model, words = trained(kind), np.array([2, 3, 7, 20], np.int32)
    export(model, TARGET, "onnx", tmp_path / "out", scores=False)
    stepper, trial = Stepper(tmp_path / "out", 1, "cpu"), Trial.of(model)
    state = stepper.start(trial.source, trial.lengths)
    restricted = stepper.restrict(state, words)
    for step in range(3):
        fed = np.ascontiguousarray(trial.tokens[:, step])
        whole, looked, state = stepper.step(state, fed)
        found, also, restricted = stepper.step(restricted, fed)
        chosen = whole[:, words].astype(np.float64)
        np.testing.assert_allclose(found, chosen - np.log(np.exp(chosen).sum(axis=1, keepdims=True)), atol=2e-6)
        np.testing.assert_allclose(also, looked, atol=1e-7)
        rows = np.array([3, 1, 0, 2])
        state, restricted = stepper.reorder(state, rows), stepper.reorder(restricted, rows)
