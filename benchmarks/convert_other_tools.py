"""Other tools that convert recurrent models, as `convert_tools.py` asks them: of a folder, a model's name and
what it is given, the outputs of what the tool makes of it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from convert_models import OF_PYTORCH, of_pytorch

Arrays = list[Any]


def listed(found: Any) -> Arrays:
    """A model's outputs as arrays, one or several."""
    return [np.asarray(one) for one in (found if isinstance(found, tuple | list) else [found])]


def keras_model(folder: Path, name: str) -> Any:
    """A Keras model from its file."""
    import keras

    path = folder / f"{name}.keras"
    return keras.saving.load_model(path if path.is_file() else folder / f"{name}.h5", compile=False)


def run_onnx(path: Path, given: Arrays) -> Arrays:
    """A file's outputs by onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    types = {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(int64)": np.int64}
    feeds = {one.name: value.astype(types[one.type]) for one, value in zip(session.get_inputs(), given)}
    found: Arrays = session.run(None, feeds)
    return found


def without_boxes() -> None:
    """Let tools import torchvision, whose compiled part may be for another build of torch: no model here has boxes."""
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    KEPT.append(library)


KEPT: list[Any] = []


def nobuco(folder: Path, name: str, given: Arrays) -> Arrays:
    """PyTorch to Keras."""
    if not KEPT:
        without_boxes()
    import nobuco as tool
    import tensorflow as tf
    import torch

    module, inputs = of_pytorch()[name]
    order = tool.ChannelOrder.PYTORCH
    model = tool.pytorch_to_keras(module, args=list(inputs), inputs_channel_order=order, outputs_channel_order=order)
    del torch
    return listed(model([tf.constant(one) for one in given] if len(given) > 1 else tf.constant(given[0])))


def onnx2tf(folder: Path, name: str, given: Arrays) -> Arrays:
    """ONNX to TensorFlow, from torch.onnx's file."""
    import tensorflow as tf

    _exported(folder, name)
    out = folder / f"{name}-onnx2tf"
    command = [sys.executable, "-m", "onnx2tf", "-i", str(folder / f"{name}.onnx"), "-o", str(out), "-osd", "-n"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=600)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "Error" in line]
        raise RuntimeError(lines[-1] if lines else "it says nothing")
    signature = tf.saved_model.load(str(out)).signatures["serving_default"]
    found = signature(**_by_name(folder / f"{name}.onnx", signature.structured_input_signature[1], given))
    return [np.asarray(one) for one in found.values()]


def _by_name(path: Path, wanted: Any, given: Arrays) -> dict[str, Any]:
    """Inputs as onnx2tf's signature has them: in another order, punctuation replaced, channels and time exchanged."""
    import onnx
    import tensorflow as tf

    def bare(name: str) -> str:
        return "".join(filter(str.isalnum, name))

    places = {bare(name): (name, one) for name, one in wanted.items()}
    found = {}
    for one, value in zip(onnx.load(path).graph.input, given):
        name, form = places[bare(one.name)]
        turned = value.ndim == 3 and tuple(form.shape) == np.moveaxis(value, 1, 2).shape != value.shape
        found[name] = tf.constant(np.moveaxis(value, 1, 2) if turned else value, form.dtype)
    return found


def onnx2torch(folder: Path, name: str, given: Arrays) -> Arrays:
    """ONNX to PyTorch, from torch.onnx's file or, of a Keras model, from Keras's own export."""
    import torch

    if not KEPT:
        without_boxes()
    import onnx2torch as tool

    if name in OF_PYTORCH:
        _exported(folder, name)
    elif not (folder / f"{name}.onnx").is_file():
        raise RuntimeError("no ONNX file: keras.export failed")
    module = tool.convert(str(folder / f"{name}.onnx"))
    return listed(tuple(one.detach().numpy() for one in _tensors(module(*map(torch.from_numpy, given)))))


def _tensors(found: Any) -> list[Any]:
    return list(found) if isinstance(found, tuple | list) else [found]


def _exported(folder: Path, name: str) -> None:
    failed = folder / f"{name}.onnx.error"
    if failed.is_file():
        raise RuntimeError(f"torch.onnx.export failed: {failed.read_text(encoding='utf-8')}")


def tf2onnx(folder: Path, name: str, given: Arrays) -> Arrays:
    """Keras to ONNX, by a function of TensorFlow."""
    import tensorflow as tf
    import tf2onnx as tool

    model = keras_model(folder, name)
    signature = [tf.TensorSpec([None, *one.shape[1:]], one.dtype) for one in given]
    tool.convert.from_function(
        tf.function(lambda x: model(x), input_signature=signature), input_signature=signature, opset=17,
        output_path=str(folder / f"{name}-tf2onnx.onnx"),
    )  # fmt: skip
    return run_onnx(folder / f"{name}-tf2onnx.onnx", given)


def keras_export(folder: Path, name: str, given: Arrays) -> Arrays:
    """Keras to ONNX, by Keras."""
    model = keras_model(folder, name)
    model(given if len(given) > 1 else given[0])  # it exports what has been called
    model.export(str(folder / f"{name}.onnx"), format="onnx", verbose=False)
    return run_onnx(folder / f"{name}.onnx", given)
