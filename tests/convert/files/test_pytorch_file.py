"""PyTorch's files: what torch wrote is read as torch reads it; what is not weights only is refused."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile

import numpy as np
import pytest

from diptych.convert.files import read_model_file

WRITE = """
import collections, json, sys, numpy as np, torch
folder = sys.argv[1]
torch.manual_seed(0)
model = torch.nn.Sequential(collections.OrderedDict(
    emb=torch.nn.Embedding(7, 3), gru=torch.nn.GRU(3, 4, 2, bidirectional=True), out=torch.nn.Linear(8, 2),
    norm=torch.nn.LayerNorm(2), batch=torch.nn.BatchNorm1d(2), conv=torch.nn.Conv1d(2, 3, 1),
    cell=torch.nn.RNNCell(2, 3),
))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for parameter in model.parameters():
    parameter.grad = torch.ones_like(parameter)
optimizer.step()
state = model.state_dict()
np.savez(f"{folder}/expected.npz", **{name: tensor.numpy() for name, tensor in state.items()})
whole = {"epoch": 3, "model": state, "optim": optimizer.state_dict(), "notes": {"lr": 0.01, "path": "\\x1b[2J"}}
view = {
    "turned": torch.arange(12.0).reshape(3, 4).T[1:], "parameter": torch.nn.Parameter(torch.ones(2)),
    "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16), "none": torch.zeros(0, 3), "wide": torch.ones(1).expand(5),
}
for kind, modern in (("new", True), ("old", False)):
    for name, value in (("state", state), ("whole", whole), ("view", view), ("list", list(state.values()))):
        torch.save(value, f"{folder}/{kind}-{name}.pt", _use_new_zipfile_serialization=modern)
torch.save(model, f"{folder}/model.pt")
torch.save(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9).state_dict(), f"{folder}/optimizer.pt")
torch.jit.script(torch.nn.Linear(2, 3)).save(f"{folder}/script.pt")
"""


@pytest.fixture(scope="session")
def written(with_pytorch, tmp_path_factory, run_python):
    """A folder of files that torch wrote, and the state dict that is in them."""
    folder = tmp_path_factory.mktemp("pytorch")
    run_python(WRITE, folder)
    return folder, dict(np.load(folder / "expected.npz"))


@pytest.mark.parametrize("kind", ["new", "old"])
def test_a_state_dict_is_read_as_torch_reads_it(written, check_tensors, kind):
    folder, expected = written
    model = read_model_file(folder / f"{kind}-state.pt")
    check_tensors(model, expected)
    assert [(layer.name, layer.kind) for layer in model.layers] == [
        ("emb", "Embedding"), ("gru", "GRU"), ("out", "Linear"), ("norm", "LayerNorm"), ("batch", "BatchNorm1d"),
        ("conv", "Conv1d"), ("cell", "RNNCell"),
    ]  # fmt: skip
    assert [(note.key, note.where, note.likely) for note in model.notes] == [
        ("class", "emb", "Embedding"),
        ("nonlinearity", "cell", "tanh"),
    ]


@pytest.mark.parametrize("kind", ["new", "old"])
def test_a_checkpoint_s_parts_are_told_apart(written, check_tensors, kind):
    folder, expected = written
    model = read_model_file(folder / f"{kind}-whole.pt")
    check_tensors(model, expected)
    assert model.training.optimizer == "Adam or AdamW"
    assert model.training.step == 1
    assert model.training.config["lr"] == 0.01
    moments = [name for name in model.training.slots if name.endswith(".exp_avg")]
    assert len(moments) == len(model.training.order) == len([name for name in expected if "running" not in name]) - 1
    np.testing.assert_allclose(model.training.slots[moments[0]].read(), 0.1, rtol=1e-6)
    said = [note.text for note in model.notes]
    assert "the weights are under model" in said
    assert any("epoch 3" in text and r"\x1b[2J" in text for text in said)


@pytest.mark.parametrize("kind", ["new", "old"])
def test_views_of_a_storage_are_read(written, kind):
    folder, _ = written
    model = read_model_file(folder / f"{kind}-view.pt")
    found = {name: tensor.read() for name, tensor in model.tensors.items()}
    np.testing.assert_array_equal(found["turned"], np.arange(12.0).reshape(3, 4).T[1:])
    np.testing.assert_array_equal(found["half"], [1.5, -2.0])
    np.testing.assert_array_equal(found["wide"], np.ones(5))
    assert found["none"].shape == (0, 3)
    assert model.tensors["half"].dtype == "bfloat16"


def test_tensors_in_a_list_are_named_by_their_place(written):
    folder, expected = written
    assert list(read_model_file(folder / "new-list.pt").tensors) == [str(number) for number in range(len(expected))]


def test_an_optimizer_alone_has_no_weights(written):
    model = read_model_file(written[0] / "optimizer.pt")
    assert (len(model.tensors), model.training.optimizer) == (0, "SGD")


def test_a_whole_model_and_a_program_are_refused_by_name(written, refuse):
    said = refuse((written[0] / "model.pt").read_bytes())
    assert "names torch.nn.modules.container.Sequential" in said
    assert "model.state_dict()" in said
    assert "TorchScript" in refuse((written[0] / "script.pt").read_bytes())


def archive(pickled, **storages):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("archive/data.pkl", pickled)
        for key, data in storages.items():
            out.writestr(f"archive/data/{key}", data)
    return file.getvalue()


def tensor(key="0", count=2, offset=0, shape=(2,), strides=(1,)):
    """The operations that torch writes for one tensor of float32."""

    def number(value):
        return b"\x8a\x08" + value.to_bytes(8, "little", signed=True)

    def group(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n"
        + b"X" + struct.pack("<I", len(key)) + key.encode() + b"X\x03\0\0\0cpu" + number(count) + b"tQ"
        + number(offset) + group(shape) + group(strides) + b"\x89}tR"
    )  # fmt: skip


def state_dict(*tensors):
    items = b"".join(b"X\x01\0\0\0" + bytes([97 + at]) + each for at, each in enumerate(tensors))
    return b"\x80\x02}(" + items + b"u."


def test_the_twin_by_rule_is_read(read_bytes):
    model = read_bytes(archive(state_dict(tensor()), **{"0": struct.pack("<2f", 1.5, -2.0)}))
    assert model.tensors["a"].read().tolist() == [1.5, -2.0]


def test_a_big_endian_archive_is_read(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(archive(state_dict(tensor()), **{"0": struct.pack(">2f", 1.5, -2.0)}))
    with zipfile.ZipFile(path, "a") as out:
        out.writestr("archive/byteorder", "big")
    assert read_model_file(path).tensors["a"].read().tolist() == [1.5, -2.0]


@pytest.mark.parametrize(
    ("pickled", "said"),
    [
        (tensor(shape=(3,)), "reaches beyond its storage"),
        (tensor(offset=1), "reaches beyond its storage"),
        (tensor(strides=(2,)), "reaches beyond its storage"),
        (tensor(count=3, shape=(3,)), "reaches beyond its storage"),
        (tensor(offset=-1), "a tensor of"),
        (tensor(shape=(-1,)), "a tensor of"),
        (tensor(strides=(1, 1)), "strides"),
        (tensor(count=1 << 50), "a storage"),
        (tensor(shape=(1 << 39,), strides=(0,)), "repeats 2 numbers"),
        (tensor(key="1"), "has no archive/data/1"),
        (tensor(key="../../../etc/passwd"), "has no archive/data/../../../etc/passwd"),
    ],
)
def test_a_hostile_tensor_is_refused(refuse, pickled, said):
    assert said in refuse(archive(state_dict(pickled), **{"0": bytes(8)}))


@pytest.mark.parametrize("value", [{}, {"epoch": 3}, [1, 2]])
def test_a_file_without_tensors_is_refused(refuse, value):
    assert "holds no tensors" in refuse(archive(pickle.dumps(value, 2)))


def test_values_that_hold_themselves_are_refused(refuse):
    holder = {}
    holder["self"] = [holder]
    assert "holds itself" in refuse(archive(pickle.dumps(holder, 2)))


def test_values_that_double_at_each_level_are_refused(refuse):
    value = []
    for _ in range(60):
        value = [value, value]
    assert "holds itself, or nests too deep" in refuse(archive(pickle.dumps(value, 2)))


def test_values_that_nest_too_deep_are_refused(refuse):
    assert "nests too deep" in refuse(archive(b"\x80\x02" + b"]" * 50_000 + b"a" * 49_999 + b"."))


def test_another_pickle_is_refused(refuse):
    assert "none of PyTorch's" in refuse(pickle.dumps({"a": 1}, 2))


@pytest.mark.parametrize("cut", [0.2, 0.6, 0.99])
@pytest.mark.parametrize("kind", ["new", "old"])
def test_a_file_that_was_cut_short_is_refused(written, refuse, kind, cut):
    data = (written[0] / f"{kind}-whole.pt").read_bytes()
    assert refuse(data[: int(cut * len(data))])


def test_nothing_is_imported_and_nothing_is_run(written, run_python):
    """An audit hook sees every program that is run: only modules of Python and of this package are."""
    program = """
import json, sys
import diptych
from diptych.convert.files import read_model_file
from diptych.convert.files.contents import contents
events = []
def hear(event, arguments):
    if event in ("compile", "os.system", "subprocess.Popen", "os.exec", "pickle.find_class"):
        events.append(event)
    if event == "exec" and not arguments[0].co_filename.startswith((*own, "<frozen")):
        events.append(f"{event} {arguments[0].co_filename}")
own = (sys.prefix, sys.base_prefix, diptych.__path__[0])
sys.addaudithook(hear)
for path in sys.argv[1:]:
    try:
        contents(read_model_file(path))
    except Exception as error:
        assert type(error).__name__ == "RefusalError", error
loaded = {name.partition(".")[0] for name in sys.modules}
print(json.dumps([sorted(set(events)), sorted(loaded & {"torch", "tensorflow", "keras", "onnx", "h5py"})]))
"""
    paths = sorted(written[0].glob("*.pt"))
    assert len(paths) == 11
    assert json.loads(run_python(program, *paths)) == [[], []]
