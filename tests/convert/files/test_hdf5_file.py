"""HDF5 files as Keras 1, 2 and 3 lay them out, written here by h5py, and files that nobody should write."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from diptych.convert.files import read_model_file

h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install 'diptych[convert]'")

LSTM = {"name": "lstm", "units": 3, "recurrent_activation": "hard_sigmoid", "dropout": 0.5, "go_backwards": True}
LAYERS = [
    {"class_name": "Embedding", "config": {"name": "embedding", "input_dim": 5, "output_dim": 2, "mask_zero": True}},
    {"class_name": "LSTM", "config": LSTM},
    {"class_name": "Lambda", "config": {"name": "lambda", "function": ["4wEAAAA", None, None]}},
    {"class_name": "Sparkle", "config": {"name": "mine"}, "registered_name": "Custom>Sparkle"},
    {"class_name": "GRU", "config": {"name": "gru", "units": 3, "reset_after": False}},
    {"class_name": "Dense", "config": {"name": "dense", "units": 2}},
]
WEIGHTS = {
    "embedding": {"embedding/embeddings:0": (5, 2)},
    "lstm": {"lstm/kernel:0": (2, 12), "lstm/recurrent_kernel:0": (3, 12), "lstm/bias:0": (12,)},
    "lambda": {},
    "mine": {},
    "gru": {"gru/kernel:0": (3, 9), "gru/recurrent_kernel:0": (3, 9), "gru/bias:0": (9,)},
    "dense": {"dense/kernel:0": (3, 2), "dense/bias:0": (2,)},
}
SLOTS = {"Adam/iterations:0": (), "Adam/lstm/kernel/m:0": (2, 12), "Adam/lstm/kernel/v:0": (2, 12)}


@pytest.fixture(scope="module")
def arrays():
    generator = np.random.default_rng(1)
    return {
        f"{layer}/{name}": generator.normal(size=shape).astype(np.float32)
        for layer, weights in WEIGHTS.items()
        for name, shape in weights.items()
    }


def write(path, arrays, whole=True, layers=LAYERS, version="2.1.3", vlen=False, long=False, **options):
    """A file as `model.save` or `model.save_weights` of Keras 1 and 2 writes it."""
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if whole else file
        put_names(root, "layer_names", list(WEIGHTS), vlen, long)
        if version:
            file.attrs["keras_version"], file.attrs["backend"] = version, "tensorflow"
        if whole:
            config = {"class_name": "Sequential", "config": layers}
            file.attrs["model_config"] = json.dumps(config)
            optimizer = {"class_name": "Adam", "config": {"lr": 0.01}}
            file.attrs["training_config"] = json.dumps({"optimizer_config": optimizer})
            group = file.create_group("optimizer_weights")
            put_names(group, "weight_names", list(SLOTS), vlen)
            for name, shape in SLOTS.items():
                group[name] = np.int64(7) if not shape else np.ones(shape, np.float32)
        for layer, weights in WEIGHTS.items():
            group = root.create_group(layer)
            put_names(group, "weight_names", list(weights), vlen)
            for name in weights:
                group.create_dataset(name, data=arrays[f"{layer}/{name}"], **options)


def put_names(group, attribute, names, vlen=False, cut=False):
    """Names of fixed width, or as objects; cut into two attributes, as Keras does if they are long."""
    parts = {f"{attribute}0": names[:2], f"{attribute}1": names[2:]} if cut else {attribute: names}
    for key, part in parts.items():
        if vlen:
            group.attrs.create(key, part, dtype=h5py.string_dtype(), shape=(len(part),))
        else:
            group.attrs[key] = [name.encode() for name in part]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"vlen": True, "long": True, "chunks": True, "compression": "gzip", "shuffle": True, "fletcher32": True},
    ],
    ids=["plain", "names as objects, arrays compressed"],
)
def test_a_whole_model_is_read(tmp_path, arrays, check_tensors, options):
    write(tmp_path / "model.h5", arrays, **options)
    model = read_model_file(tmp_path / "model.h5")
    check_tensors(model, arrays)
    assert (model.format, str(model.written_by)) == ("keras-h5", "keras 2.1.3")
    assert [(layer.name, layer.kind) for layer in model.layers] == [
        (each["config"]["name"], each["class_name"]) for each in LAYERS
    ]
    assert model.layers[1].tensors == ("lstm/lstm/kernel:0", "lstm/lstm/recurrent_kernel:0", "lstm/lstm/bias:0")
    training = model.training
    assert (training.optimizer, training.config, training.step) == ("Adam", {"lr": 0.01}, 7)
    assert list(training.slots) == [f"optimizer_weights/{name}" for name in SLOTS]
    said = [(note.where, note.text) for note in model.notes]
    for where, text in [
        ("embedding", "mask_zero"),
        ("lstm", "recurrent_activation is clip(0.2 x + 0.5)"),
        ("lstm", "dropout 0.5"),
        ("lstm", "go_backwards"),
        ("lambda", "never run"),
        ("mine", "Sparkle is no stock layer"),
        ("mine", "Custom>Sparkle"),
        ("gru", "resets before the product"),
    ]:
        assert any(where == place and text in each for place, each in said), (where, text)


def test_weights_only_leave_questions(tmp_path, arrays, check_tensors):
    write(tmp_path / "weights.h5", arrays, whole=False, version=None)
    model = read_model_file(tmp_path / "weights.h5")
    check_tensors(model, arrays)
    assert (model.format, model.written_by.version) == ("keras-h5-weights", None)
    assert [layer.kind for layer in model.layers] == ["Embedding", "LSTM", "", "", "GRU", "Dense"]
    asked = [(note.where, note.key, note.likely) for note in model.notes if note.key]
    assert asked == [
        ("embedding", "mask_zero", None),
        ("lstm", "recurrent_activation", None),
        ("gru", "recurrent_activation", None),
    ]
    assert all(len(note.readings) >= 2 for note in model.notes if note.key)


@pytest.mark.parametrize(
    ("version", "framework", "likely"),
    [("2.2.4", "keras", "hard_sigmoid"), ("2.3.1", "keras", "sigmoid"), ("2.2.4-tf", "tf.keras", "sigmoid")],
)
def test_the_version_tells_which_default_is_likely(tmp_path, arrays, version, framework, likely):
    write(tmp_path / "weights.h5", arrays, whole=False, version=version)
    model = read_model_file(tmp_path / "weights.h5")
    assert model.written_by.framework == framework
    assert {note.likely for note in model.notes if note.key == "recurrent_activation"} == {likely}


def test_a_hard_sigmoid_of_an_unknown_version_is_a_question(tmp_path, arrays):
    write(tmp_path / "model.h5", arrays, version=None)
    notes = read_model_file(tmp_path / "model.h5").notes
    (question,) = [note for note in notes if note.key == "hard_sigmoid"]
    assert set(question.readings) == {"keras2", "keras3"}


def test_big_endian_and_scalar_arrays_are_read(tmp_path, check_tensors):
    expected = {"a/b": np.arange(6, dtype=">f4").reshape(2, 3), "c": np.array(2.5), "d": np.zeros((0, 2), np.float32)}
    with h5py.File(tmp_path / "arrays.h5", "w") as file:
        for name, array in expected.items():
            file[name] = array
    check_tensors(read_model_file(tmp_path / "arrays.h5"), expected)


def hostile(build):
    """The bytes of an HDF5 file that `build` fills."""
    file = io.BytesIO()
    with h5py.File(file, "w") as out:
        build(out)
    return file.getvalue()


def cycle(file):
    file.create_group("a")["again"] = file["/"]


def huge(file):
    file.create_dataset("w", (1 << 20, 1 << 16), "f4", chunks=(1024, 1024), compression="gzip")


def unwritten(file):
    file.create_dataset("w", (1 << 20, 1 << 10), "f4")


def elsewhere(file):
    file.create_dataset("w", (16,), "f4", external=[("/etc/passwd", 0, 64)])


def pieces_elsewhere(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "w", (4,))
    file.create_virtual_dataset("w", layout)


def missing_weight(file):
    file.attrs["layer_names"] = [b"lstm"]
    file.create_group("lstm").attrs["weight_names"] = [b"lstm/kernel:0"]


def cyclic_config(file):
    def layer(name, before):
        return {"name": name, "class_name": "Dense", "config": {}, "inbound_nodes": [[[before, 0, 0, {}]]]}

    model = {"class_name": "Functional", "config": {"layers": [layer("a", "b"), layer("b", "a")]}}
    file.attrs["layer_names"], file.attrs["model_config"] = [b"a"], json.dumps(model)
    file.create_group("a")


def deep_config(file):
    depth = 300
    text = '{"class_name":"TimeDistributed","config":{"layer":' * depth + "{}" + "}}" * depth
    file.attrs["layer_names"] = [b"timedistributed_1"]
    file.attrs["model_config"] = '{"class_name":"Sequential","config":[' + text + "]}"
    file.create_group("timedistributed_1")


def same_names(file):
    file.attrs["layer_names"] = [b"a", b"a"]
    file.create_group("a")


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (cycle, "is within itself"),
        (huge, "it is a bomb"),
        (unwritten, "was never written"),
        (elsewhere, "are in another file"),
        (pieces_elsewhere, "are in another file"),
        (missing_weight, "which is not there"),
        (cyclic_config, "the model is a cycle"),
        (deep_config, "nest too deep"),
        (same_names, "no list of different names"),
    ],
)
def test_a_hostile_file_is_refused(refuse, build, said):
    assert said in refuse(hostile(build), "model.h5")


def test_what_is_no_array_is_left_out_by_name(tmp_path):
    path = tmp_path / "links.h5"
    with h5py.File(path, "w") as file:
        file["outside"] = h5py.ExternalLink("/etc/passwd", "/")
        file["soft"] = h5py.SoftLink("/nowhere")
        file["text"] = "words"
        file["w"] = np.ones(2)
        file.attrs["layer_names"] = [b"layer"]
        file.create_group("layer")
    model = read_model_file(path)
    said = " ".join(note.text for note in model.notes)
    for text in ("outside: a ExternalLink, not followed", "soft: a SoftLink", "text: object", "no layer names w"):
        assert text in said
    assert list(model.tensors) == []


@pytest.mark.parametrize("cut", [9, 100, 0.5, 0.98])
def test_a_file_that_was_cut_short_is_refused(tmp_path, arrays, refuse, cut):
    write(tmp_path / "whole.h5", arrays)
    data = (tmp_path / "whole.h5").read_bytes()
    assert refuse(data[: cut if cut > 1 else int(cut * len(data))], "cut.h5")


def test_a_file_named_h5py_beside_the_model_is_not_run(tmp_path, arrays, run_python):
    write(tmp_path / "model.h5", arrays)
    (tmp_path / "h5py.py").write_text("open('witness', 'w')\n", encoding="utf-8")
    program = """
import os, sys
from diptych.convert.files import read_model_file
os.chdir(sys.argv[1])
print(len(read_model_file("model.h5").tensors), "h5py" in sys.modules, os.path.exists("witness"))
"""
    assert run_python(program, tmp_path) == f"{len(arrays)} False False\n"
