"""What the runtimes for ONNX find of a graph's file: a party for the certificate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from diptych.convert import certificate, kinds
from diptych.convert.certificate import LIMIT, Check, Party
from diptych.convert.framework_process import call
from diptych.convert.graph import Graph
from diptych.convert.judge import run
from diptych.convert.onnx.running import installed
from diptych.convert.onnx.writing import with_float32_attributes
from diptych.convert.trial import inputs_that_run

NONE_HERE = "no runtime for ONNX is installed here, so none has run it: pip install onnxruntime onnx"
WHOLE = "masked steps in float64: onnx's reference leaves sequence_lens unheeded and was given whole rows only"


def party_of_file(graph: Graph, name: str, folder: Path, single: Path, double: Path, threads: int | None) -> Party:
    """Run a file.

    Args:
        graph: what the file says.
        name: for people.
        folder: with `trial.safetensors`; more is written there.
        single: the file, for onnxruntime.
        double: the same for onnx's reference.
        threads: of onnxruntime.
    """
    missing: list[str] = []
    if not installed():
        return Party(name, outputs=[], float32=[], values={}, gradients={}, stepped=None, missing=(NONE_HERE,))
    inputs, _ = inputs_that_run(graph, 1, ("whole",))
    save_file(
        {f"input.{number:03}.{one}": np.ascontiguousarray(value) for number, (one, value) in enumerate(inputs.items())},
        folder / "whole.safetensors",
    )
    misread = [node.origin or node.name for node in graph.nodes if not _is_plain(node.kind)]
    if misread:
        missing.append(f"float64: onnx's reference leaves the activations of {', '.join(misread)} unheeded")
    arguments = {
        "folder": str(folder), "single": str(single), "double": "" if misread else str(double), "threads": threads,
    }  # fmt: skip
    found = call("reference", "diptych.convert.onnx.running:run_file", arguments=arguments, threads=threads)
    checks: list[Check] = []
    if found["float64"]:
        rounded = with_float32_attributes(graph)
        values = run(rounded, inputs)
        expected = [values[ref] for ref in graph.outputs.values()]
        what = f"outputs, {name} by onnx's reference and the judge, float64"
        if any(isinstance(node.kind, kinds.Recurrent) and "mask" in node.inputs for node in graph.nodes):
            missing.append(WHOLE)
            what += ", whole rows"
        checks.append(certificate.check(what, zip(graph.outputs, found["float64"], expected), LIMIT))
        if [node.kind for node in rounded.nodes] != [node.kind for node in graph.nodes]:
            missing.append("the last digits of an epsilon or a slope: ONNX keeps them in float32")
    elif "onnx" not in found["versions"] and not misread:
        missing.append("float64: onnx, which has a reference in Python, is not installed")
    if "onnxruntime" not in found["versions"]:
        missing.append("onnxruntime is not installed here and has not run it")
    missing += found["missing"]
    return Party(
        name,
        outputs=[],
        float32=found["float32"],
        values={},
        gradients={},
        stepped=None,
        versions=found["versions"],
        checks=tuple(checks),
        missing=tuple(missing),
    )


def _is_plain(kind: kinds.Kind) -> bool:
    """Whether onnx's reference computes it as the standard says."""
    if not isinstance(kind, kinds.Recurrent):
        return True
    return kind.activation == kinds.TANH and (kind.cell == "rnn" or kind.gate == kinds.SIGMOID)
