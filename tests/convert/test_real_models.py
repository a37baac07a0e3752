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
from diptych.convert.tf1.evaluation import Evaluation
from diptych.convert.tf1.reading import read_frozen
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


def test_ethnicolr_is_read_whole_with_adam_s_state():
    source = read_source(MODELS / "ethnicolr/census2000_ln_lstm.h5", Asked())
    assert [node.name for node in source.graph.nodes] == ["embedding", "lstm", "dense", "dense_softmax"]
    assert source.adam.step == 337_500
    assert {name: one.shape for name, one in source.adam.second.items()} == {
        name: one.shape for name, one in source.graph.weights().items()
    }
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


FROZEN = sorted((MODELS / "dl4j/tf_graphs").rglob("frozen_model.pb"))


def stored_outputs(path):
    """What TensorFlow gave: by tensor, the numbers."""
    files = sorted(path.parent.rglob("*.prediction.csv"))
    names = [str(file.relative_to(path.parent)).removesuffix(".prediction.csv").replace(".", ":") for file in files]
    return {name: np.loadtxt(file, delimiter=",").ravel() for name, file in zip(names, files)}


def case_of(path):
    return str(path.parent.relative_to(MODELS / "dl4j/tf_graphs"))


@pytest.mark.parametrize("path", FROZEN, ids=case_of)
def test_a_frozen_graph_gives_its_stored_outputs(path):
    """Run operator by operator, and as it is read; units that neither framework has are refused by name."""
    file, stored = read_model_file(path), stored_outputs(path)
    evaluation = Evaluation(file.architecture, {})
    assert all(np.abs(evaluation.tensor(name).ravel() - value).max() < 3e-7 for name, value in stored.items())
    inputs = [name for name in ("in_0", "in_1", "in_2", "in_3", "in_4") if name in file.tensors]
    if "srucell" in str(path):
        with pytest.raises(RefusalError, match="sru_cell/.* is not understood"):
            read_frozen(file, inputs)
        return
    graph = read_frozen(file, inputs, list(stored))
    assert len(graph.inputs) == len(inputs)
    found = run(graph, {given.name: file.tensors[name].read() for given, name in zip(graph.inputs, inputs)})
    for (name, value), ref in zip(stored.items(), graph.outputs.values()):
        assert np.abs(found[ref].ravel() - value).max() < 3e-7, name


def test_there_are_34_frozen_graphs_with_71_outputs():
    assert (len(FROZEN), sum(len(stored_outputs(path)) for path in FROZEN)) == (34, 71)


def test_a_cell_alone_has_what_its_operators_say():
    """The folder of this one says sigmoid; its graph says softsign."""
    path = "dl4j/tf_graphs/basicrnncell/dynamic_b1_nIn5_nOut3_ts4_sigmoid_withIS_noTM_double/frozen_model.pb"
    (node,) = graph_of(path, layers=("rnn/basic_rnn_cell",)).nodes
    assert node.kind.activation.name == "softsign"


def test_a_unit_that_neither_framework_has_is_refused():
    case = "dl4j/tf_graphs/srucell/static_b1_n5-3_relu_ts4_withIS_f32/frozen_model.pb"
    with pytest.raises(RefusalError, match="rnn/sru_cell is a SRUCell, which is not converted"):
        graph_of(case, layers=("rnn/sru_cell",))
