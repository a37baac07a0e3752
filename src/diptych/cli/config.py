"""`diptych config`: every key of a config explained, and a small config for a text of one's own."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from diptych.cli.options import Json


def config(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY...|FILE...]",
            help="Keys such as training.epochs, or sections; with --minimal one table, or two aligned files.",
            show_default=False,
        ),
    ] = None,
    minimal: Annotated[
        bool, typer.Option("--minimal", help="Write a small config for these files, with sizes that fit them.")
    ] = False,
    seal: Annotated[
        Path | None,
        typer.Option(
            "--seal",
            metavar="RUN",
            help="Take a run's config and tokenizers as they are: write their checksums anew.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Write there, not to standard output.", show_default=False),
    ] = None,
    source_column: Annotated[
        str, typer.Option("--source-column", metavar="NAME|N", help="Of a table, for --minimal.", show_default=False)
    ] = "",
    target_column: Annotated[
        str, typer.Option("--target-column", metavar="NAME|N", help="Of a table, for --minimal.", show_default=False)
    ] = "",
    as_json: Json = False,
) -> None:
    """Say what a config may hold: every key with its default, unit, choices and meaning.

    It is printed as a config to begin from, which needs only what differs. `diptych config training` says it of a
    section, `diptych config training.epochs` of a key, and `diptych config --minimal FILE > my.toml` writes one that
    trains as it is. --seal RUN is for a run whose config.toml you have changed on purpose, or which is older than
    checksums.json: it is not opened before.
    """
    from diptych.config.explained import explained_config, explained_key, explained_section
    from diptych.config.keys import find_keys, keys, sections
    from diptych.errors import UsageError
    from diptych.storage.place import replace_file

    if seal is not None:
        from diptych.runs.checksums import seal as seal_run

        if what or minimal:
            raise UsageError("--seal RUN goes alone: leave out the other arguments")
        text = f"{seal}: its config ({seal_run(seal).hash()}) and tokenizers are taken as they are from now on\n"
        told: dict[str, Any] = {"sealed": str(seal)}
    elif minimal:
        from diptych.runs.minimal_config import minimal_config

        if not what:
            raise UsageError("--minimal needs a text: one table (.tsv, .csv, .jsonl) or two aligned files")
        text = minimal_config([Path(each) for each in what], (source_column, target_column), output and output.parent)
        told = {"config": text}
    elif source_column or target_column:
        raise UsageError("--source-column and --target-column are for --minimal FILE")
    elif not what:
        text = explained_config()
        told = {"keys": [dataclasses.asdict(key) for key in keys().values()]}
    else:
        lines, listed = [], []
        for name in what:
            chosen = find_keys(name)
            listed += chosen
            if name in sections():
                lines += explained_section(name)
                continue
            for key in chosen:
                lines += [f"[{key.section}]"] if key.section else []
                lines += explained_key(key)
        text = "\n".join(lines) + "\n"
        told = {"keys": [dataclasses.asdict(key) for key in listed]}
    if as_json:
        text = json.dumps(told, ensure_ascii=False) + "\n"
    if output is None:
        print(text, end="")
    else:
        replace_file(output, text)
