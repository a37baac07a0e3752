"""`diptych code`: the two implementations of a class, a function or a term, side by side, from the live source."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diptych.cli.options import Json

if TYPE_CHECKING:
    from diptych.side_by_side.excerpts import SideBySide


def code(
    name: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]",
            help="A word of the field, such as GRU or beam search, or a name of the code: Decoder.step, loss.py.",
            show_default=False,
        ),
    ] = None,
    reference: Annotated[bool, typer.Option("--reference", help="The one in NumPy, too.")] = False,
    show_list: Annotated[bool, typer.Option("--list", help="Only list the names there are, by file.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours.")] = False,
    as_json: Json = False,
) -> None:
    """Show how TensorFlow and PyTorch say the same thing: a term, a class, a method, a function or a file.

    A term leads to its equation, to the code in each panel or where it is written once, and, for cells and attention,
    to stock layers that compute the same. Without a name the terms are listed.
    """
    from diptych.side_by_side.equations import equations
    from diptych.side_by_side.excerpts import SideBySide
    from diptych.side_by_side.finding import find_code, parts
    from diptych.side_by_side.table import print_side_by_side

    if show_list or not name:
        _print_list(show_list, as_json)
        return
    what = find_code(" ".join(name), reference)
    if isinstance(what, SideBySide):
        if as_json:
            print(json.dumps(_told(what), ensure_ascii=False))
        else:
            print_side_by_side(what, color=not no_color)
        return
    formulas = [equations()[number] for number in what.equations if number in equations()]
    if as_json:
        told = {
            "term": what.name,
            "also": what.also,
            "keys": what.keys,
            "equations": formulas,
            "parts": [{"title": part.title} | _told(part.code) for part in parts(what, reference)],
        }
        print(json.dumps(told, ensure_ascii=False))
        return
    others = f" ({', '.join(what.also)})" if what.also else ""
    print(f"{what.name}{others}")
    if what.keys:
        print(f"in a config: {', '.join(what.keys)}; `diptych config KEY` says more")
    for formula in formulas:
        print(f"\n{formula}")
    for part in parts(what, reference):
        print(f"\n{part.title}\n", flush=True)
        print_side_by_side(part.code, color=not no_color)


def _print_list(by_file: bool, as_json: bool) -> None:
    from diptych.side_by_side.excerpts import contents
    from diptych.side_by_side.terms import TERMS

    files = {file: names for file, names in contents().items() if names}
    if as_json:
        terms = {term.name: term.also for term in TERMS}
        print(json.dumps({"code": files, "terms": terms}, ensure_ascii=False))
    elif by_file:
        for file, names in files.items():
            print(f"{file}.py")
            for each, panels in names.items():
                if not each.endswith("__"):
                    print(f"  {each}{f'  ({panels[0]} only)' if len(panels) == 1 else ''}")
    else:
        width = max(len(term.name) for term in TERMS) + 2
        for term in TERMS:
            print(f"{term.name:{width}}{', '.join(term.also)}".rstrip())
        print("\nOr any name of the code, for instance Decoder.step or loss.py: `diptych code --list` shows them.")


def _told(code: SideBySide) -> dict[str, Any]:
    """Code for `--json`: its lines, row by row."""
    return {
        "name": code.name,
        "file": code.excerpts[0].path.name,
        "panels": [excerpt.panel for excerpt in code.excerpts],
        "rows": [[line.text if line else None for line in row] for row in code.rows],
    }
