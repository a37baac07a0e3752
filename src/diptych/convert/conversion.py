"""A user's model file converted: read, written for the other framework, run there, certified, and put in place."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from diptych.convert import certificate
from diptych.convert.certificate import Check, Party
from diptych.convert.graph import Graph
from diptych.convert.source import Source, read_source
from diptych.convert.torch.party import party_of, variables_of
from diptych.convert.torch.writing import WrittenModule, write_pytorch
from diptych.convert.trial import Trial, arrays_of, make_trial
from diptych.errors import CertificateError, RefusalError
from diptych.panel import is_installed
from diptych.processes.call import call
from diptych.processes.environment import environment
from diptych.storage.place import put_folder, replace_file

RATE = 0.125  # in float32, too: Keras rounds it
ONE_STEP = "one step of SGD in float64; more of training is certified only as far as the gradients are"
INPUTS = (
    "random numbers of deviation 3; ids of the whole vocabulary; where there is a mask: whole rows, padding on the "
    "right, padding on the left with a hole, a row masked from end to end; where there are lengths: 5, 3, 3 and 1"
)


@dataclass(frozen=True, eq=False)
class Conversion:
    """What came of a conversion.

    Attributes:
        source: what was read.
        checks: what was compared.
        certificate: as it is written.
        lines: layer by layer, what became what.
    """

    source: Source
    checks: list[Check]
    certificate: dict[str, Any]
    lines: list[str]


def convert(
    path: Path, to: str, out: Path, assume: Mapping[str, str] | None = None, config: Path | None = None,
    threads: int | None = None,
) -> Conversion:  # fmt: skip
    """Convert a model file into a folder: a readable program, its weights and its certificate.

    Args:
        path: the model file.
        to: "pytorch" or "keras".
        out: the folder; it must not be there.
        assume: answers to what the file leaves open.
        config: of a file with weights only, the Keras config that belongs to them, as JSON.
        threads: of each framework.

    Raises:
        RefusalError: the model, or a part of it, cannot be converted exactly, or the folder is there already.
        CertificateError: what was written does not give the same numbers; `OUT.report.json` says where.
        BackendError: a framework failed, or the one converted to is not installed.
    """
    if out.exists():
        raise RefusalError(f"{out} is there already; choose a new folder")
    source = read_source(path, assume or {}, config)
    return write(source, to, out, threads)


def write(source: Source, to: str, out: Path, threads: int | None = None) -> Conversion:
    """Write, run, certify and put in place what was read."""
    out.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        made = _build(source, to, building, threads)
        text = json.dumps(made.certificate, indent=1, ensure_ascii=False)
        try:
            certificate.demand(made.checks)
        except CertificateError:
            replace_file(out.with_name(f"{out.name}.report.json"), text + "\n")
            raise
        (building / "certificate.json").write_text(text + "\n", encoding="utf-8")
        building.chmod(0o755)
        put_folder(building, out, replace=False)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return made


def _build(source: Source, to: str, building: Path, threads: int | None) -> Conversion:
    graph = source.graph
    written = write_pytorch(graph, f"{source.title}, converted by Diptych; it needs torch and safetensors only.")
    (building / "model.py").write_text(written.code, encoding="utf-8")
    save_file(
        {name: np.ascontiguousarray(value) for name, value in written.weights.items()}, building / "model.safetensors"
    )
    trial = make_trial(graph)
    with tempfile.TemporaryDirectory(prefix="diptych-") as name:
        folder = Path(name)
        save_file(arrays_of(trial), folder / "trial.safetensors")
        for file in ("model.py", "model.safetensors"):
            shutil.copyfile(building / file, folder / file)
        parties = _parties(source, written, folder, threads)
    checks = certificate.compare(graph, trial, parties, RATE)
    return Conversion(
        source, checks, _certificate(source, to, building, trial, parties, checks), _lines(graph, written)
    )


def _parties(source: Source, written: WrittenModule, folder: Path, threads: int | None) -> list[Party]:
    parties = []
    if source.original is not None and is_installed("tensorflow"):
        parties.append(source.original.run(source.graph, folder, threads))
    evidence = call(
        "pytorch", "diptych.convert.torch.running:run_written",
        {"folder": str(folder), "variables": variables_of(written)}, threads, "cpu",
    )  # fmt: skip
    return [*parties, party_of(source.graph, written, evidence)]


def _certificate(
    source: Source, to: str, building: Path, trial: Trial, parties: list[Party], checks: list[Check]
) -> dict[str, Any]:
    here = environment()
    versions = {name: version for party in parties for name, version in party.versions.items()}
    return {
        "certified": all(check.holds for check in checks),
        "from": {"file": source.path.name, "sha256": source.sha256, "written_by": source.written_by},
        "to": {"framework": to, "files": {file.name: _sha256(file) for file in sorted(building.iterdir())}},
        "checks": certificate.to_json(checks),
        "largest_gap": max((check.gap for check in checks if "float32" not in check.what), default=None),
        "parties": ["the judge (NumPy, float64, from the formulas)", *(party.name for party in parties)],
        "inputs": {name: list(value.shape) for name, value in trial.inputs.items()} | {"how": INPUTS},
        "assumed": list(source.graph.assumptions),
        "not_certified": [*source.graph.uncertified, *source.missing, ONE_STEP],
        "device": "cpu",
        "versions": versions | {"numpy": np.__version__, "diptych": here["packages"].get("diptych")},
        "environment": {name: here[name] for name in ("time", "python", "platform", "processor")},
    }


def _lines(graph: Graph, written: WrittenModule) -> list[str]:
    """Layer by layer, what became what."""
    made = {}
    for line in written.code.splitlines():
        text = line.strip()
        if text.startswith("self.") and " = nn." in text:
            name, _, expression = text.partition(" = ")
            made[name.removeprefix("self.")] = expression
    lines = []
    for node in graph.nodes:
        what = type(node.kind).__name__ if node.name not in made else made[node.name]
        shapes = ", ".join(f"{name} {tuple(value.shape)}" for name, value in node.weights.items())
        if node.weights or node.name in made:
            lines.append(f"{node.origin or node.name} -> {what}{f': {shapes}' if shapes else ''}")
    return lines


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
