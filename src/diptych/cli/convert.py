"""`diptych convert`: a user's recurrent model, from one framework to the other, certified or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from diptych.cli.options import Json, Threads

Assume = Annotated[
    list[str] | None,
    typer.Option("--assume", metavar="KEY=VALUE", help="Answer what the file leaves open.", show_default=False),
]
KerasConfig = Annotated[
    Path | None,
    typer.Option("--config", metavar="JSON", help="The Keras config of a file of weights.", show_default=False),
]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="SHAPE[:int]|NAME",
        help="An example of what the class takes, in order; of a frozen graph, a node that is an input.",
        show_default=False,
    ),
]
Layers = Annotated[
    str | None,
    typer.Option(
        "--layers",
        metavar="A,B",
        help="Of weights alone, the layers to run in this order; '' for each by itself.",
        show_default=False,
    ),
]


def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A model file.", show_default=False)],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.", show_default=False)],
    to: Annotated[
        Literal["pytorch", "keras", "onnx"],
        typer.Option("--to", help="The framework to convert to, or ONNX."),
    ],
    config: KerasConfig = None,
    module: Annotated[
        str | None,
        typer.Option("--module", metavar="MODULE:CLASS", help="A PyTorch class for a state dict.", show_default=False),
    ] = None,
    inputs: Inputs = None,
    layers: Layers = None,
    assume: Assume = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Write a model for the other framework: a program of stock layers, its weights and its certificate.

    What cannot be converted exactly is refused with the reason (exit code 2). A conversion that does not give the same
    numbers is an error (exit code 1) and leaves nothing behind but OUT.report.json.
    """
    from diptych.convert.files.opening import read_model_file

    read = read_model_file(file)  # what is refused is refused before the rest is imported
    from diptych.convert.conversion import convert as run
    from diptych.convert.source import Asked

    asked = Asked(answers(assume), config, module=module, inputs=tuple(inputs or ()), layers=chain(layers))
    made = run(read, to, out=out, asked=asked, threads=threads)
    if as_json:
        print(json.dumps(made.certificate, ensure_ascii=False))
        return
    for line in made.lines:
        print(line)
    for sentence in made.certificate["assumed"]:
        print(f"assumed: {sentence}")
    for sentence in made.certificate["not_certified"]:
        print(f"not certified: {sentence}")
    if optimizer := made.certificate["optimizer"]:
        print(f"Adam's state goes along: training can go on after step {optimizer['step']:,}")
    for check in made.checks:
        print(f"{check.gap:8.1e} (limit {check.limit:.0e})  {check.what}")
    print(f"certified: {out}")


def chain(layers: str | None) -> tuple[str, ...] | None:
    """The names of `--layers`; None where it is not given."""
    return None if layers is None else tuple(name.strip() for name in layers.split(",") if name.strip())


def answers(assume: list[str] | None) -> dict[str, str]:
    """The answers of `--assume`, by key."""
    from diptych.errors import UsageError

    found = {}
    for one in assume or []:
        key, equals, value = one.partition("=")
        if not equals or not value:
            raise UsageError(f"--assume {one!r}: expected KEY=VALUE, for instance --assume keras=2")
        found[key] = value
    return found
