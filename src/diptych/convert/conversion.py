"""A user's model file converted: read, written for the other framework, run there, certified, and put in place."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from diptych.convert import certificate
from diptych.convert.certificate import Check, Party
from diptych.convert.files.model_file import ModelFile
from diptych.convert.scratch import mapped_arrays, save_arrays
from diptych.convert.source import Asked, Source, digest_of, read_source
from diptych.convert.targets import Target, lines_of, write_for
from diptych.convert.trial import Trial, arrays_of, make_trial
from diptych.errors import CertificateError, RefusalError
from diptych.processes.environment import environment
from diptych.storage.place import put_folder, replace_file

RATE = 0.125  # in float32, too: Keras rounds it
ONLY_INFERENCE = "gradients and training: an ONNX file is for inference"
DROPPED = "the state of Adam is dropped: training starts anew"
ONE_STEP = "one step of SGD in float64; more of training is certified only as far as the gradients are"
INPUTS = (
    "random numbers of deviation 3; ids of the whole vocabulary; where there is a mask: whole rows, padding on the "
    "right, padding on the left with a hole, a row masked from end to end; where there are lengths: 5, 3, 3 and 1"
)


@dataclass(frozen=True, eq=False)
class Conversion:
    """What came of a conversion.

    Attributes:
        checks: what was compared.
        certificate: as it is written.
        lines: layer by layer, what became what.
    """

    checks: list[Check]
    certificate: dict[str, Any]
    lines: list[str]


def convert(
    file: Path | ModelFile, to: str, out: Path, asked: Asked | None = None, threads: int | None = None
) -> Conversion:
    """Convert a model file into a folder: a readable program, its weights and its certificate.

    Args:
        file: the model file, read or to be read.
        to: "pytorch", "keras" or "onnx".
        out: the folder; it must not be there.
        asked: what was said about the file beside its name.
        threads: of each framework.

    Raises:
        RefusalError: the model, or a part of it, cannot be converted exactly, or the folder is there already.
        CertificateError: what was written does not give the same numbers; `OUT.report.json` says where.
        BackendError: a framework failed, or the one converted to is not installed.
    """
    if out.exists():
        raise RefusalError(f"{out} is there already; choose a new folder")
    return write(read_source(file, asked or Asked(), threads), to, out=out, threads=threads)


def write(source: Source, to: str, out: Path, threads: int | None = None) -> Conversion:
    """Write, run, certify and put in place what was read."""
    with tempfile.TemporaryDirectory(prefix="diptych-", ignore_cleanup_errors=True) as name:
        source = _in_a_file(source, Path(name))
        return _write(source, to, out=out, folder=Path(name), threads=threads)


def _in_a_file(source: Source, folder: Path) -> Source:
    """A source whose weights are in a file from here on: those of a large model would fill the memory."""
    save_arrays(folder / "graph.safetensors", source.graph.weights())
    return replace(source, graph=source.graph.with_weights(mapped_arrays(folder / "graph.safetensors")))


def _write(source: Source, to: str, out: Path, folder: Path, threads: int | None) -> Conversion:
    out.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        made = _build(source, to, folder=folder, building=building, threads=threads)
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


def _build(source: Source, to: str, folder: Path, building: Path, threads: int | None) -> Conversion:
    target = write_for(to, source.graph, title=source.title, adam=source.adam)
    trial = make_trial(target.graph)
    for place in (folder, building) if target.code else ():
        (place / "model.py").write_text(target.code, encoding="utf-8")
    save_file(arrays_of(trial), folder / "trial.safetensors")
    parties = []
    if source.original is not None:
        parties.append(source.original.run(target.graph, folder, threads))
    parties.append(target.run(folder, building, threads))
    checks = certificate.compare(target.graph, trial, parties=parties, rate=RATE)
    made = _certificate(source, target, to=to, building=building, trial=trial, parties=parties, checks=checks)
    return Conversion(checks, made, lines_of(target.graph, target.made))


def _certificate(
    source: Source, target: Target, to: str, building: Path, trial: Trial, parties: list[Party], checks: list[Check]
) -> dict[str, Any]:
    here, graph = environment(), target.graph
    dropped = [DROPPED] if source.adam and not target.adam else []
    versions = {name: version for party in parties for name, version in party.versions.items()}
    return {
        "certified": all(check.holds for check in checks),
        "from": {"file": source.path.name, "sha256": source.sha256, "written_by": source.written_by},
        "to": {"framework": to, "files": {file.name: digest_of(file) for file in sorted(building.iterdir())}},
        "checks": certificate.to_json(checks),
        "largest_gap": max((check.gap for check in checks if "float32" not in check.what), default=None),
        "parties": ["the judge (NumPy, float64, from the formulas)", *(party.name for party in parties)],
        "inputs": {name: list(value.shape) for name, value in trial.inputs.items()} | {"how": INPUTS},
        "assumed": list(graph.assumptions),
        "optimizer": target.adam.settings if target.adam else None,
        "not_certified": [
            *graph.uncertified,
            *source.missing,
            *dropped,
            *(one for party in parties for one in party.missing),
            *certificate.unseen(graph),
            ONLY_INFERENCE if to == "onnx" else ONE_STEP,
        ],
        "device": "cpu",
        "versions": versions | {"numpy": np.__version__, "diptych": here["packages"].get("diptych")},
        "environment": {name: here[name] for name in ("time", "python", "platform", "processor")},
    }
