"""Ten recurrent models as people have them, for `convert_tools.py`: five of PyTorch, five of Keras; their inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

OF_PYTORCH = {
    "lstm": "LSTM, Linear", "packed": "bidirectional GRU of two layers, packed", "projected": "LSTM with proj_size",
    "time-first": "RNN with relu, time first, h0 given", "step": "one step of a decoder with attention",
}  # fmt: skip
OF_KERAS = {
    "masked": "masked LSTM (mask_zero), padding and a hole", "bidirectional": "masked bidirectional GRU, its sequence",
    "reset-before": "GRU, reset_after=False", "legacy": "Keras 2.2.4's .h5: LSTM with its hard_sigmoid",
    "backward": "LSTM with go_backwards, its sequence; AdditiveAttention",
}  # fmt: skip
DRAW = np.random.default_rng(0)
IDS = np.array([[3, 1, 4, 1, 5, 2], [2, 6, 5, 3, 0, 0], [5, 0, 3, 2, 0, 0], [4, 4, 0, 0, 0, 0]])
NUMBERS = DRAW.normal(0, 2, (4, 6, 3)).astype(np.float32)


def of_pytorch() -> dict[str, tuple[Any, tuple[Any, ...]]]:
    """Modules in evaluation mode, and what they are given."""
    import torch
    from torch import nn
    from torch.nn.utils import rnn

    class First(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.dense = nn.LSTM(3, 5, batch_first=True), nn.Linear(5, 2)

        def forward(self, x: Any) -> Any:
            return self.dense(self.lstm(x)[0])

    class Packed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(8, 4)
            self.gru = nn.GRU(4, 5, num_layers=2, bidirectional=True, batch_first=True)

        def forward(self, ids: Any, lengths: Any) -> Any:
            packed = rnn.pack_padded_sequence(self.embedding(ids), lengths, batch_first=True)
            outputs, hidden = self.gru(packed)
            return rnn.pad_packed_sequence(outputs, batch_first=True)[0], torch.cat((hidden[-2], hidden[-1]), dim=1)

    class Projected(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(3, 5, proj_size=2, batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.lstm(x)[0]

    class TimeFirst(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.RNN(3, 5, nonlinearity="relu")

        def forward(self, x: Any, h: Any) -> Any:
            return self.rnn(x, h)

    class Step(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.cell = nn.Embedding(8, 4), nn.GRUCell(4, 5)
            self.score, self.dense = nn.Linear(5, 5, bias=False), nn.Linear(10, 8)

        def forward(self, token: Any, h: Any, memory: Any) -> Any:
            h = self.cell(self.embedding(token), h)
            weights = torch.softmax(torch.bmm(memory, self.score(h).unsqueeze(2)).squeeze(2), dim=1)
            context = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)
            return self.dense(torch.cat([h, context], dim=1)), h

    torch.manual_seed(0)
    x, ids = torch.from_numpy(NUMBERS), torch.from_numpy(IDS)
    h = torch.randn(4, 5)
    found = {
        "lstm": (First(), (x,)), "packed": (Packed(), (ids, torch.tensor([6, 4, 4, 2]))),
        "projected": (Projected(), (x,)), "time-first": (TimeFirst(), (x.transpose(0, 1).contiguous(), h[None])),
        "step": (Step(), (ids[:, 0], h, torch.randn(4, 6, 5))),
    }  # fmt: skip
    for module, _ in found.values():
        module.eval()
    return found


def of_keras(folder: Path) -> dict[str, tuple[Any, list[Any]]]:
    """Models with weights that no initial value has, and what they are given; the legacy file lies in the folder."""
    import keras

    layers = keras.layers
    x = keras.Input((6, 3))
    read = layers.LSTM(5, go_backwards=True, return_sequences=True)(x)
    found = {
        "masked": (keras.Sequential([keras.Input((6,), dtype="int32"), layers.Embedding(8, 4, mask_zero=True),
                                     layers.LSTM(5), layers.Dense(2)]), [IDS.astype(np.int32)]),
        "bidirectional": (keras.Sequential([keras.Input((6,), dtype="int32"), layers.Embedding(8, 4, mask_zero=True),
                                            layers.Bidirectional(layers.GRU(5, return_sequences=True))]),
                          [IDS.astype(np.int32)]),
        "reset-before": (keras.Sequential([keras.Input((6, 3)), layers.GRU(5, reset_after=False)]), [NUMBERS]),
        "backward": (keras.Model(x, layers.AdditiveAttention()([read, read])), [NUMBERS]),
    }  # fmt: skip
    draw = np.random.default_rng(1)
    for model, _ in found.values():
        for weight in model.weights:
            weight.assign(draw.normal(0, 0.6, weight.shape))
    legacy(folder / "legacy.h5")
    return found


def legacy(path: Path) -> dict[str, Any]:
    """A file of Keras 2.2.4, and its weights by name."""
    import h5py

    draw = np.random.default_rng(2)
    shapes = {"lstm/kernel:0": (3, 20), "lstm/recurrent_kernel:0": (5, 20), "lstm/bias:0": (20,)}
    weights = {name: draw.normal(0, 0.8, shape).astype(np.float32) for name, shape in shapes.items()}
    config = {"name": "lstm", "units": 5, "activation": "tanh", "recurrent_activation": "hard_sigmoid",
              "return_sequences": True, "batch_input_shape": [None, 6, 3]}  # fmt: skip
    model = {"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": "LSTM", "config": config}]}}
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = "2.2.4", "tensorflow"
        file.attrs["model_config"] = json.dumps(model)
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"lstm"])
        own = group.create_group("lstm")
        own.attrs["weight_names"] = np.array([name.encode() for name in weights])
        for name, array in weights.items():
            own.create_dataset(name, data=array)
    return weights


def legacy_outputs(weights: dict[str, Any]) -> Any:
    """What Keras 2.2.4 gave for NUMBERS: clip(0.2 x + 0.5, 0, 1) for the gates, in the order i, f, c, o."""
    kernel, recurrent, bias = (value.astype(np.float64) for value in weights.values())
    h = c = np.zeros((len(NUMBERS), 5))
    outputs = []
    for time in range(NUMBERS.shape[1]):
        gates = NUMBERS[:, time].astype(np.float64) @ kernel + h @ recurrent + bias
        i, f, g, o = np.split(gates, 4, axis=1)
        i, f, o = (np.clip(0.2 * gate + 0.5, 0, 1) for gate in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, axis=1)


def keep(folder: Path, name: str, given: list[Any], outputs: list[Any]) -> None:
    """What a model is given and gives."""
    arrays = {f"input{n}": one for n, one in enumerate(given)} | {f"output{n}": one for n, one in enumerate(outputs)}
    np.savez(folder / f"{name}.npz", **arrays)


def kept(folder: Path, name: str) -> tuple[list[Any], list[Any]]:
    """The same, read."""
    with np.load(folder / f"{name}.npz") as file:
        return tuple([file[key] for key in sorted(file) if key.startswith(part)] for part in ("input", "output"))  # type: ignore[return-value]
