"""A conversion's certificate, as it is written and as a converted model carries it: JSON, with its circumstances."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from diptych.convert.certificate import Check, Party
from diptych.convert.graph import Graph
from diptych.convert.trial import Trial
from diptych.processes.environment import environment

ONLY_INFERENCE = "gradients and training: an ONNX file is for inference"
ONE_STEP = "one step of SGD in float64; more of training is certified only as far as the gradients are"
INPUTS = (
    "random numbers of deviation 3; ids of the whole vocabulary; where there is a mask: whole rows, padding on the "
    "right, padding on the left with a hole, a row masked from end to end; where there are lengths: 5, 3, 3 and 1"
)


def document(
    graph: Graph, trial: Trial, parties: list[Party], checks: list[Check], to: str, missing: list[str]
) -> dict[str, Any]:
    """What was compared with what, on which inputs, how far apart it was, what is not certified, and where.

    Args:
        graph: as it was written.
        trial: the inputs.
        parties: who computed beside the judge.
        checks: what came of it.
        to: "pytorch", "keras" or "onnx".
        missing: what is not certified beside what the graph and the parties say.
    """
    here = environment()
    versions = {name: version for party in parties for name, version in party.versions.items()}
    not_certified = [
        *graph.uncertified,
        *missing,
        *(one for party in parties for one in party.missing),
        *unseen(graph),
        ONLY_INFERENCE if to == "onnx" else ONE_STEP,
    ]
    return {
        "certified": all(check.holds for check in checks),
        "checks": [asdict(check) | {"holds": check.holds} for check in checks],
        "largest_gap": max((check.gap for check in checks if "float32" not in check.what), default=None),
        "parties": ["the judge (NumPy, float64, from the formulas)", *(party.name for party in parties)],
        "inputs": {name: list(value.shape) for name, value in trial.inputs.items()} | {"how": INPUTS},
        "assumed": list(graph.assumptions),
        "not_certified": list(dict.fromkeys(not_certified)),
        "device": "cpu",
        "versions": versions | {"numpy": np.__version__, "diptych": here["packages"].get("diptych")},
        "environment": {name: here[name] for name in ("time", "python", "platform", "processor")},
    }


def unseen(graph: Graph) -> list[str]:
    """What these weights cannot show: one that is all zeros could be anywhere, and its places in any order."""
    zeros = [name for name, weight in graph.weights().items() if not weight.any()]
    if not zeros:
        return []
    return [f"the order within weights that are all zero: {', '.join(zeros[:8])}{' ..' if len(zeros) > 8 else ''}"]
