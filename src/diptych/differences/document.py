"""Write docs/differences.md from the catalogue: `python -m diptych.differences.document [NAME...]`.

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
from diptych.differences.entry import TOPICS, Entry
from diptych.differences.render import number
from diptych.errors import DiptychError, UsageError
from diptych.processes.machine import processor
from diptych.storage.place import replace_file

RECORD = Path(__file__).with_name("measured.json")
PAGE = Path(__file__).parents[3] / "docs" / "differences.md"

INTRODUCTION = """\
# Where Keras on TensorFlow and PyTorch part ways

<!-- Written by `python -m diptych.differences.document`; change the entries in src/diptych/differences instead. -->

Carry a recurrent model from one framework to the other line by line, and it computes something else. Each entry here is
one reason, shown by two short programs of stock code, one in each framework, that can be run on their own. *Effect* is
how far their results are apart, *bridged* how far once the difference is dealt with in the way Diptych does (a ratio is
then 1). `diptych differences` runs them all on your machine, `diptych differences NAME` one of them.
"""


def render(entries: Sequence[Entry], record: dict[str, Any]) -> str:
    """The page, from the entries' texts and the recorded effects.

    Raises:
        UsageError: an entry has no record, or its programs have changed since.
    """
    check(entries, record)
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    parts = [
        INTRODUCTION,
        f"Measured with {versions} on {record['machine']}, on the CPU, one thread for each framework.\n",
        _contents(entries, record["entries"]),
    ]
    for topic, title in TOPICS.items():
        inside = [entry for entry in entries if entry.topic == topic]
        if inside:
            parts += [f"## {title}\n"] + [_section(entry, record["entries"][entry.name]) for entry in inside]
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


def _contents(entries: Sequence[Entry], effects: dict[str, Any]) -> str:
    """The table at the top."""
    lines = ["| entry | difference | effect | bridged |", "|---|---|--:|--:|"]
    for entry in entries:
        measured = effects[entry.name]
        numbers = f"{number(measured['effect'])} | {number(measured['bridged_effect'])}"
        lines.append(f"| [`{entry.name}`](#{entry.name}) | {entry.title} | {numbers} |")
    return "\n".join(lines) + "\n"


def _section(entry: Entry, measured: dict[str, Any]) -> str:
    """One entry of the page."""
    folder = f"../src/diptych/differences/entries/{entry.name}"
    bridged = measured["bridged_effect"]
    left = "" if bridged is None else f"; bridged: {number(bridged)}"
    return "\n".join(
        [
            f"### {entry.name}",
            "",
            f"**{entry.title}.** {entry.what}",
            "",
            f"*Why.* {entry.why}",
            "",
            f"*Bridge.* {entry.bridge}",
            "",
            f"*Effect.* **{number(measured['effect'])}** {entry.unit}{left}.",
            f"Programs: [TensorFlow]({folder}/in_tensorflow.py), [PyTorch]({folder}/in_pytorch.py).",
            "",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, record and write the page; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m diptych.differences.document", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="measure these entries only")
    parser.add_argument("--text", action="store_true", help="measure nothing: take the recorded effects")
    options = parser.parse_args(arguments)
    try:
        if not PAGE.parent.is_dir():
            raise UsageError(f"there is no folder {PAGE.parent}: run this in a checkout of the repository")
        if options.text and options.names:
            raise UsageError("--text measures nothing, so no entry can be named")
        record = read_record() if options.text else measure(options.names, read_record())
        if not record:
            raise UsageError(f"there is no {RECORD.name}: run this once without --text")
        page = render(catalogue.entries(), record)
    except DiptychError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    replace_file(RECORD, json.dumps(record, indent=2) + "\n")
    replace_file(PAGE, page)
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
