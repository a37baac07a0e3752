"""`diptych export`: a trained model for another runtime."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from diptych.cli.options import Checkpoint, Json, Run, Threads

if TYPE_CHECKING:
    from diptych.export.certificate import Check
    from diptych.export.html.exporting import Page


def export(
    run_folder: Run,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder; FILE.html for a page.", show_default=False)],
    to: Annotated[
        Literal["onnx", "savedmodel", "torchscript", "litert", "html"],
        typer.Option("--to", help="The runtime; html: one page that translates by itself."),
    ],
    int8: Annotated[
        bool, typer.Option("--int8", help="Weights, and the products of each step, in int8: a quarter of the size.")
    ] = False,
    whole: Annotated[
        Literal["greedy"] | None,
        typer.Option("--whole", help="onnx: also one graph that searches, token ids in and out.", show_default=False),
    ] = None,
    backend: Annotated[
        Literal["tensorflow", "pytorch"] | None,
        typer.Option("--backend", help="Whose checkpoint; by default any that was trained.", show_default=False),
    ] = None,
    checkpoint: Checkpoint = "best",
    scores: Annotated[
        bool, typer.Option("--scores/--no-scores", help="Translate the test part, for the model card.")
    ] = True,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Write a trained model for another runtime: its files, a model card and a certificate.

    What was written is opened there and compared with the reference in float64; an export that does not compute the
    same is an error (exit code 1) and leaves nothing. docs/export.md says how each is used.
    """
    from diptych.errors import UsageError
    from diptych.export.exporting import Target
    from diptych.export.exporting import export as run
    from diptych.export.frameworks import FrameworkTarget
    from diptych.export.html.exporting import export_page
    from diptych.export.onnx.target import OnnxTarget
    from diptych.export.trained import Trained

    if whole and to != "onnx":
        raise UsageError(f"--whole {whole} is for --to onnx, got --to {to}: leave it out")
    if threads and to == "html":
        raise UsageError("--threads is not for --to html, whose script has one: leave it out")
    if int8 and to in ("savedmodel", "torchscript"):
        raise UsageError(f"--int8 is for --to onnx, litert and html, got --to {to}: leave it out")
    trained = Trained.open(run_folder, backend, checkpoint)
    if to == "html":
        _tell_page(export_page(trained, out, int8), as_json)
        return
    target: Target = OnnxTarget(int8, whole or "", threads) if to == "onnx" else FrameworkTarget(to, int8, threads)
    made = run(trained, target, to=to, out=out, scores=scores)
    if as_json:
        print(json.dumps(made.certificate, ensure_ascii=False))
        return
    _tell_checks(made.checks)
    for name, entry in made.certificate["files"].items():
        print(f"{entry['size']:12,} bytes  {name}")
    print(f"certified: {out}")


def _tell_checks(checks: Sequence[Check]) -> None:
    for check in checks:
        print(f"{check.gap:8.1e} (limit {check.limit:.0e})  {check.what}")


def _tell_page(page: Page, as_json: bool) -> None:
    from diptych.export.certificate import to_json

    if as_json:
        told = {"file": str(page.path), "size": page.size, "checks": to_json(page.checks), "not_certified": page.notes}
        print(json.dumps(told, ensure_ascii=False))
        return
    _tell_checks(page.checks)
    for note in page.notes:
        print(note)
    print(f"{page.size:12,} bytes  {page.path}")
