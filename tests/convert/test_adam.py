"""Adam's state goes with a model: into the right places, there and back, and a step from it is the formula's."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from safetensors.numpy import save_file

from diptych.convert.adam import Adam
from diptych.convert.source import Asked, read_source
from diptych.convert.targets import write_for

_specification = importlib.util.spec_from_file_location("keras_files", Path(__file__).with_name("keras_files.py"))
files = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(files)
SHAPES = {"gru/kernel:0": (3, 12), "gru/recurrent_kernel:0": (4, 12), "gru/bias:0": (2, 12)}
DENSE = {"dense/kernel:0": (4, 2), "dense/bias:0": (2,)}


def draws(shapes, seed, positive=False):
    draw = np.random.default_rng(seed)
    found = {name: draw.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return {name: value**2 for name, value in found.items()} if positive else found


def file_of_keras(path, optimizer="Adam", slots="training/Adam/{weight}/{slot}:0", **settings):
    """A GRU and a Dense layer in training, as tf.keras 2 wrote them."""
    gru = ("GRU", {"name": "gru", "units": 4, "batch_input_shape": [None, 5, 3], "reset_after": True,
                   "recurrent_activation": "sigmoid"})  # fmt: skip
    layers = [gru, ("Dense", {"name": "dense", "units": 2})]
    weights = {"gru": draws(SHAPES, 0), "dense": draws(DENSE, 1)}
    files.keras_file(path, layers, weights, "2.5.0")
    moments = {"m": draws(SHAPES | DENSE, 2), "v": draws(SHAPES | DENSE, 3, positive=True)}
    with h5py.File(path, "a") as file:
        config = {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-7} | settings
        config = {"optimizer_config": {"class_name": optimizer, "config": config}}
        file.attrs["training_config"] = json.dumps(config)
        group = file.create_group("optimizer_weights")
        names = {
            slots.format(weight=weight.removesuffix(":0"), slot=slot): array
            for slot, arrays in moments.items()
            for weight, array in arrays.items()
        }
        group.attrs["weight_names"] = np.array([b"training/Adam/iter:0", *(name.encode() for name in names)])
        group.create_dataset("training/Adam/iter:0", data=np.int64(7))
        for name, array in names.items():
            group.create_dataset(name, data=array)
    return path, moments


@pytest.mark.parametrize("slots", ["training/Adam/{weight}/{slot}:0", "Adam/{slot}/{weight}:0"])
def test_the_averages_go_where_the_weights_do(tmp_path, slots):
    path, moments = file_of_keras(tmp_path / "m.h5", slots=slots)
    adam = read_source(path, Asked()).adam
    assert adam.settings == {"step": 7, "rate": 0.01, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-7, "decay": 0.0}
    kernel, bias = moments["m"]["gru/kernel:0"], moments["v"]["gru/bias:0"]
    z, r, n = np.split(kernel, 3, axis=1)
    assert np.array_equal(adam.first["gru.weight_ih"], np.concatenate([r, z, n], axis=1).T)
    assert np.array_equal(adam.second["gru.bias_hh"][8:], bias[1, 8:])
    assert np.array_equal(adam.first["dense.weight"], moments["m"]["dense/kernel:0"].T)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"optimizer": "RMSprop"}, "RMSprop's state is not converted, only Adam's is"),
        ({"amsgrad": True}, "amsgrad = True changes what its state means"),
        ({"learning_rate": {"class_name": "ExponentialDecay"}}, "its learning rate is a schedule"),
        ({"slots": "of/nobody/{slot}{weight}"}, "its arrays have not the shapes of the weights"),
    ],
)
def test_what_is_dropped_is_said_with_the_reason(tmp_path, changes, why):
    source = read_source(file_of_keras(tmp_path / "m.h5", **changes)[0], Asked())
    assert source.adam is None
    assert f"(11 arrays) is dropped: {why}; training starts anew" in source.missing[-1]


def stepped(adam, graph, corrected_first):
    gradients = {name: np.random.default_rng(5).normal(size=one.shape) for name, one in graph.weights().items()}
    return gradients, adam.stepped(graph.weights(), gradients, corrected_first)


@pytest.mark.usefixtures("with_pytorch")
def test_a_written_module_goes_on_by_the_formula(tmp_path):
    from diptych.convert.torch.adam import state_of
    from diptych.convert.torch.running import _stepped, load_program

    source = read_source(file_of_keras(tmp_path / "m.h5", epsilon=0.1, optimizer="AdamW", weight_decay=0.3)[0], Asked())
    target = write_for("pytorch", source.graph, "test", source.adam)
    (tmp_path / "model.py").write_text(target.code, encoding="utf-8")
    save_file({name: np.ascontiguousarray(one) for name, one in target.written.weights.items()},
              tmp_path / "model.safetensors")  # fmt: skip
    save_file(state_of(source.adam, target.written), tmp_path / "optimizer.safetensors")
    gradients, expected = stepped(source.adam, source.graph, corrected_first=True)
    places = target.written.names
    found = _stepped(load_program(tmp_path / "model.py"), {places[name]: one for name, one in gradients.items()})
    assert all(np.allclose(found[places[name]], one, rtol=1e-5, atol=1e-6) for name, one in expected.items())
    wrong = stepped(replace(source.adam, step=0), source.graph, corrected_first=True)[1]
    assert not np.allclose(found[places["dense.weight"]], wrong["dense.weight"], rtol=1e-3)


@pytest.mark.usefixtures("both_frameworks")
def test_there_and_back_through_a_keras_archive(tmp_path):
    """The state in a written .keras file is the one that was read, and a step from it is the formula's."""
    from diptych import panel

    panel.load("tensorflow")
    from diptych.convert.keras.program_party import arrays_of_layers
    from diptych.convert.keras.running import _built_from, _compile, _stepped, lend
    from diptych.convert.keras.writing import gradients_of

    source = read_source(file_of_keras(tmp_path / "m.h5", epsilon=0.1)[0], Asked())
    target = write_for("keras", source.graph, "test", source.adam)
    model, _ = _built_from(target.code, "float32")
    lend(model, arrays_of_layers(target.written), tmp_path / "lent")
    _compile(model, target._averages(source.adam))
    model.save(tmp_path / "model.keras")
    back = read_source(tmp_path / "model.keras", Asked()).adam
    assert back.step == 7
    for name in source.adam.first:
        assert np.array_equal(back.first[name], source.adam.first[name])
        assert np.array_equal(back.second[name], source.adam.second[name])
    gradients, expected = stepped(source.adam, source.graph, corrected_first=False)
    given = arrays_of_layers(write_for("keras", source.graph.with_weights(gradients), "").written)
    found = gradients_of(target.graph, target.written, _stepped(model, given))
    assert all(np.allclose(found[name], one, rtol=1e-5, atol=1e-6) for name, one in expected.items())


def test_the_frameworks_differ_in_epsilon_alone():
    weights = {"w": np.array([1.0, -2.0])}
    gradients = {"w": np.array([0.3, 0.1])}
    moments = {"w": np.array([0.1, 0.2])}
    steps = [
        Adam(3, 0.1, (0.9, 0.99), epsilon, 0.0, moments, moments).stepped(weights, gradients, first)["w"]
        for epsilon in (0.0, 1e-2) for first in (True, False)
    ]  # fmt: skip
    assert np.array_equal(steps[0], steps[1])
    assert not np.allclose(steps[2], steps[3], rtol=1e-6)


@pytest.mark.usefixtures("with_pytorch")
def test_a_checkpoint_of_pytorch_has_the_averages_of_its_optimizer(tmp_path, monkeypatch):
    import torch

    from diptych.convert.files.opening import read_model_file
    from diptych.convert.scratch import mapped_arrays, save_arrays
    from diptych.convert.stored import from_plain
    from diptych.convert.torch.adam import adam_of, averages_of
    from diptych.convert.torch.users import read_module_of_user

    code = "from torch import nn\ndef Net():\n    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))\n"
    (tmp_path / "adam_net.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import adam_net

    module = adam_net.Net()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02, eps=1e-3)
    for _ in range(3):
        module(torch.randn(5, 3)).square().sum().backward()
        optimizer.step()
    torch.save({"model": module.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "net.pt")
    file = read_model_file(tmp_path / "net.pt")
    save_arrays(tmp_path / "weights.safetensors", {name: tensor.read() for name, tensor in file.tensors.items()})
    found = read_module_of_user(str(tmp_path), "adam_net:Net", [], averages_of(file.training))
    adam = adam_of(file.training, found["averages"])
    assert (adam.step, adam.rate, adam.epsilon) == (3, 0.02, 1e-3)
    assert set(adam.first) == set(from_plain(found["graph"], mapped_arrays(tmp_path / "graph.safetensors")).weights())
    state = optimizer.state[module[2].weight]
    assert any(np.array_equal(one, state["exp_avg_sq"].numpy()) for one in adam.second.values())


@pytest.mark.usefixtures("both_frameworks")
@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_a_keras_model_is_compiled_with_the_optimizer_that_trained_it(decay):
    from diptych import panel

    panel.load("tensorflow")
    import keras

    from diptych.convert.keras.running import _compile

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")])
    averages = {"dense|0": np.full((3, 2), 0.25), "dense|1": np.full(2, 0.5)}
    settings = {"rate": 0.002, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-6, "decay": decay, "step": 7}
    _compile(model, settings | {"first": averages, "second": averages})
    config = model.optimizer.get_config()
    assert type(model.optimizer).__name__ == ("AdamW" if decay else "Adam")
    told = {name: config[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon")}
    assert told == pytest.approx({name: settings[name.replace("learning_", "")] for name in told})
    assert (config["weight_decay"] or 0.0) == decay and int(model.optimizer.iterations) == 7
    assert np.all(model.optimizer._velocities[0].numpy() == 0.25)
