"""The catalogue of differences: find the entries, run their programs, measure and judge what they found."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from diptych.differences.effects import agree, effect
from diptych.differences.entry import TOPICS, Entry, read_entry
from diptych.differences.processes import Outcome, not_installed, run_programs
from diptych.errors import UsageError
from diptych.panel import BACKENDS

Verdict = Literal["differs", "gone", "not installed", "failed"]


@dataclass(frozen=True)
class Finding:
    """What running one entry showed.

    Attributes:
        entry: the entry that was run.
        verdict: "differs"; "gone" where the two results now agree; "not installed" where a framework is missing;
            "failed" where a program did not give a result.
        outputs: by framework, what its program printed: `versions`, `result`, and where it has them `bridged` and
            `details`.
        effect: how far the two stock results are apart, in the entry's unit; None where there is none.
        bridged_effect: the same once the difference is bridged; None where the programs do not show it.
        note: what else the reader needs: the versions in which it is gone, the pip command, the error.
    """

    entry: Entry
    verdict: Verdict
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    effect: float | None = None
    bridged_effect: float | None = None
    note: str = ""

    @property
    def versions(self) -> dict[str, str]:
        """The versions of every package the programs named."""
        return {package: version for output in self.outputs.values() for package, version in output["versions"].items()}

    @property
    def bridge_holds(self) -> bool | None:
        """Whether the bridged results agree to the entry's tolerance; None where the programs do not show it."""
        if self.bridged_effect is None:
            return None
        return agree(self.entry.compare, self.bridged_effect, self.entry.tolerance)

    def to_json(self) -> dict[str, Any]:
        """This finding as JSON values."""
        results = {
            framework: {key: value for key, value in self.outputs.get(framework, {}).items() if key != "versions"}
            for framework in BACKENDS
        }
        return {
            "name": self.entry.name,
            "title": self.entry.title,
            "topic": self.entry.topic,
            "verdict": self.verdict,
            "effect": self.effect,
            "unit": self.entry.unit,
            "compare": self.entry.compare,
            "tolerance": self.entry.tolerance,
            "bridged_effect": self.bridged_effect,
            "bridge_holds": self.bridge_holds,
            **results,
            "versions": self.versions,
            "what": self.entry.what,
            "why": self.entry.why,
            "bridge": self.entry.bridge,
            "note": self.note,
        }


def entries() -> list[Entry]:
    """Every entry of the catalogue, by topic and then by name."""
    folders = [path.parent for path in (Path(__file__).parent / "entries").glob("*/entry.toml")]
    order = list(TOPICS)
    return sorted(map(read_entry, folders), key=lambda entry: (order.index(entry.topic), entry.name))


def choose(names: Iterable[str] | None = None) -> list[Entry]:
    """The entries of these names, in the order asked for; all of them where none is named.

    Raises:
        UsageError: a name that is not in the catalogue; the closest ones are listed.
    """
    known = {entry.name: entry for entry in entries()}
    chosen = []
    for name in list(dict.fromkeys(names or known)):
        if name not in known:
            close = difflib.get_close_matches(name.replace("-", "_").lower(), known, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(close)}? " if close else ""
            raise UsageError(f"no difference is called {name!r}: {hint}choose among: {', '.join(known)}")
        chosen.append(known[name])
    return chosen


def run(names: Iterable[str] | None = None, timeout: float = 170.0) -> list[Finding]:
    """Run the programs of these entries (all where none is named) and measure what differs.

    Each framework gets one process; `timeout` is how many seconds both together may take. A missing framework, a
    failing program and a passed deadline are findings, not exceptions.

    Raises:
        UsageError: a name that is not in the catalogue.
    """
    chosen = choose(names)
    missing = {framework: message for framework in BACKENDS if (message := not_installed(framework))}
    installed = [framework for framework in BACKENDS if framework not in missing]
    outcomes = run_programs({framework: [e.program(framework) for e in chosen] for framework in installed}, timeout)
    return [
        judge(entry, {framework: outcomes[entry.program(framework)] for framework in installed}, list(missing.values()))
        for entry in chosen
    ]


def judge(entry: Entry, outcomes: dict[str, Outcome], missing: list[str]) -> Finding:
    """Measure one entry's effect from what its programs gave, and say what it means.

    Args:
        entry: the entry that was run.
        outcomes: by framework, what its program gave.
        missing: one message for each framework that is not installed.
    """
    outputs = {framework: outcome.output for framework, outcome in outcomes.items() if outcome.output is not None}
    errors = [f"in_{framework}.py: {outcome.error}" for framework, outcome in outcomes.items() if outcome.error]
    if errors:
        return Finding(entry, "failed", outputs, note="; ".join(errors + missing))
    if missing:
        return Finding(entry, "not installed", outputs, note="; ".join(missing))
    tensorflow, pytorch = outputs["tensorflow"], outputs["pytorch"]
    bridged_effect = None
    try:
        size = effect(entry.compare, tensorflow["result"], pytorch["result"])
        if "bridged" in tensorflow or "bridged" in pytorch:
            # A side that needs no change to meet the other prints its result only.
            sides = (side.get("bridged", side["result"]) for side in (tensorflow, pytorch))
            bridged_effect = effect(entry.compare, *sides)
    except ValueError as error:
        return Finding(entry, "failed", outputs, note=f"the two results cannot be compared: {error}")
    finding = Finding(entry, verdict="differs", outputs=outputs, effect=size, bridged_effect=bridged_effect)
    if not agree(entry.compare, size, entry.tolerance):
        return finding
    versions = ", ".join(f"{package} {version}" for package, version in finding.versions.items())
    return Finding(
        entry,
        verdict="gone",
        outputs=outputs,
        effect=size,
        bridged_effect=bridged_effect,
        note=f"gone in {versions}: the two agree there",
    )
