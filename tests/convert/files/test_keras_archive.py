"""Keras 3's own formats: by rule here, and as Keras itself writes them."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from diptych.convert.files import read_model_file

h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install 'diptych[convert]'")

# With PyTorch beneath it, which starts sooner than TensorFlow.
WRITE = """
import sys, numpy as np, keras
folder = sys.argv[1]
keras.utils.set_random_seed(1)
inputs = keras.Input((None,), dtype="int32")
hidden = keras.layers.Embedding(7, 3, mask_zero=True)(inputs)
hidden = keras.layers.Bidirectional(keras.layers.GRU(4, return_sequences=True), name="both")(hidden)
hidden = keras.layers.LSTM(5, dropout=0.2, return_sequences=True, name="first")(hidden)
hidden = keras.layers.LSTM(5, name="second")(hidden)
outputs = keras.layers.Dense(2, dtype="bfloat16", name="last")(hidden)
model = keras.Model(inputs, outputs)
model.save(f"{folder}/model.keras")
model.save_weights(f"{folder}/model.weights.h5")
model.save(f"{folder}/model.h5")
named = {f"{layer.name}:{at}": weight for layer in model.layers for at, weight in enumerate(layer.get_weights())}
np.savez(f"{folder}/expected.npz", **{name: np.asarray(weight, np.float32) for name, weight in named.items()})
"""


@pytest.fixture(scope="module")
def written(both_frameworks, tmp_path_factory, run_python):
    """A folder of files that Keras wrote, and each layer's weights in Keras's order."""
    folder = tmp_path_factory.mktemp("keras")
    run_python(WRITE, folder, KERAS_BACKEND="torch")
    expected = {}
    for name, array in np.load(folder / "expected.npz").items():
        expected.setdefault(name.partition(":")[0], []).append(array)
    return folder, expected


def check(model, expected, names):
    """Every layer has exactly its weights: as a set, for a wrapper's two layers may come in either order."""
    layers = {layer.name: layer for layer in model.layers}
    for name, arrays in expected.items():
        found = [model.tensors[each].read() for each in layers[names.get(name, name)].tensors]
        assert len(found) == len(arrays)
        assert all(any(np.array_equal(array, each) for each in found) for array in arrays)


@pytest.mark.slow
def test_keras_s_archive_is_read(written):
    folder, expected = written
    model = read_model_file(folder / "model.keras")
    assert (model.format, model.written_by.framework, model.written_by.version[:2]) == ("keras", "keras", "3.")
    embedding = next(layer.name for layer in model.layers if layer.kind == "Embedding")
    check(model, {key: value for key, value in expected.items() if key != embedding}, {})
    assert [layer.kind for layer in model.layers if layer.tensors] == [
        "Embedding", "Bidirectional", "LSTM", "LSTM", "Dense"
    ]  # fmt: skip
    assert model.architecture["class_name"] == "Functional"
    assert not [note for note in model.notes if "no layer of the configuration" in note.text]
    assert {tensor.dtype for tensor in model.tensors.values()} <= {"float32", "bfloat16"}


@pytest.mark.slow
def test_keras_s_weights_are_read(written):
    folder, expected = written
    model = read_model_file(folder / "model.weights.h5")
    assert model.format == "keras-weights"
    assert sorted(layer.kind for layer in model.layers) == ["Bidirectional(GRU)", "Dense", "Embedding", "LSTM", "LSTM"]
    assert len(model.tensors) == sum(map(len, expected.values()))
    reset = [note.text for note in model.notes if "resets" in note.text]
    assert reset == ["resets after the product (two biases), as its bias's shape (2, 12) shows"]


@pytest.mark.slow
def test_keras_3_s_h5_is_read(written):
    folder, expected = written
    model = read_model_file(folder / "model.h5")
    assert (model.format, model.written_by.framework) == ("keras-h5", "keras")
    check(model, expected, {})


def archive(config, metadata, fill=None, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as out:
        out.writestr("config.json", config if isinstance(config, bytes) else json.dumps(config))
        out.writestr("metadata.json", json.dumps(metadata))
        if fill is not None:
            weights = io.BytesIO()
            with h5py.File(weights, "w") as inner:
                for name, array in fill.items():
                    inner[name] = array
            out.writestr("model.weights.h5", weights.getvalue())
    return file.getvalue()


MODEL = {
    "class_name": "Sequential",
    "config": {"layers": [{"class_name": "LSTM", "config": {"name": f"mine_{number}"}} for number in range(2)]},
    "compile_config": {"optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.5}}},
}
FILL = {
    **{f"layers/lstm{suffix}/cell/vars/{number}": np.full((number + 1,), number, np.float32)
       for suffix in ("", "_1") for number in range(11)},
    "optimizer/vars/0": np.int64(3),
    "optimizer/vars/1": np.float32(0.5),
    "layers/dropout/seed_generator/vars/0": np.zeros(2, np.uint32),
}  # fmt: skip


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "compressed"])
def test_the_twin_by_rule_is_read(read_bytes, compression):
    model = read_bytes(archive(MODEL, {"keras_version": "3.1.0"}, FILL, compression), "model.keras")
    assert [(layer.name, len(layer.tensors)) for layer in model.layers] == [("mine_0", 11), ("mine_1", 11)]
    assert model.layers[1].tensors[10] == "layers/lstm_1/cell/vars/10"
    assert model.tensors["layers/lstm_1/cell/vars/10"].read().tolist() == [10.0] * 11
    assert (model.training.optimizer, model.training.step, len(model.training.slots)) == ("Adam", 3, 3)


def test_weights_of_no_layer_are_told(read_bytes):
    fill = {"layers/gru/cell/vars/0": np.ones(2)}
    notes = read_bytes(archive(MODEL, {}, fill), "model.keras").notes
    assert "no layer of the configuration has layers/gru/cell/vars/0" in [note.text for note in notes]


def test_a_class_of_the_user_s_own_has_its_layers_by_place(read_bytes):
    places = ("gru/cell", "both/forward_layer/cell", "both/backward_layer/cell", "inner/layers/dense")
    fill = {f"{place}/vars/{number}": np.ones((2, 6)) for place in places for number in range(2)}
    config = {"class_name": "Mine", "registered_name": "Custom>Mine", "config": {"units": 2}}
    layers = read_bytes(archive(config, {}, fill), "model.keras").layers
    assert [(layer.name, len(layer.tensors)) for layer in layers] == [
        ("both", 4),
        ("gru", 2),
        ("inner/layers/dense", 2),
    ]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (b"[]", "config.json is a list"),
        (b"{", "not valid JSON"),
        ({"class_name": "Sequential", "config": {"layers": ["LSTM"]}}, "where a layer was expected"),
        ({"class_name": "Sequential", "config": {"layers": [{"class_name": "LSTM", "config": 3}]}}, "configured by 3"),
        (
            {"class_name": "Sequential", "config": {"layers": [{"class_name": "A", "config": {"name": "a"}}] * 2}},
            "two layers are named a",
        ),
    ],
)
def test_a_damaged_configuration_is_refused(refuse, config, said):
    assert said in refuse(archive(config, {}, FILL), "model.keras")


def test_an_archive_without_weights_is_refused(refuse):
    assert "has no model.weights.h5" in refuse(archive(MODEL, {}), "model.keras")
