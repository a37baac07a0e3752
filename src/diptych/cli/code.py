"""`diptych code`: the two implementations of a class or function, side by side, from the live source."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from diptych.cli.options import Json


def code(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="For instance Decoder, Decoder.step or loss.py.", show_default=False),
    ] = None,
    reference: Annotated[bool, typer.Option("--reference", help="The one in NumPy, too.")] = False,
    show_list: Annotated[bool, typer.Option("--list", help="Only list the names there are, by file.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours.")] = False,
    as_json: Json = False,
) -> None:
    """Show how TensorFlow and PyTorch say the same thing: a class, a method, a function or a file, line by line."""
    from diptych.errors import UsageError
    from diptych.side_by_side.excerpts import contents, side_by_side
    from diptych.side_by_side.table import print_side_by_side

    if show_list:
        files = {file: names for file, names in contents().items() if names}
        if as_json:
            print(json.dumps({"code": files}))
            return
        for file, names in files.items():
            print(f"{file}.py")
            for each, panels in names.items():
                if not each.endswith("__"):
                    print(f"  {each}{f'  ({panels[0]} only)' if len(panels) == 1 else ''}")
        return
    if name is None:
        raise UsageError("no name given: try `diptych code Decoder.step`, or `diptych code --list` for every name")
    found = side_by_side(name, reference)
    if as_json:
        told = {
            "name": found.name,
            "file": found.excerpts[0].path.name,
            "panels": [excerpt.panel for excerpt in found.excerpts],
            "rows": [[line.text if line else None for line in row] for row in found.rows],
        }
        print(json.dumps(told, ensure_ascii=False))
    else:
        print_side_by_side(found, color=not no_color)
