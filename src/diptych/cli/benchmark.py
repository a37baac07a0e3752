"""`diptych benchmark`: how fast each framework trains and decodes here, and how fast the machine would let it."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from diptych.cli.options import Device, Json, Quiet, Threads

# What may be repeated: typer takes lists of these, but not of Literals.
Backend = StrEnum("Backend", "tensorflow pytorch onnxruntime")
Attention = StrEnum("Attention", "none additive dot general concat")
Precision = StrEnum("Precision", "float32 float64 bfloat16 exact")


def benchmark(
    config: Annotated[
        Path | None,
        typer.Argument(metavar="[CONFIG]", help="A TOML config; by default the standard model.", show_default=False),
    ] = None,
    backend: Annotated[
        list[Backend] | None,
        typer.Option("--backend", help="Measure only this one; may be repeated.", show_default=False),
    ] = None,
    attention: Annotated[
        list[Attention] | None,
        typer.Option(
            "--attention", help="May be repeated; by default general and additive, or the config's.", show_default=False
        ),
    ] = None,
    precision: Annotated[
        list[Precision] | None,
        typer.Option(
            "--precision", help="May be repeated; by default float32 and bfloat16, or the config's.", show_default=False
        ),
    ] = None,
    batch_size: Annotated[
        list[int] | None,
        typer.Option(
            "--batch-size", min=1, help="May be repeated; by default the config's, or 64.", show_default=False
        ),
    ] = None,
    beam: Annotated[
        int, typer.Option("--beam", min=2, max=1000, help="The beam's size; greedy search is always measured.")
    ] = 5,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.0, help="Measured time of each result, each round.")
    ] = 1.5,
    rounds: Annotated[
        int | None,
        typer.Option(
            "--rounds", min=1, help="By default as many as fit into five minutes, at most 3.", show_default=False
        ),
    ] = None,
    threads: Threads = None,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Measure training and decoding, and the share of what the machine can do.

    Each framework has a process of its own; they take turns. ONNX Runtime decodes beside them, where it is installed.
    Warm-up and compiling are told apart from the steady state. The ceiling is the model's own matrix products by
    themselves, timed in the same process. Without a config it takes a model of common size (embedding 256, encoder
    2 x 256, decoder 512) and a corpus made by rule, and five minutes.
    """
    from diptych.benchmark.benchmark import benchmark as run_benchmark
    from diptych.benchmark.request import Request
    from diptych.benchmark.table import print_benchmark
    from diptych.config import read_config

    request = Request(
        config=read_config(config) if config else None,
        path=str(config or ""),
        backends=tuple(dict.fromkeys(each.value for each in backend or ())),
        attentions=tuple(dict.fromkeys(each.value for each in attention or ())),
        precisions=tuple(dict.fromkeys(each.value for each in precision or ())),
        batch_sizes=tuple(dict.fromkeys(batch_size or ())),
        beam_sizes=(1, beam),
        seconds=seconds,
        rounds=rounds or 0,
        threads=threads or 0,
        device=device,
    )
    report = run_benchmark(request, lambda line: None if quiet else print(line, file=sys.stderr, flush=True))
    if as_json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        print_benchmark(report)
