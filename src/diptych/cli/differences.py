"""`diptych differences`: where stock Keras and stock PyTorch part ways, run and measured here and now."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from diptych.cli.options import Json


def differences(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Entries; all by default.", show_default=False)
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="Only list the entries.")] = False,
    as_json: Json = False,
) -> None:
    """Show and measure where stock Keras and stock PyTorch part ways.

    A few entries are told in full, more of them as a table. Programs that fail make the exit code 1.
    """
    from diptych.differences.catalogue import choose, run
    from diptych.differences.render import describe, table

    if show_list:
        entries = choose(names)
        if as_json:
            listed = [{"name": entry.name, "title": entry.title, "topic": entry.topic} for entry in entries]
            print(json.dumps({"differences": listed}, ensure_ascii=False))
        else:
            for entry in entries:
                print(f"{entry.name:34}{entry.title}")
        return
    findings = run(names)
    if as_json:
        print(json.dumps({"differences": [finding.to_json() for finding in findings]}, ensure_ascii=False))
    elif names and len(names) <= 3:
        print("\n".join(describe(finding) for finding in findings), end="")
    else:
        print(table(findings), end="")
    if any(finding.verdict == "failed" for finding in findings):
        raise typer.Exit(1)
