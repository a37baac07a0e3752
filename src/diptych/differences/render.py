"""Findings as plain text for a terminal: a table of all of them, or one told in full.

The text holds square brackets of its own: print it as it is, without markup.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from diptych.differences.catalogue import Finding
from diptych.differences.effects import furthest
from diptych.differences.entry import TOPICS
from diptych.panel import BACKENDS, NAMES


def number(value: float | None) -> str:
    """A measured number in three digits, a count in full, a dash for none."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value == round(value) and value < 1e6 else f"{value:.3g}"


def table(findings: Iterable[Finding], width: int = 110) -> str:
    """One line for each finding, by topic: its name, its effect, what is left once bridged, and the unit.

    Where there is no difference the line ends in the verdict and its note, in full whatever the width.
    """
    findings = list(findings)
    columns = max((len(finding.entry.name) for finding in findings), default=0) + 2
    lines = []
    for topic, title in TOPICS.items():
        inside = [finding for finding in findings if finding.entry.topic == topic]
        if not inside:
            continue
        lines += [title, f"  {'':{columns}}{'effect':>9}  {'bridged':>9}"]
        for finding in inside:
            start = (
                f"  {finding.entry.name:{columns}}{number(finding.effect):>9}  {number(finding.bridged_effect):>9}  "
            )
            unit = textwrap.shorten(finding.entry.unit, max(20, width - len(start)), placeholder=" ...")
            lines.append(start + (unit if finding.verdict == "differs" else f"{finding.verdict}: {finding.note}"))
        lines.append("")
    counts = Counter(finding.verdict for finding in findings)
    lines.append(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    if versions := {name: version for finding in findings for name, version in finding.versions.items()}:
        lines.append(", ".join(f"{name} {version}" for name, version in versions.items()))
    return "\n".join(lines) + "\n"


def describe(finding: Finding, width: int = 110) -> str:
    """One finding in full: what differs, why, the bridge, both results, the measured effect."""
    entry = finding.entry
    lines = [entry.title, "=" * len(entry.title), ""]
    for heading, text in (("What", entry.what), ("Why", entry.why), ("Bridge", entry.bridge)):
        lines += textwrap.wrap(text, width, initial_indent=f"{heading:9}", subsequent_indent=" " * 9)
        lines.append("")
    for framework in BACKENDS:
        if output := finding.outputs.get(framework):
            versions = ", ".join(f"{name} {version}" for name, version in output["versions"].items())
            lines.append(f"{NAMES[framework]} ({versions}), {entry.program(framework).name}")
            for part in ("result", "bridged", "details"):
                if part in output:
                    lines.append(f"  {part:9}{textwrap.shorten(sketch(output[part]), width - 11, placeholder=' ...')}")
            lines.append("")
    lines += list(_outcome(finding))
    return "\n".join(lines) + "\n"


def sketch(result: Any, most: int = 6) -> str:
    """A result in a few words: its first values, and how many there are."""
    values = list(_values(result))
    return ", ".join(values[:most]) + (f" ... ({len(values)} values)" if len(values) > most else "")


def _outcome(finding: Finding) -> Iterator[str]:
    """The last lines of a finding: the verdict and the numbers behind it."""
    entry = finding.entry
    if finding.effect is not None:
        yield f"Effect   {number(finding.effect)} {entry.unit} ({entry.compare})"
        results = [finding.outputs[framework]["result"] for framework in BACKENDS]
        for place, *values in furthest(*results):
            first, second = ("nothing" if value is None else sketch(value) for value in values)
            yield f"         {place}{': ' if place else ''}{first} in TensorFlow, {second} in PyTorch"
    if finding.bridged_effect is not None:
        holds = "the two agree" if finding.bridge_holds else f"more than the tolerance of {entry.tolerance:g}"
        yield f"Bridged  {number(finding.bridged_effect)}: {holds}"
    yield f"Verdict  {finding.verdict}" + (f": {finding.note}" if finding.note else "")


def _values(result: Any) -> Iterator[str]:
    """Every value of a result in nine digits; those of a dictionary with their names."""
    if isinstance(result, dict):
        for key, value in result.items():
            yield f"{key}: {', '.join(_values(value))}"
    elif isinstance(result, list):
        for value in result:
            yield from _values(value)
    else:
        yield f"{result:.9g}" if isinstance(result, float) else str(result)
