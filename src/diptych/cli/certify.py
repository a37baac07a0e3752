"""`diptych certify`: whether a port gives the same numbers as what was ported, and if not, why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diptych.cli.convert import Assume, Inputs, KerasConfig, Layers, answers, chain
from diptych.cli.options import Json, Threads

if TYPE_CHECKING:
    from diptych.convert.files.model_file import ModelFile
    from diptych.convert.source import Asked


def certify(
    model: Annotated[Path, typer.Argument(metavar="A", help="The model that was ported.", show_default=False)],
    port: Annotated[Path, typer.Argument(metavar="B", help="The port.", show_default=False)],
    modules: Annotated[
        list[str] | None,
        typer.Option(
            "--module",
            metavar="MODULE:CLASS",
            help="The PyTorch class of the state dicts among them; twice where they have two.",
            show_default=False,
        ),
    ] = None,
    config: KerasConfig = None,
    inputs: Inputs = None,
    layers: Layers = None,
    assume: Assume = None,
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
    from diptych.convert.source import read_source

    asked = asked_of_pair(
        files, modules or [], config=config, inputs=inputs or [], layers=chain(layers), assume=answers(assume)
    )
    graphs = [read_source(file, one, threads).graph for file, one in zip(files, asked)]
    verdict = compare(graphs[0], graphs[1], limit=limit)
    assumed = list(dict.fromkeys(sentence for graph in graphs for sentence in graph.assumptions))
    uncertified = list(dict.fromkeys(sentence for graph in graphs for sentence in graph.uncertified))
    if as_json:
        print(json.dumps(verdict.to_json() | {"assumed": assumed, "not_certified": uncertified}, ensure_ascii=False))
    else:
        print("\n".join(verdict.lines()))
        for sentence in assumed:
            print(f"assumed: {sentence}")
        for sentence in uncertified:
            print(f"not certified: {sentence}")
    raise typer.Exit(0 if verdict.same else 1)


def asked_of_pair(
    files: list[ModelFile],
    modules: list[str],
    config: Path | None,
    inputs: list[str],
    layers: tuple[str, ...] | None,
    assume: dict[str, str],
) -> list[Asked]:
    """Of what is said about two files, what each of them is to be told; one that says it itself is told nothing.

    Raises:
        UsageError: there are more classes than files for them.
    """
    from diptych.convert.source import Asked
    from diptych.errors import UsageError

    asked, bare = [], 0
    for file in files:
        if file.format.startswith("keras") or file.format == "saved-model":
            own = None if file.architecture is not None else config
            asked.append(Asked({key: value for key, value in assume.items() if key == "keras"}, config=own))
        elif file.format in ("onnx", "rtneural-json"):
            asked.append(Asked())
        elif file.format == "tensorflow-graph":
            asked.append(Asked(inputs=tuple(inputs)))
        elif modules:
            asked.append(Asked(module=modules[min(bare, len(modules) - 1)], inputs=tuple(inputs)))
            bare += 1
        else:
            asked.append(Asked({key: value for key, value in assume.items() if key != "keras"}, layers=layers))
            bare += 1
    if len(modules) > max(bare, 1):
        raise UsageError(f"--module was given {len(modules)} times, but {bare} of the files need a class")
    return asked
