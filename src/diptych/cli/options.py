"""Arguments and options that several commands have, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

Run: TypeAlias = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)]
RunFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option("--run", metavar="DIR", help="The run's folder; by default runs/NAME.", show_default=False),
]
Backend: TypeAlias = Annotated[
    Literal["tensorflow", "pytorch"], typer.Option("--backend", help="Which framework computes.")
]
# The reference and the runtime of exports translate, but do not train.
AnyBackend: TypeAlias = Annotated[
    Literal["tensorflow", "pytorch", "reference", "onnxruntime"] | None,
    typer.Option(
        "--backend",
        help="What computes: pytorch, or an ONNX export's onnxruntime, unless it is said; reference is NumPy.",
        show_default=False,
    ),
]
Members: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--member",
        metavar="RUN[:BACKEND[:CHECKPOINT]]",
        help="Another model that says each token together with the run's; may be given several times.",
        show_default=False,
    ),
]
Average: TypeAlias = Annotated[
    Literal["probability", "log_probability"], typer.Option("--average", help="Of the members' predictions.")
]
Vote: TypeAlias = Annotated[
    bool,
    typer.Option("--vote", help="Each member translates by itself, and what most of them say is the translation."),
]
Threads: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--threads", min=1, max=4096, help="Processor threads; by default the framework's choice.", show_default=False
    ),
]
Workers: TypeAlias = Annotated[int, typer.Option("--workers", min=1, help="Share the work among so many processes.")]
Device: TypeAlias = Annotated[
    Literal["auto", "cpu", "cuda"], typer.Option("--device", help="auto: a GPU where there is one.")
]
Precision: TypeAlias = Annotated[
    Literal["float32", "float64", "bfloat16", "exact"] | None,
    typer.Option("--precision", help="Instead of the config's.", show_default=False),
]
TrainingSeed: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--seed",
        min=0,
        max=2**63 - 1,
        help="Of initial values, batch order and dropout; instead of the config's.",
        show_default=False,
    ),
]
Assignments: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Instead of the config's, for instance training.epochs=20; may be given several times.",
        show_default=False,
    ),
]
Tokenize: TypeAlias = Annotated[
    Literal["13a", "none", "char", "intl", "zh"],
    typer.Option("--tokenize", help="How BLEU cuts a text; none where the text is tokens already."),
]
Checkpoint: TypeAlias = Annotated[
    str,
    typer.Option(
        "--checkpoint", help="best, latest, average-best or average-latest (of those kept), or a checkpoint's name."
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", help="Say nothing on the way.")]
Watch: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--watch", metavar="NAME", help="Also tell tensorboard, mlflow or wandb (offline); may be repeated."),
]
TensorBoard: TypeAlias = Annotated[
    bool, typer.Option("--tensorboard", help="Also write losses and attention maps for TensorBoard, into the run.")
]
