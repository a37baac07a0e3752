"""Write docs/differences.md and its Korean twin from the catalogue: `python -m diptych.differences.document [NAME...]`.

The texts come from the entries, the numbers from measured.json, which this command measures anew, for the named entries
or for all. `--text` takes the recorded numbers as they are.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diptych.differences import catalogue
from diptych.differences.entry import Entry
from diptych.differences.render import number
from diptych.differences.wording import ENGLISH, KOREAN, Wording
from diptych.errors import DiptychError, UsageError
from diptych.processes.machine import processor
from diptych.storage.place import replace_file

RECORD = Path(__file__).with_name("measured.json")
DOCS = Path(__file__).parents[3] / "docs"


def render(entries: Sequence[Entry], record: dict[str, Any], wording: Wording = ENGLISH) -> str:
    """The page in a language, from the entries' texts and the recorded effects.

    Raises:
        UsageError: an entry has no record, or its programs have changed since.
        ConfigError: an entry has no text in this language.
    """
    check(entries, record)
    told = [wording.of(entry) for entry in entries]
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    parts = [
        wording.introduction,
        wording.measured.format(versions=versions, machine=record["machine"]),
        _contents(told, record["entries"], wording.columns),
    ]
    for topic, title in wording.topics.items():
        inside = [entry for entry in told if entry.topic == topic]
        if inside:
            parts += [f"## {title}\n"] + [_section(entry, record["entries"][entry.name], wording) for entry in inside]
    return "\n".join(parts)


def check(entries: Sequence[Entry], record: dict[str, Any]) -> None:
    """Raise a UsageError that names every entry whose recorded effect is missing or of other programs."""
    recorded = {name: value["digest"] for name, value in record["entries"].items()}
    stale = [entry.name for entry in entries if recorded.pop(entry.name, None) != entry.digest()]
    if stale or recorded:
        raise UsageError(
            f"{RECORD.name} does not hold what the programs would show: {', '.join([*stale, *recorded])}; "
            f"run: python -m diptych.differences.document {' '.join(stale)}".rstrip()
        )


def measure(names: Sequence[str], record: dict[str, Any]) -> dict[str, Any]:
    """Run the named entries (all if none is named) and put their effects into a new record.

    Raises:
        UsageError: an unknown name; a difference that is not there any more, a bridge that does not hold or a program
            that failed; or a record of other versions or another machine, which cannot be mixed with this one.
    """
    findings = catalogue.run(names)
    bad = [f for f in findings if f.verdict != "differs" or f.bridge_holds is False]
    if bad:
        reasons = "; ".join(f"{f.entry.name}: {f.note or 'the bridged results are apart'}" for f in bad)
        raise UsageError(f"the page shows differences and bridges that hold, but {reasons}")
    circumstances = {
        "machine": machine(),
        "versions": {name: version for finding in findings for name, version in finding.versions.items()},
    }
    kept = {}
    if names and record:
        if any(record[key] != value for key, value in circumstances.items()):
            raise UsageError("the record is of other versions or another machine: measure all entries, not some")
        kept = record["entries"]
    for finding in findings:
        kept[finding.entry.name] = {
            "digest": finding.entry.digest(),
            "effect": finding.effect,
            "bridged_effect": finding.bridged_effect,
        }
    known = [entry.name for entry in catalogue.entries()]
    return circumstances | {"entries": {name: kept[name] for name in known if name in kept}}


def machine() -> str:
    """The processor and the Python in words."""
    return f"{processor()} ({platform.system()} {platform.machine()}), Python {platform.python_version()}"


def read_record() -> dict[str, Any]:
    """What measured.json holds; empty where there is none."""
    if not RECORD.is_file():
        return {}
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return record


def _contents(entries: Sequence[Entry], effects: dict[str, Any], columns: str) -> str:
    """The table at the top."""
    lines = [columns, "|---|---|--:|--:|"]
    for entry in entries:
        measured = effects[entry.name]
        numbers = f"{number(measured['effect'])} | {number(measured['bridged_effect'])}"
        lines.append(f"| [`{entry.name}`](#{entry.name}) | {entry.title} | {numbers} |")
    return "\n".join(lines) + "\n"


def _section(entry: Entry, measured: dict[str, Any], wording: Wording) -> str:
    """One entry of the page."""
    folder = f"{wording.sources}/diptych/differences/entries/{entry.name}"
    why, bridge, effect, programs = wording.labels
    bridged = measured["bridged_effect"]
    left = "" if bridged is None else wording.bridged.format(number=number(bridged))
    unit = entry.unit.format(f"**{number(measured['effect'])}**")
    return "\n".join(
        [
            f"### {entry.name}",
            "",
            f"**{entry.title}.** {entry.what}",
            "",
            f"{why} {entry.why}",
            "",
            f"{bridge} {entry.bridge}",
            "",
            f"{effect} {wording.effect.format(effect=unit, bridged=left)}",
            f"{programs} [TensorFlow]({folder}/in_tensorflow.py), [PyTorch]({folder}/in_pytorch.py).",
            "",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, record and write the page in both languages; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m diptych.differences.document", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="measure these entries only")
    parser.add_argument("--text", action="store_true", help="measure nothing: take the recorded effects")
    options = parser.parse_args(arguments)
    try:
        if not DOCS.is_dir():
            raise UsageError(f"there is no folder {DOCS}: run this in a checkout of the repository")
        if options.text and options.names:
            raise UsageError("--text measures nothing, so no entry can be named")
        record = read_record() if options.text else measure(options.names, read_record())
        if not record:
            raise UsageError(f"there is no {RECORD.name}: run this once without --text")
        pages = {DOCS / wording.page: render(catalogue.entries(), record, wording) for wording in (ENGLISH, KOREAN)}
    except DiptychError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    replace_file(RECORD, json.dumps(record, indent=2) + "\n")
    for path, text in pages.items():
        replace_file(path, text)
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
