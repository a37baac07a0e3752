"""Models of any size as their frameworks write them, for `convert_bounds.py`: an embedding, two LSTMs and a classifier.

`benchmarks/convert_large.py KIND SIZE FOLDER` writes one kind, each in a process of its own: "tf-keras" (.h5),
"pytorch" (.pt, .safetensors and .onnx), "keras" (.keras), "frozen" (.pb), "saved-model" (a folder; by tf.keras 2.5 to
2.15, so with the Python of another environment).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
Sizes = tuple[int, int, int]
CLASSES = 10


def of_tf_keras(path: Path, sizes: Sizes) -> None:
    """PATH.h5 as tf.keras 2.9 wrote it, and its weights alone as .safetensors and .npz, for inspection."""
    import h5py
    from safetensors.numpy import save_file

    words, width, hidden = sizes
    draw = np.random.default_rng(0)
    lstm = {"units": hidden, "recurrent_activation": "sigmoid", "return_sequences": True}
    embedding = {"input_dim": words, "output_dim": width, "mask_zero": True, "batch_input_shape": [None, None]}
    layers: list[tuple[str, str, dict[str, Any], dict[str, tuple[int, ...]]]] = [
        ("Embedding", "embedding", embedding, {"embeddings:0": (words, width)})
    ]
    for number, size in enumerate((width, hidden)):
        shapes = {"kernel:0": (size, 4 * hidden), "recurrent_kernel:0": (hidden, 4 * hidden), "bias:0": (4 * hidden,)}
        layers.append(("LSTM", f"lstm_{number}", lstm, shapes))
    layers.append(("Dense", "dense", {"units": CLASSES}, {"kernel:0": (hidden, CLASSES), "bias:0": (CLASSES,)}))
    arrays = {}
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        config = [{"class_name": kind, "config": {"name": name, **config}} for kind, name, config, _ in layers]
        file.attrs["keras_version"], file.attrs["backend"] = "2.9.0", "tensorflow"
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"name": "s", "layers": config}})
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([name.encode() for _, name, _, _ in layers])
        for _, name, _, shapes in layers:
            own = group.create_group(name)
            own.attrs["weight_names"] = np.array([f"{name}/{weight}".encode() for weight in shapes])
            for weight, shape in shapes.items():
                arrays[f"{name}/{weight}"] = draw.standard_normal(shape, np.float32) * np.float32(0.05)
                own.create_dataset(f"{name}/{weight}", data=arrays[f"{name}/{weight}"])
    save_file(arrays, path.with_name(f"{path.name}-bare.safetensors"))
    np.savez(path.with_suffix(".npz"), **{name.replace("/", "."): array for name, array in arrays.items()})


def network(words: int, width: int, hidden: int) -> Any:
    """The same in PyTorch."""
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(words, width)
            self.lstm = nn.LSTM(width, hidden, num_layers=2, batch_first=True)
            self.dense = nn.Linear(hidden, CLASSES)

        def forward(self, ids: Any) -> Any:
            return self.dense(self.lstm(self.embedding(ids))[0])

    return Network()


def of_pytorch(path: Path, sizes: Sizes) -> None:
    """A state dict, twice, and the file that torch.onnx writes."""
    import torch
    from safetensors.torch import save_file

    module = network(*sizes).eval()
    torch.save(module.state_dict(), path.with_suffix(".pt"))
    save_file(module.state_dict(), path.with_suffix(".safetensors"))
    given = torch.zeros(2, 5, dtype=torch.long)
    names = {"input_names": ["ids"], "output_names": ["scores"], "dynamic_axes": {"ids": {0: "batch", 1: "time"}}}
    torch.onnx.export(module, (given,), path.with_suffix(".onnx"), dynamo=False, opset_version=17, **names)


def of_keras(path: Path, sizes: Sizes) -> None:
    """An archive of Keras 3; a SavedModel of tf.keras, where that is the one installed."""
    import keras

    words, width, hidden = sizes
    layers = keras.layers
    model = keras.Sequential([
        layers.Embedding(words, width, mask_zero=True), layers.LSTM(hidden, return_sequences=True),
        layers.LSTM(hidden, return_sequences=True), layers.Dense(CLASSES),
    ])  # fmt: skip
    model(np.zeros((2, 5), np.int32))
    if keras.__version__.startswith("3."):
        model.save(path.with_suffix(".keras"))
    else:
        model.save(path, save_format="tf", include_optimizer=False)


def of_tensorflow_1(path: Path, sizes: Sizes) -> None:
    """A frozen graph as TensorFlow's own dynamic_rnn builds it; what is left of it in today's package writes it."""
    import tensorflow.compat.v1 as tf
    from tensorflow.python.keras.layers.legacy_rnn.rnn_cell_impl import BasicLSTMCell, MultiRNNCell
    from tensorflow.python.ops.rnn import dynamic_rnn

    words, width, hidden = sizes
    tf.disable_v2_behavior()
    ids = tf.placeholder(tf.int32, [None, None], name="ids")
    x = tf.nn.embedding_lookup(tf.get_variable("embedding", [words, width]), ids)
    outputs, _ = dynamic_rnn(MultiRNNCell([BasicLSTMCell(hidden), BasicLSTMCell(hidden)]), x, dtype=tf.float32)
    weight, bias = tf.get_variable("weight", [hidden, CLASSES]), tf.get_variable("bias", [CLASSES])
    tf.add(tf.matmul(outputs[:, -1], weight), bias, name="scores")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        frozen = tf.graph_util.convert_variables_to_constants(session, session.graph_def, ["scores"])
    path.with_suffix(".pb").write_bytes(frozen.SerializeToString())


WRITERS = {"tf-keras": of_tf_keras, "pytorch": of_pytorch, "keras": of_keras, "frozen": of_tensorflow_1,
           "saved-model": of_keras}  # fmt: skip


def __getattr__(name: str) -> Any:
    """The PyTorch classes of the two sizes, as `--module convert_large:large` asks for them."""
    if name not in SIZES:
        raise AttributeError(name)
    return lambda: network(*SIZES[name])


SIZES: dict[str, Sizes] = {"large": (40_000, 256, 1024), "small": (40, 4, 4)}


if __name__ == "__main__":
    kind, size, folder = sys.argv[1:]
    WRITERS[kind](Path(folder) / size, SIZES[size])
