"""`diptych inspect`: what is in model files, of whichever framework, and what they leave open."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from diptych.cli.options import Json
from diptych.visible import visible


def inspect(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help=".h5, .keras, .weights.h5, a SavedModel folder, .pt, .pth, .bin, .safetensors, .npz, .onnx, a frozen "
            ".pb, RTNeural's .json, a run or a checkpoint.",
            show_default=False,
        ),
    ],
    as_json: Json = False,
) -> None:
    """Say what is in model files: layers, weights, who wrote them, and what they leave open.

    No framework is imported, and nothing in a file is run: pickles are not loaded, Lambda layers and custom classes are
    named. What a conversion would have to assume stands with every possible reading and the option that answers it.
    """
    from diptych.convert.files.contents import contents
    from diptych.convert.files.opening import read_model_file
    from diptych.errors import DiptychError

    told: list[dict[str, Any]] = []
    worst = 0
    for number, path in enumerate(files):
        try:
            file = contents(read_model_file(path))
        except DiptychError as error:
            if len(files) == 1:
                raise
            worst = max(worst, error.exit_code)
            told.append({"path": str(path), "error": " ".join(str(error).split())})
            print(f"error: {visible(told[-1]['error'])}", file=sys.stderr)
            continue
        told.append(file)
        if not as_json:
            if number:
                print()
            print("\n".join(_lines(file)))
    if as_json:
        # In ASCII: a name may hold what would move a terminal's cursor.
        print(json.dumps({"files": told}, default=str))
    if worst:
        raise typer.Exit(worst)


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    """One file's contents."""
    from diptych.convert.files.model_file import WrittenBy
    from diptych.convert.files.printable import shown

    weights = [each for layer in told["layers"] for each in layer["weights"]] + told["other_weights"]
    types = sorted({each["dtype"] for each in weights})
    yield shown(told["path"])
    yield f"  format      {told['format_in_words']}; {told['bytes']:,} bytes"
    yield f"  written by  {shown(str(WrittenBy(**told['written_by'])))}"
    if weights:
        yield f"  parameters  {told['parameters']:,} in {len(weights):,} weights, {', '.join(map(shown, types))}"
    if told["training"]:
        yield f"  training    {_training(told['training'])}"
    if told["graph"]:
        yield from _graph(told["graph"])
    yield ""
    yield from _table(told)
    if told["remarks"]:
        yield ""
        for remark in told["remarks"]:
            yield f"  {shown(remark['where'])}: {remark['text']}" if remark["where"] else f"  {remark['text']}"
    yield from _questions(told["questions"])


def _table(told: Mapping[str, Any]) -> Iterator[str]:
    """Layers and weights, in columns as wide as they need."""
    from diptych.convert.files.printable import shown

    rows = [("layer", "class", "weight", "shape", "type")]
    others = {"name": "", "class": "", "weights": told["other_weights"]}
    for layer in (*told["layers"], *([others] if told["other_weights"] else [])):
        name, kind = shown(layer["name"], 40), shown(layer["class"] or "?", 30) if layer["name"] else ""
        for each in layer["weights"] or [{"name": "", "shape": None, "dtype": ""}]:
            shape = "" if each["shape"] is None else str(tuple(each["shape"]))
            own = each["name"].removeprefix(f"{layer['name']}/").removeprefix(f"{layer['name']}.")
            rows.append((name, kind, shown(own, 60), shape, each["dtype"]))
            name = kind = ""
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        yield "  " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, (*widths, 0))).rstrip()


def _training(training: Mapping[str, Any]) -> str:
    """The optimizer, its settings and its slots."""
    from diptych.convert.files.printable import shown

    settings = [
        f"{shown(key)} {value:.6g}"
        for key, value in training["config"].items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    step = "" if training["step"] is None else f", step {training['step']:,}"
    said = f" ({', '.join(settings[:5])})" if settings else ""
    optimizer = training["optimizer"] or "an optimizer the file does not name"
    return f"{shown(optimizer)}{said}{step}, {len(training['slots']):,} arrays of its own"


def _graph(graph: Mapping[str, Any]) -> Iterator[str]:
    """What goes in and comes out of a graph, and its operators."""
    from diptych.convert.files.printable import shown

    for title, values in (("inputs", graph["inputs"]), ("outputs", graph["outputs"])):
        listed = []
        for value in values[:8]:
            sizes = value["shape"]
            shape = "" if sizes is None else f" ({', '.join(shown('?' if each is None else each) for each in sizes)})"
            listed.append(f"{shown(value['name'])}{shape}{' ' if value['dtype'] else ''}{value['dtype']}")
        if listed:
            yield f"  {title:10}  {', '.join(listed)}{', ...' if len(values) > 8 else ''}"
    counts = [f"{count} {shown(name)}" for name, count in graph["operators"].items()]
    versions = ", ".join(f"{shown(name)} {version}" for name, version in graph["versions"].items())
    said = f"{', '.join(counts[:12])}{', ...' if len(counts) > 12 else ''}"
    yield f"  operators   {said}{f'; {versions}' if versions else ''}"


def _questions(questions: list[Mapping[str, Any]]) -> Iterator[str]:
    """What is open, with each reading."""
    from diptych.convert.files.contents import questions_together
    from diptych.convert.files.printable import shown

    if questions:
        yield ""
        yield "  open, for a conversion to be told:"
    for question, places in questions_together(questions):
        where = ", ".join(map(shown, places[:6])) + (f" and {len(places) - 6} more" if len(places) > 6 else "")
        yield f"  {where}: {question['text']}"
        width = max(map(len, question["readings"]))
        for value, meaning in question["readings"].items():
            likely = " (likely)" if value == question["likely"] else ""
            yield f"    --assume {question['assume']}={value:{width}}  {meaning}{likely}"
