"""An ONNX file, run in a process of its own: by onnxruntime in float32, by onnx's reference in float64.

Neither knows all: onnxruntime has no float64 LSTM, GRU and RNN; the reference leaves `sequence_lens` and activations
other than the default unheeded, so it is given whole rows only, and no file that it would misread. It would hold the
weights three times: so it gets them as inputs, which are views of a file.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from diptych.convert.onnx.separation import separated

TYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(int32)": "int32", "tensor(int64)": "int64",
         "tensor(bool)": "bool", "tensor(float16)": "float16"}  # fmt: skip


def installed() -> list[str]:
    """Which of the two can be imported here."""
    return [name for name in ("onnxruntime", "onnx") if importlib.util.find_spec(name) is not None]


def run_file(folder: str, single: str, double: str, threads: int | None) -> dict[str, Any]:
    """Run a file on the trials that lie in a folder.

    Args:
        folder: with `trial.safetensors` and `whole.safetensors`, which has whole rows only.
        single: the file for onnxruntime.
        double: the file for onnx's reference; one in float32 is widened. "" where it would misread it.
        threads: of onnxruntime.

    Returns:
        The outputs under "float32" and "float64" (of whole rows) as far as there is who computes them, the versions,
        and why something is missing.
    """
    found: dict[str, Any] = {"float32": [], "float64": [], "versions": {}, "missing": []}
    here = installed()
    if "onnxruntime" in here:
        import onnxruntime

        found["versions"]["onnxruntime"] = onnxruntime.__version__
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = threads or 0
        try:
            session = onnxruntime.InferenceSession(single, options, providers=["CPUExecutionProvider"])
            names = [(one.name, TYPES[one.type]) for one in session.get_inputs()]
            found["float32"] = session.run(None, _feeds(names, load_file(Path(folder, "trial.safetensors"))))
            del session  # its weights, before the other reads them
        except Exception as error:  # its own classes, none of which tells more than its text
            found["missing"].append(f"onnxruntime {onnxruntime.__version__} cannot run it: {_line(error)}")
    if "onnx" in here and double:
        import onnx
        from onnx.reference import ReferenceEvaluator

        found["versions"]["onnx"] = onnx.__version__
        try:
            content, weights = separated(Path(double), Path(folder, "reference.safetensors"))
            model = _widened(onnx.load_model_from_string(content))
            own = {*weights, *(tensor.name for tensor in model.graph.initializer)}
            evaluator = ReferenceEvaluator(model)
            names = [(name, "float64") for name in evaluator.input_names if name not in own]
            feeds = _feeds(names, load_file(Path(folder, "whole.safetensors")))
            with np.errstate(all="ignore"):
                found["float64"] = [np.asarray(one) for one in evaluator.run(None, feeds | weights)]
        except Exception as error:
            found["missing"].append(f"onnx's reference {onnx.__version__} cannot run it: {_line(error)}")
    return found


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:300] or type(error).__name__


def _feeds(names: list[tuple[str, str]], trial: dict[str, Any]) -> dict[str, Any]:
    """The trial's inputs by the file's names, in its types; whole numbers and masks keep theirs in float64."""
    values = [value for name, value in sorted(trial.items()) if name.startswith("input.")]
    return {
        name: value if dtype == "float64" and value.dtype.kind in "ib" else value.astype(dtype)
        for (name, dtype), value in zip(names, values, strict=True)
    }


def _widened(model: Any) -> Any:
    """A model in float64: its weights, its constants and its casts."""
    import onnx
    from onnx import numpy_helper

    single, double = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE

    def widen(tensor: Any) -> Any:
        if tensor.data_type in (single, onnx.TensorProto.FLOAT16):
            return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name)
        return tensor

    for tensor in model.graph.initializer:
        tensor.CopyFrom(widen(tensor))
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                attribute.t.CopyFrom(widen(attribute.t))
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == single:
                attribute.i = double
            elif node.op_type == "Constant" and attribute.name in ("value_float", "value_floats"):
                values = attribute.f if attribute.name == "value_float" else list(attribute.floats)
                tensor = numpy_helper.from_array(np.array(values, np.float64))
                node.ClearField("attribute")
                node.attribute.append(onnx.helper.make_attribute("value", tensor))
                break
    return model
