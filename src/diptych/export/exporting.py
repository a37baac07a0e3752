"""A run's model, for another runtime: written into a folder, opened there, certified, scored, and put in place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from safetensors.numpy import save_file

from diptych.data.tokens.vocabulary import BOS, EOS, PAD, UNK
from diptych.errors import UsageError
from diptych.export import certificate
from diptych.export.card import card
from diptych.export.certificate import Check
from diptych.export.scores import Scored, score
from diptych.export.trained import Trained
from diptych.exported.folder import CARD, CERTIFICATE, SETTINGS, WEIGHTS, describe
from diptych.processes.environment import environment
from diptych.runs.checksums import CONFIG, SIDES, write_checksums
from diptych.runs.creation import tokenizer_file
from diptych.search import Stepper
from diptych.storage.place import folder_in_place, replace_file


class Target(Protocol):
    """A runtime that a model is written for."""

    @property
    def precision(self) -> str:
        """In which weights are written, and computed with as far as the runtime does: "float32" or "int8"."""

    def check_installed(self) -> None:
        """Refuse where what writes or certifies the files is missing: `BackendError`."""

    def build(self, trained: Trained, folder: Path) -> tuple[list[Check], dict[str, str]]:
        """Write the runtime's files and see what it makes of them: the checks, and the versions of what computed."""

    def systems(self, trained: Trained, folder: Path) -> AbstractContextManager[Mapping[str, Stepper]]:
        """What translates for the scores, by name, the export first; nothing where the runtime is not driven here."""


@dataclass(frozen=True, eq=False)
class Exported:
    """What came of an export.

    Attributes:
        folder: where it is.
        checks: what was compared.
        certificate: as it is written.
    """

    folder: Path
    checks: Sequence[Check]
    certificate: dict[str, Any]


def export(trained: Trained, target: Target, to: str, out: Path, scores: bool = True) -> Exported:
    """Export a model into a new folder, whole or not at all.

    Args:
        trained: the model.
        target: the runtime.
        to: its name on the command line.
        out: the folder; it must not be there.
        scores: whether the exported model translates the run's test part, for the model card.

    Raises:
        UsageError: the folder is there, or cannot be made.
        BackendError: the runtime is not installed, or fails.
        CertificateError: what was written does not compute the same; nothing is left.
        RefusalError: the runtime cannot take the model.
    """
    refuse_taken(out)
    target.check_installed()
    try:
        with folder_in_place(out) as building:
            _write_own(trained, target, building)
            checks, versions = target.build(trained, building)
            certificate.demand(checks)
            scored = None
            if scores:
                with target.systems(trained, building) as systems:
                    scored = score(trained.run, systems)
            replace_file(building / CARD, card(trained, to, precision=target.precision, checks=checks, scored=scored))
            made = _certify(trained, target, to=to, folder=building, checks=checks, scored=scored, versions=versions)
    except OSError as error:
        refuse_taken(out)
        raise no_place(out, error) from error
    return Exported(out, checks, made)


def refuse_taken(out: Path) -> None:
    """Refuse to write over what is there.

    Raises:
        UsageError: something is.
    """
    if out.exists():
        raise UsageError(f"{out} is there already: give a name that is free, or remove it")


def no_place(out: Path, error: OSError) -> UsageError:
    """The error that says why nothing can be put there."""
    return UsageError(
        f"{out} cannot be written: {error.filename or out}: {error.strerror or error}; give a place in a folder that "
        f"can be written"
    )


def _write_own(trained: Trained, target: Target, folder: Path) -> None:
    """What an export holds whatever it is for."""
    run = trained.run
    (folder / "tokenizer").mkdir()
    for side in SIDES:
        replace_file(tokenizer_file(folder, side), getattr(run, side).to_json())
    replace_file(folder / CONFIG, run.config.to_toml())
    write_checksums(folder)
    save_file(trained.stored, folder / WEIGHTS)
    settings = {
        "model_type": "diptych",
        "precision": target.precision,
        "pad_token_id": PAD,
        "decoder_start_token_id": BOS,
        "eos_token_id": EOS,
        "unk_token_id": UNK,
        "source_vocabulary_size": trained.sizes[0],
        "target_vocabulary_size": trained.sizes[1],
        "model": run.config.model.model_dump(mode="json"),
    }
    replace_file(folder / SETTINGS, json.dumps(settings, indent=1) + "\n")


def _certify(
    trained: Trained,
    target: Target,
    to: str,
    folder: Path,
    checks: Sequence[Check],
    scored: Scored | None,
    versions: dict[str, str],
) -> dict[str, Any]:
    here = environment()
    files = {
        path.relative_to(folder).as_posix(): describe(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != CERTIFICATE
    }
    values = {
        "certified": all(check.holds for check in checks),
        "from": {
            "run": trained.run.config.name,
            "config": trained.run.config.hash(),
            "backend": trained.backend,
            "checkpoint": trained.which,
            "step": trained.state.get("step"),
            "weights": trained.digest,
        },
        "to": to,
        "precision": target.precision,
        "files": files,
        "checks": certificate.to_json(checks),
        "scores": None if scored is None else scored.to_json(),
        "not_certified": ["gradients and training: this is for translating", "inputs longer than those of the checks"],
        "device": "cpu",
        "versions": versions | {name: here["packages"].get(name) for name in ("diptych", "numpy")},
        "environment": {name: here[name] for name in ("time", "python", "platform", "processor")},
    }
    replace_file(folder / CERTIFICATE, json.dumps(values, indent=1, ensure_ascii=False) + "\n")
    return values
