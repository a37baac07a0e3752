"""A user's model file converted: read, written for the other framework, run there, certified, and put in place."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors.numpy import save_file

from diptych.convert import certificate
from diptych.convert.certificate import Check, Party
from diptych.convert.document import document
from diptych.convert.files.model_file import ModelFile
from diptych.convert.framework_process import keeping_the_last
from diptych.convert.scratch import mapped_arrays, save_arrays
from diptych.convert.source import Asked, Source, digest_of, read_source
from diptych.convert.targets import Target, lines_of, write_for
from diptych.convert.trial import Trial, arrays_of, make_trial
from diptych.errors import CertificateError, RefusalError
from diptych.storage.place import folder_in_place, replace_file

RATE = 0.125  # in float32, too: Keras rounds it
DROPPED = "the state of Adam is dropped: training starts anew"


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
    with keeping_the_last():
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
    with folder_in_place(out) as building:
        made = _build(source, to, folder=folder, building=building, threads=threads)
        text = json.dumps(made.certificate, indent=1, ensure_ascii=False)
        try:
            certificate.demand(made.checks)
        except CertificateError:
            replace_file(out.with_name(f"{out.name}.report.json"), text + "\n")
            raise
        (building / "certificate.json").write_text(text + "\n", encoding="utf-8")
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
    missing = [*source.missing, *([DROPPED] if source.adam and not target.adam else [])]
    return {
        "from": {"file": source.path.name, "sha256": source.sha256, "written_by": source.written_by},
        "to": {"framework": to, "files": {file.name: digest_of(file) for file in sorted(building.iterdir())}},
        "optimizer": target.adam.settings if target.adam else None,
        **document(target.graph, trial, parties=parties, checks=checks, to=to, missing=missing),
    }
