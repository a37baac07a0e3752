"""Files that other people made, where they are at hand: every one is read, and what is known of it is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diptych.convert.files import read_model_file
from diptych.errors import RefusalError

MODELS = Path(__file__).parents[3].parent / "shared" / "data" / "porting" / "models"
pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason=f"no {MODELS}")


def expect(path, *parts):
    model = read_model_file(MODELS / path)
    found = (model.format, str(model.written_by), model.parameters)
    assert found == parts
    return model


def test_g2p_en():
    model = expect("g2p_en/checkpoint20.npz", "npz", "numpy, version not in the file", 834_890)
    assert [(layer.name, layer.kind) for layer in model.layers] == [
        ("enc_emb", "Embedding"), ("enc", "GRU"), ("dec_emb", "Embedding"), ("dec", "GRU"), ("fc", "Linear"),
    ]  # fmt: skip
    assert {(note.key, note.likely) for note in model.notes if note.where == "enc"} == {
        ("gru_gates", "rzn"), ("reset", "after"), ("recurrent_activation", "sigmoid"),
    }  # fmt: skip


def test_one_lstm_in_two_formats():
    """DTLN's first LSTM, from Keras's i, f, c, o to ONNX's i, o, f, c, is the same to the bit."""
    keras = expect("dtln/model.h5", "keras-h5-weights", "tf.keras 2.2.4-tf", 986_753)
    onnx = expect("dtln/model_1.onnx", "onnx", "OnnxMLTools 1.7.0", 363_393)
    kernel = keras.tensors["lstm/lstm/kernel:0"].read()
    i, f, c, o = np.split(kernel.T, 4)
    np.testing.assert_array_equal(onnx.tensors["lstm_4_W"].read()[0], np.concatenate([i, o, f, c]))
    assert [layer.kind for layer in keras.layers].count("LSTM") == 4


def test_ethnicolr_with_its_optimizer():
    model = expect("ethnicolr/census2000_ln_lstm.h5", "keras-h5", "tf.keras 2.5.0", 113_540)
    training = model.training
    assert (training.optimizer, training.step, len(training.slots)) == ("Adam", 337_500, 13)
    assert training.slots["optimizer_weights/Adam/dense/bias/v:0"].read().shape == (4,)


@pytest.mark.parametrize("name", ["gru", "gru_1d", "lstm", "gru_torch", "lstm_torch"])
def test_rtneural(name):
    model = read_model_file(MODELS / f"rtneural/{name}.json")
    assert model.format == ("json-state-dict" if "torch" in name else "rtneural-json")
    assert {"GRU" if "gru" in name else "LSTM"} == {layer.kind for layer in model.layers} & {"GRU", "LSTM"}


def test_a_keras_1_file():
    model = read_model_file(MODELS / "dl4j/modelimport/keras/weights/bidirectional_lstm_theano_1.h5")
    assert str(model.written_by) == "keras 1.2.2"
    assert len(model.layers[0].tensors) == 24
    said = " ".join(note.text for note in model.notes)
    assert "clip(0.2 x + 0.5)" in said
    assert "in the order i, c, f, o" in said


@pytest.mark.parametrize("cell", ["basiclstmcell", "lstmcell", "lstmblockcell", "lstmblockfusedcell"])
def test_tf1_s_cells_tell_their_forget_bias(cell):
    """The folder's name says it: fb2, fB1, fBias2."""
    for path in sorted((MODELS / "dl4j/tf_graphs" / cell).glob("*/frozen_model.pb")):
        folder = path.parent.name.lower()
        bias = 2 if "fb2" in folder or "fbias2" in folder else 1
        said = [note.text for note in read_model_file(path).notes if "forget bias" in note.text]
        assert len(said) == 1, path
        assert f"a forget bias of {bias} is added" in said[0], path


def test_every_graph_and_every_configuration_is_read():
    paths = [*MODELS.rglob("*.pb"), *MODELS.rglob("*_config.json")]
    assert len(paths) >= 30
    for path in paths:
        model = read_model_file(path)
        assert model.layers, path
        for tensor in model.tensors.values():
            assert np.isfinite(tensor.read()).all()


def test_a_tensorflow_lite_model_is_refused():
    with pytest.raises(RefusalError, match="give the model it was made from"):
        read_model_file(MODELS / "dtln/model_1.tflite")


@pytest.mark.slow
def test_every_keras_file_is_read():
    paths = list(MODELS.rglob("*.h5"))
    assert len(paths) >= 20
    for path in paths:
        model = read_model_file(path)
        assert model.format.startswith("keras-h5")
        assert all(layer.kind for layer in model.layers if layer.tensors), path
        assert not [note for note in model.notes if "left over" in note.text], path
