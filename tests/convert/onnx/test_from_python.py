"""`diptych.to_onnx`: models that live in this process, written as files and certified."""

from __future__ import annotations

import numpy as np
import pytest

import diptych
from diptych.convert.files.opening import read_model_file
from diptych.errors import CertificateError

pytestmark = pytest.mark.usefixtures("both_frameworks")


def operators(path):
    return [node.operator for node in read_model_file(path).architecture.nodes]


def test_a_module_and_a_model_become_files(tmp_path):
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.gru, self.dense = nn.GRU(3, 4, batch_first=True), nn.Linear(4, 2)

        def forward(self, x):
            return self.dense(self.gru(x)[0])

    module = Net()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    found = diptych.to_onnx(module, tmp_path / "net.onnx", torch.zeros(2, 5, 3))
    assert all(check["holds"] for check in found["checks"])
    assert operators(tmp_path / "net.onnx").count("GRU") == 1
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())

    from diptych import panel

    panel.load("tensorflow")
    import keras

    model = keras.Sequential([keras.layers.Input((5, 3)), keras.layers.LSTM(4)])
    model.layers[0].set_weights([np.random.default_rng(0).normal(size=one.shape) for one in model.get_weights()])
    found = diptych.to_onnx(model, tmp_path / "model.onnx")
    assert any("Keras model" in check["what"] for check in found["checks"])
    assert "LSTM" in operators(tmp_path / "model.onnx")


def test_a_file_that_gives_other_numbers_is_not_written(tmp_path, monkeypatch):
    from torch import nn

    from diptych.convert import certificate

    monkeypatch.setattr(certificate, "LIMIT", -1.0)
    with pytest.raises(CertificateError):
        diptych.to_onnx(nn.Sequential(nn.Linear(3, 2)), tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()
