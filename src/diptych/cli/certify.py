"""`diptych certify`: whether a port gives the same numbers as what was ported, and if not, why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from diptych.cli.options import Json, Threads


def certify(
    model: Annotated[Path, typer.Argument(metavar="A", help="The model that was ported.", show_default=False)],
    port: Annotated[Path, typer.Argument(metavar="B", help="The port.", show_default=False)],
    module: Annotated[
        str | None,
        typer.Option(
            "--module", metavar="MODULE:CLASS", help="The PyTorch class of a state dict among them.", show_default=False
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="JSON", help="The Keras config of a file of weights.", show_default=False),
    ] = None,
    limit: Annotated[float, typer.Option(help="The largest relative gap that counts as the same.")] = 1e-12,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Say whether two models give the same numbers: exit code 0 where they do, 1 where they part.

    Where they part, each known mistake of porting is planted in the first one, alone and in pairs; the one that gives
    the second one's numbers is named.
    """
    from diptych.convert.files.opening import read_model_file

    files = [read_model_file(path) for path in (model, port)]
    from diptych.convert.pair import certify as compare
    from diptych.convert.source import Asked, read_source

    graphs = []
    for file in files:
        keras = file.format.startswith("keras")
        asked = Asked(config=config if keras and file.architecture is None else None, module=None if keras else module)
        graphs.append(read_source(file, asked, threads).graph)
    verdict = compare(graphs[0], graphs[1], limit=limit)
    if as_json:
        print(json.dumps(verdict.to_json(), ensure_ascii=False))
    else:
        print("\n".join(verdict.lines()))
        for sentence in dict.fromkeys(sentence for graph in graphs for sentence in graph.assumptions):
            print(f"assumed: {sentence}")
    raise typer.Exit(0 if verdict.same else 1)
