"""A model as one HTML file: certified by node where there is one, and put in place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diptych.config import SearchConfig
from diptych.errors import UsageError
from diptych.export.certificate import Check, check, demand
from diptych.export.exporting import no_place, refuse_taken
from diptych.export.html.page import render
from diptych.export.trained import Trained
from diptych.export.trial import LARGEST_INT8, Trial, outputs, usual_gap
from diptych.javascript import node
from diptych.javascript.packed import Kind
from diptych.search import find
from diptych.storage.place import replace_file

LIMIT = 1e-12
"""Weights in float64: the same formulas, in another order of the sums."""
INSIDE: dict[str, float] = {"float32": 1e-4, "int8": LARGEST_INT8}
"""By how the weights are inside."""
SEARCHES = (SearchConfig(), SearchConfig(beam_size=5), SearchConfig(temperature=1.0, seed=1))


@dataclass(frozen=True)
class Page:
    """What came of an export.

    Attributes:
        path: where it is.
        size: of the file, in bytes.
        checks: what was compared; nothing without node.
        notes: what was not.
    """

    path: Path
    size: int
    checks: list[Check]
    notes: list[str]


def export_page(trained: Trained, out: Path, int8: bool = False) -> Page:
    """Write a model as one HTML file.

    Raises:
        UsageError: something is there already, the name is none of a page, or nothing can be written there.
        CertificateError: the page would not compute what the reference does; nothing is written.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{out} is no name of a page: give one that ends in .html")
    if trained.run.source_tokenizer.tags:
        raise UsageError("a page reads no tags in front of a line (data.source_tags): export to another kind")
    kinds = {trained.run.source_tokenizer.kind, trained.run.target_tokenizer.kind}
    if "word_punctuation" in kinds:
        raise UsageError("a page has no tokenizer 'word_punctuation': export to another kind")
    refuse_taken(out)
    kind: Kind = "int8" if int8 else "float32"
    checks = certify(trained, kind) if node.is_installed() else []
    demand(checks)
    notes = [] if checks else ["not certified: that needs node, and there was none where the page was made"]
    text = render(trained, kind, checks=checks, notes=notes)
    try:
        replace_file(out, text)
    except OSError as error:
        raise no_place(out, error) from error
    return Page(out, len(text.encode("utf-8")), checks=checks, notes=notes)


def certify(trained: Trained, kind: Kind) -> list[Check]:
    """What the painting computes beside the reference: in float64 to 1e-12, and with the weights that are inside."""
    rows = Trial.of(trained).rows()
    expected = [outputs(trained.reference(), row) for row in rows]
    longest = [int(trained.run.longest_translations(row.lengths)[0]) for row in rows]
    sources = [row.source[0].tolist() for row in rows]
    said = [[*row.tokens[0][1:].tolist(), 0] for row in rows]
    config, checks = trained.run.config.model, []
    for inside, limit in (("float64", LIMIT), (kind, INSIDE[kind])):
        searches = SEARCHES if inside == "float64" else ()
        answer = node.ask(
            config,
            trained.parameters,
            sources=sources,
            said=said,
            searches=searches,
            longest=longest,
            kind=inside,  # type: ignore[arg-type]
        )
        found = {
            f"{name} {number}": np.array([step[key] for step in steps])
            for number, steps in enumerate(answer["forced"])
            for name, key in (("log_probabilities", "table"), ("attention", "attention"))
        }
        wanted = {f"{name} {number}": each[name][0] for number, each in enumerate(expected) for name in each}
        who = f"JavaScript (node {answer['node']}) with weights in {inside}"
        what = f"{who} and the reference in float64"
        checks.append(check(what, found, expected=wanted, limit=limit))
        checks += [usual_gap(what, found, wanted)] if inside == "int8" else []
        for search, several in zip(searches, answer["found"]):
            checks.append(
                _searched(trained, search, rows=rows, longest=longest, found=[each[0]["tokens"] for each in several])
            )
    return checks


def _searched(
    trained: Trained, search: SearchConfig, rows: list[Trial], longest: list[int], found: list[list[int]]
) -> Check:
    """Whether a search says the same tokens."""
    wrong = []
    for number, row in enumerate(rows):
        usual = np.array([longest[number]], np.int32)
        best = find(trained.reference(), row.source, row.lengths, usual_lengths=usual, search=search, rows=[number])[0][
            0
        ]
        if list(best.tokens) != found[number]:
            wrong.append(number)
    how = (
        f"a beam of {search.beam_size}"
        if search.beam_size > 1
        else "sampling"
        if search.temperature
        else "greedy search"
    )
    what = f"{how} in JavaScript and of the reference: sentences of {len(rows)} that differ"
    return Check(what, float(len(wrong)), limit=0.0, where=f"sentence {wrong[0]}" if wrong else "")
