"""Models that other people made: read into graphs, run by the judge, and compared with the outputs stored beside them.

Where the files are missing the tests are skipped; their twins by rule are in test_reports.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diptych.convert.causes.search import faults
from diptych.convert.files.opening import read_model_file
from diptych.convert.graph import Ref
from diptych.convert.judge import run
from diptych.convert.pair import certify
from diptych.convert.source import Asked, read_source
from diptych.errors import RefusalError

MODELS = Path(__file__).parents[2].parent / "shared" / "data" / "porting" / "models"
pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason=f"no {MODELS}")


def graph_of(name, **asked):
    return read_source(MODELS / name, Asked(**asked)).graph


@pytest.mark.parametrize(
    ("model", "numbers", "layers"),
    [
        ("gru.json", "gru", None),
        ("gru_1d.json", "gru_1d", None),
        ("lstm.json", "lstm", None),
        ("gru_torch.json", "gru_torch", ("gru", "gru2", "dense")),
        ("lstm_torch.json", "lstm_torch", ("lstm", "lstm2", "dense")),
    ],
)
def test_rtneural_gives_its_stored_outputs(model, numbers, layers):
    graph = graph_of(f"rtneural/{model}", layers=layers)
    x, y = (np.loadtxt(MODELS / f"rtneural/{numbers}_{one}_python.csv") for one in "xy")
    (given,) = graph.inputs
    (output,) = graph.outputs.values()
    found = run(graph, {given.name: x.reshape(1, -1, 1)})[output]
    assert np.abs(found.ravel() - y).max() < 1e-6


G2P = {"gru_gates": "rzn", "reset": "after", "recurrent_activation": "sigmoid"}


def test_g2p_is_asked_what_its_names_do_not_say():
    with pytest.raises(RefusalError, match=r"--assume gru_gates=rzn .* or --assume gru_gates=zrn"):
        graph_of("g2p_en/checkpoint20.npz", layers=("enc_emb", "enc"))


@pytest.mark.parametrize(
    ("what", "gap"),
    [
        ("its two biases are summed, which in a GRU is another function", 0.098),
        ("the reset gate acts on the other side of the product", 1.98),
        ("its gates r, z, n lie in the order z, r, n (the order of Keras and ONNX)", 1.99),
    ],
)
def test_g2p_wrongly_ported_is_off_by_what_was_reported(what, gap):
    graph = graph_of("g2p_en/checkpoint20.npz", layers=("enc_emb", "enc"), assume=G2P)
    (planted,) = [fault for fault in faults(graph) if fault.what == what and fault.where == "enc"]
    ids = {"x": np.arange(1, 29)[None]}
    right, wrong = (run(one, ids)[Ref("enc", "sequence")] for one in (graph, planted.graph))
    assert np.abs(right - wrong).max() == pytest.approx(gap, abs=0.6 * gap)
    assert [fault.what for fault in certify(graph, planted.graph).explanation.faults] == [what]


def test_ethnicolr_is_read_whole_and_says_that_adam_is_dropped():
    source = read_source(MODELS / "ethnicolr/census2000_ln_lstm.h5", Asked())
    assert [node.name for node in source.graph.nodes] == ["embedding", "lstm", "dense", "dense_softmax"]
    assert any("Adam" in sentence and "dropped" in sentence for sentence in source.missing)
    assert any("recurrent_dropout acts in training only" in sentence for sentence in source.graph.uncertified)


def test_dtln_has_weights_only():
    with pytest.raises(RefusalError, match="--config"):
        graph_of("dtln/model.h5")
    graph = graph_of("dtln/model.h5", layers=("lstm", "lstm_1", "dense"), assume={"recurrent_activation": "sigmoid"})
    (output,) = graph.outputs.values()
    found = run(graph, {"x": np.random.default_rng(0).normal(size=(1, 4, 257))})[output]
    assert found.shape == (1, 4, 257)


def test_every_keras_file_of_dl4j_is_read():
    files = sorted((MODELS / "dl4j").rglob("*.h5"))
    assert len(files) == 19
    for path in files:
        config = path.with_name(path.name.replace("_weights.h5", "_config.json"))
        asked = Asked(config=config) if config.exists() and config != path else Asked()
        graph = read_source(path, asked).graph
        assert any(node.name.startswith(("lstm", "bidirectional", "simple")) for node in graph.nodes), path


# Of dl4j's frozen graphs: the answers that the graph around a cell gives; outputs in float32.
FROZEN = {
    "basiclstmcell/dynamic_b1_nIn5_nOut3_ts4_tanh_noIS_withTM_fb1_float": {"forget_bias": "1"},
    "basiclstmcell/static_b1_nIn5_nOut3_ts4_tanh_noIS_fb1_float": {"forget_bias": "1"},
    "basicrnncell/dynamic_b1_nIn5_nOut3_ts4_relu_noIS_noTM_float": {"activation": "relu"},
    "basicrnncell/static_b1_nIn5_nOut3_ts4_tanh_noIS_float": {},
    "grublockcellv2/dynamic_b1_n3-2_ts1_noIS_noTM": {},
    "grublockcellv2/dynamic_b1_n5-3_ts4_noIS_withTM": {},
    "grucell/dynamic_b1_nIn5_nOut3_ts4_relu_noIS_noTM_float": {"activation": "relu"},
    "grucell/static_b1_nIn5_nOut3_ts4_tanh_noIS_float": {},
    "lstmblockcell/static_batch1_n3-2_tsLength1_noPH_noClip_fBias1_noIS": {},
    "lstmblockcell/static_batch1_n5-3_tsLength4_noPH_noClip_fBias1_noIS": {},
    "lstmcell/dynamic_b1_nIn5_nOut3_ts4_noPH_clip-0.3-0.4_fB1_Tanh_noIS_float_noTM": {
        "forget_bias": "1", "cell_clip": "0.3",
    },
    "lstmcell/dynamic_b1_nIn5_nOut3_ts4_noPH_noClip_fB1_Tanh_noInitState_float_noTM": {"forget_bias": "1"},
    "lstmcell/dynamic_b2_nIn2_nOut3_ts4_withPH_noClip_fB1_Tanh_noIS_double_noTM": {"forget_bias": "1"},
    "lstmcell/static_batch2_nIn2_nOut3_tsLength4_withPH_noClip_fBias1_Tanh_noInitState_double": {"forget_bias": "1"},
}  # fmt: skip


@pytest.mark.parametrize("case", FROZEN)
def test_a_frozen_cell_of_tensorflow_1_gives_its_stored_outputs(case):
    path = MODELS / "dl4j/tf_graphs" / case / "frozen_model.pb"
    file = read_model_file(path)
    cell = next(layer.name for layer in file.layers if layer.kind)
    graph = read_source(path, Asked(layers=(cell,), assume=FROZEN[case])).graph
    x = file.tensors["in_0"].read()
    x = x.transpose(1, 0, 2) if "withTM" in case else x
    (node,), (given,) = graph.nodes, graph.inputs
    values = run(graph, {given.name: x})
    stored = np.loadtxt(path.with_name("concat.prediction.csv"), delimiter=",").ravel()
    candidates = [values[Ref(node.name, name)] for name in ("sequence", *node.kind.state_names)]
    candidates.append(candidates[0].transpose(1, 0, 2))
    gaps = [np.abs(one.ravel() - stored).max() for one in candidates if one.size == stored.size]
    assert min(gaps) < 3e-7


def test_an_lstm_of_tensorflow_1_asks_for_its_forget_bias():
    with pytest.raises(RefusalError, match="--assume forget_bias=1"):
        graph_of(f"dl4j/tf_graphs/{next(iter(FROZEN))}/frozen_model.pb", layers=("rnn/basic_lstm_cell",))


def test_a_unit_that_neither_framework_has_is_refused():
    case = "dl4j/tf_graphs/srucell/static_b1_n5-3_relu_ts4_withIS_f32/frozen_model.pb"
    with pytest.raises(RefusalError, match="rnn/sru_cell is a SRUCell, which is not converted"):
        graph_of(case, layers=("rnn/sru_cell",))
