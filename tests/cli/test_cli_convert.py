"""`diptych convert` and `diptych certify` from end to end: files of an old Keras, a user's own class, exit codes."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from diptych.cli import main
from diptych.convert import certificate
from diptych.errors import RefusalError

DRAW = np.random.default_rng(7)
WEIGHTS = {
    name: DRAW.normal(size=shape)
    for name, shape in (("kernel:0", (3, 12)), ("recurrent_kernel:0", (4, 12)), ("bias:0", (12,)))
}
needs_pytorch = pytest.mark.usefixtures("with_pytorch")


def old_file(path, **changes):
    """A masked GRU that resets before, as Keras 2.2.4 wrote it."""
    gru = {"name": "gru", "units": 4, "activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": False}
    layers = [
        {"class_name": "Masking", "config": {"name": "masking", "mask_value": 0.0, "batch_input_shape": [None, 5, 3]}},
        {"class_name": "GRU", "config": gru | changes},
    ]
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = "2.2.4", "tensorflow"
        config = {"class_name": "Sequential", "config": {"name": "s", "layers": layers}}
        file.attrs["model_config"] = json.dumps(config)
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"masking", b"gru"])
        group.create_group("masking").attrs["weight_names"] = np.array([], dtype="S1")
        own = group.create_group("gru")
        own.attrs["weight_names"] = np.array([name.encode() for name in WEIGHTS])
        for name, array in WEIGHTS.items():
            own.create_dataset(name, data=array)
    return str(path)


@needs_pytorch
def test_an_old_file_becomes_a_certified_folder(tmp_path, capsys):
    file, out = old_file(tmp_path / "old.h5"), tmp_path / "out"
    assert main(["convert", file, str(out), "--to", "pytorch", "--threads", "1", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((out / "certificate.json").read_text(encoding="utf-8"))
    assert printed["certified"] and printed["largest_gap"] < 1e-12 and printed["device"] == "cpu"
    assert {file.name for file in out.iterdir()} == {"model.py", "model.safetensors", "certificate.json"}
    assert set(printed["to"]["files"]) == {"model.py", "model.safetensors"}
    assert "class ResetBeforeGRU(nn.Module)" in (out / "model.py").read_text(encoding="utf-8")
    assert main(["convert", file, str(out), "--to", "pytorch"]) == 2
    assert "is there already" in capsys.readouterr().err


@needs_pytorch
def test_a_failed_certificate_leaves_the_report_only(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(certificate, "LIMIT", -1.0)
    file, out = old_file(tmp_path / "old.h5"), tmp_path / "out"
    assert main(["convert", file, str(out), "--to", "pytorch", "--threads", "1"]) == 1
    assert "not certified: every layer" in capsys.readouterr().err
    assert sorted(one.name for one in tmp_path.iterdir()) == ["old.h5", "out.report.json"]
    assert not json.loads((tmp_path / "out.report.json").read_text(encoding="utf-8"))["certified"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--assume", "keras"], "expected KEY=VALUE"),
        (["--assume", "gates=rzn"], "--assume gates means nothing"),
        ([], r"argument zoneout = 0.1 is not known"),
    ],
)
def test_what_is_refused_ends_with_two_and_writes_nothing(tmp_path, capsys, arguments, message):
    file = old_file(tmp_path / "old.h5", zoneout=0.1)
    assert main(["convert", file, str(tmp_path / "out"), "--to", "keras", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["old.h5"]


def test_certify_names_what_parts_two_files(tmp_path, capsys):
    right = old_file(tmp_path / "right.h5")
    wrong = old_file(tmp_path / "wrong.h5", recurrent_activation="hard_sigmoid")
    assert main(["certify", right, right]) == 0
    assert "the same numbers" in capsys.readouterr().out
    assert main(["certify", right, wrong]) == 1
    assert "because: gru: its gates have the hard_sigmoid of Keras 1 and 2" in capsys.readouterr().out
    assert main(["certify", right, wrong, "--json", "--limit", "1e-6"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["causes"][0]["where"] == "gru" and found["gap_with_them"] < 1e-12 < found["gap"]


def test_certify_says_what_it_does_not_speak_for(tmp_path, capsys):
    """keras#19993: dropout as Keras 2 and 3 draw it differs in training, which no pair of files shows."""
    dropping, plain = old_file(tmp_path / "a.h5", dropout=0.5), old_file(tmp_path / "b.h5")
    assert main(["certify", dropping, plain]) == 0
    said = capsys.readouterr().out
    assert "the same numbers" in said
    assert "not certified: gru: dropout acts in training only" in said
    assert main(["certify", dropping, plain, "--json"]) == 0
    assert "dropout acts" in json.loads(capsys.readouterr().out)["not_certified"][0]


def test_certify_refuses_a_cell_whose_formula_is_not_known(tmp_path, capsys):
    """tf PR 15861, addons PR 210, pytorch#11335: three formulas of a layer-normalised LSTM."""
    from diptych.convert.files.opening import read_model_file

    right, other = old_file(tmp_path / "a.h5"), tmp_path / "b.h5"
    other.write_bytes((tmp_path / "a.h5").read_bytes())
    with h5py.File(other, "r+") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace('"GRU"', '"LayerNormLSTM"')
    assert read_model_file(other).layers[1].kind == "LayerNormLSTM"
    assert main(["certify", right, str(other)]) == 2
    assert "gru: a layer of class 'LayerNormLSTM' cannot be converted" in capsys.readouterr().err


def test_certify_takes_weights_without_a_class(tmp_path, capsys):
    """The layers are named and the gates' order is answered, as `convert` asks for them."""
    weights = {"a_w_ih": DRAW.normal(size=(12, 3)), "a_w_hh": DRAW.normal(size=(12, 4)),
               "a_b_ih": DRAW.normal(size=12), "a_b_hh": DRAW.normal(size=12)}  # fmt: skip
    np.savez(tmp_path / "a.npz", **weights)
    np.savez(tmp_path / "b.npz", **weights | {"a_b_hh": np.zeros(12)})
    answers = ("gru_gates=rzn", "reset=after", "recurrent_activation=sigmoid")
    asked = ["--layers", "a", *(word for answer in answers for word in ("--assume", answer))]
    assert main(["certify", str(tmp_path / "a.npz"), str(tmp_path / "b.npz"), *asked]) == 1
    assert "because: a: the second bias (bias_hh) is missing" in capsys.readouterr().out
    assert main(["certify", *[str(tmp_path / "a.npz")] * 2, "--module", "a:B", "--module", "a:C", "--module", "d:E"])
    assert "--module was given 3 times, but 2 of the files need a class" in capsys.readouterr().err


@needs_pytorch
def test_a_class_of_the_users_own(tmp_path, capsys, monkeypatch):
    """Its state dict has a prefix, which is taken off aloud; one without a weight is refused."""
    from safetensors.numpy import save_file

    (tmp_path / "own_net.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.gru, self.dense = nn.GRU(3, 4, batch_first=True), nn.Linear(4, 2)\n"
        "    def forward(self, x):\n"
        "        return self.dense(self.gru(x)[0])\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    shapes = {"weight_ih_l0": (12, 3), "weight_hh_l0": (12, 4), "bias_ih_l0": (12,), "bias_hh_l0": (12,)}
    shapes = {f"gru.{name}": shape for name, shape in shapes.items()} | {"dense.weight": (2, 4), "dense.bias": (2,)}
    weights = {f"module.{name}": DRAW.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    save_file(weights, "net.safetensors")
    asked = ["net.safetensors", "out", "--module", "own_net:Net", "--to", "pytorch", "--threads", "1"]
    assert main(["convert", *asked, "--input", "2,7,3"]) == 0
    printed = capsys.readouterr().out
    assert "assumed: the prefix 'module.' was taken off every name" in printed
    assert "every gradient, the PyTorch module and the written PyTorch module" in printed
    save_file({name: value for name, value in weights.items() if "dense.bias" not in name}, "less.safetensors")
    assert main(["convert", "less.safetensors", "out2", *asked[2:]]) == 2
    assert "the file lacks dense.bias" in capsys.readouterr().err


@needs_pytorch
def test_what_a_class_does_to_the_precision_of_a_file_is_said(tmp_path, monkeypatch):
    """float64 is rounded aloud; a class that computes in half precision is refused."""
    from diptych.convert.torch.tracing import graph_of
    from diptych.convert.torch.users import _made

    (tmp_path / "half_net.py").write_text(
        "from torch import nn\ndef single():\n    return nn.Linear(4, 2)\ndef half():\n    return single().half()\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    weights = {"weight": DRAW.normal(size=(2, 4)), "bias": DRAW.normal(size=2)}
    assert _made("half_net:single", weights)[1] == [
        "float64 weights are rounded to float32, in which half_net:single computes"
    ]
    halves = {name: array.astype(np.float16) for name, array in weights.items()}
    made, said = _made("half_net:single", halves)
    assert said == [] and np.array_equal(made.bias.detach().numpy(), halves["bias"].astype(np.float32))
    with pytest.raises(RefusalError, match=r"\w+ is float16: the class computes in half precision"):
        graph_of(_made("half_net:half", halves)[0])


@needs_pytorch
def test_a_class_that_cannot_be_made_is_refused(tmp_path, monkeypatch):
    from diptych.convert.torch.users import _made

    text = "def none():\n    return 3\ndef fails():\n    raise RuntimeError('no')\n"
    (tmp_path / "broken_net.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RefusalError, match="--module broken_net:fails: no. It must be importable"):
        _made("broken_net:fails", {})
    with pytest.raises(RefusalError, match="makes a int; expected an nn.Module"):
        _made("broken_net:none", {})


def test_half_precision_of_weights_alone_is_widened_aloud(tmp_path):
    from diptych.convert.source import Asked, read_source

    array = DRAW.normal(size=(5, 3)).astype(np.float16)
    np.savez(tmp_path / "w.npz", enc_emb=array)
    graph = read_source(tmp_path / "w.npz", Asked(layers=("enc_emb",))).graph
    assert graph.assumptions[-1].startswith("float16 weights are widened")
    assert np.array_equal(graph.weights()["enc_emb.weight"], array.astype(np.float32))


def test_weights_without_a_class_ask_what_to_run(tmp_path, capsys):
    np.savez(tmp_path / "w.npz", a_w_ih=DRAW.normal(size=(12, 3)), a_w_hh=DRAW.normal(size=(12, 4)))
    assert main(["convert", str(tmp_path / "w.npz"), str(tmp_path / "out"), "--to", "keras"]) == 2
    assert "--layers A,B" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "w.npz"), str(tmp_path / "out"), "--to", "keras", "--layers", "b"]) == 2
    assert "has no layer 'b'; it has: a" in capsys.readouterr().err
