"""Files with CuDNNLSTM and CuDNNGRU, from the .h5 to a model of either framework, judged by a cell written here.

cuDNN is given the numbers of each gate's arrays one after the other, and takes them for matrices (H, I) and (H, H); it
adds two biases. The cell does the same with the arrays as they lie in the file, and shares nothing with the converter.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from diptych.convert.conversion import convert
from diptych.convert.judge import run
from diptych.convert.source import Asked, read_source

_specification = importlib.util.spec_from_file_location("keras_files", Path(__file__).with_name("keras_files.py"))
files = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(files)

WIDTH, HIDDEN = 3, 4
X = np.random.default_rng(1).normal(size=(2, 5, WIDTH)) * 2
FRAMEWORKS = {
    "pytorch": """
import torch
found = model.load().double()(torch.from_numpy(x))
found = [one.detach().numpy() for one in (found if isinstance(found, tuple) else (found,))]
""",
    "keras": """
found = model.load()(x.astype("float32"))
found = [np.asarray(one) for one in (found if isinstance(found, (list, tuple)) else [found])]
""",
}
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import model
x = np.load(sys.argv[2])
{run}
np.savez(sys.argv[3], *found)
"""


def arrays(gates, width, seed):
    """A layer's arrays, in float32 as Keras keeps them."""
    draw = np.random.default_rng(seed)
    shapes = {"kernel": (width, gates * HIDDEN), "recurrent_kernel": (HIDDEN, gates * HIDDEN),
              "bias": (2 * gates * HIDDEN,)}  # fmt: skip
    return {name: (draw.normal(size=shape) * 0.7).astype(np.float32) for name, shape in shapes.items()}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cell(named, x, backward=False):
    """Every output of a layer over x (B, T, I), from the arrays of the file; backward ones in the order of the run."""
    kernel, recurrent, bias = (named[name].astype(np.float64) for name in ("kernel", "recurrent_kernel", "bias"))
    gates = kernel.shape[1] // HIDDEN
    size = x.shape[2]
    w = [kernel[:, n * HIDDEN : (n + 1) * HIDDEN].ravel().reshape(HIDDEN, size) for n in range(gates)]
    u = [recurrent[:, n * HIDDEN : (n + 1) * HIDDEN].ravel().reshape(HIDDEN, HIDDEN) for n in range(gates)]
    b, d = bias[: gates * HIDDEN].reshape(gates, HIDDEN), bias[gates * HIDDEN :].reshape(gates, HIDDEN)
    h = c = np.zeros((len(x), HIDDEN))
    found = []
    for time in reversed(range(x.shape[1])) if backward else range(x.shape[1]):
        given = [x[:, time] @ one.T + bias for one, bias in zip(w, b)]
        kept = [h @ one.T + bias for one, bias in zip(u, d)]
        if gates == 4:  # i, f, c, o
            i, f, g, o = (a + b for a, b in zip(given, kept))
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        else:  # z, r, h
            z, r = sigmoid(given[0] + kept[0]), sigmoid(given[1] + kept[1])
            h = z * h + (1 - z) * np.tanh(given[2] + r * kept[2])
        found.append(h)
    return np.stack(found, axis=1)


def file_and_outputs(path):
    """A CuDNNGRU both ways and a CuDNNLSTM over it, as Keras 2.2.4 wrote them, and what they give."""
    forward, backward, lstm = arrays(3, WIDTH, 2), arrays(3, WIDTH, 3), arrays(4, 2 * HIDDEN, 4)
    inner = {"class_name": "CuDNNGRU", "config": {"name": "gru", "units": HIDDEN, "return_sequences": True}}
    layers = [
        ("Bidirectional", {"name": "both", "layer": inner, "merge_mode": "concat",
                           "batch_input_shape": [None, 5, WIDTH]}),
        ("CuDNNLSTM", {"name": "lstm", "units": HIDDEN, "return_sequences": True, "unit_forget_bias": True}),
    ]  # fmt: skip
    weights = {
        "both": {f"both/{end}_gru/{name}:0": array for end, one in (("forward", forward), ("backward", backward))
                 for name, array in one.items()},
        "lstm": {f"lstm/{name}:0": array for name, array in lstm.items()},
    }  # fmt: skip
    files.keras_file(path, layers, weights, "2.2.4")
    joined = np.concatenate([cell(forward, X), cell(backward, X, backward=True)[:, ::-1]], axis=-1)
    return path, cell(lstm, joined)


def test_cudnn_layers_give_what_their_formula_gives(tmp_path):
    path, expected = file_and_outputs(tmp_path / "cudnn.h5")
    graph = read_source(path, Asked()).graph
    (ref,) = graph.outputs.values()
    assert np.abs(run(graph, {"inputs": X})[ref] - expected).max() < 1e-14


@pytest.mark.slow
@pytest.mark.usefixtures("both_frameworks")
@pytest.mark.parametrize(("framework", "limit"), [("pytorch", 1e-13), ("keras", 1e-5)])
def test_cudnn_files_become_models_of_either_framework(tmp_path, framework, limit):
    """The whole way, and back from the files that were written, in a process that has no Diptych in it."""
    path, expected = file_and_outputs(tmp_path / "cudnn.h5")
    made = convert(path, framework, tmp_path / "out")
    assert made.certificate["certified"]
    np.save(tmp_path / "x.npy", X)
    program = PROGRAM.format(run=FRAMEWORKS[framework])
    subprocess.run(
        [sys.executable, "-c", program, tmp_path / "out", tmp_path / "x.npy", tmp_path / "y.npz"], check=True
    )
    with np.load(tmp_path / "y.npz") as found:
        assert np.abs(found["arr_0"] - expected).max() < limit
