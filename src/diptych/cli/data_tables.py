"""What `diptych data` prints."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from diptych.cli.streams import write_lines
from diptych.data.corpus.account import shown
from diptych.runs.corpus_report import Sample
from diptych.runs.progress import format_seconds

LENGTHS = ("shortest", "median", "percentile_90", "percentile_99", "longest")
SIDES = ("source", "target")


def print_preparation(report: Mapping[str, Any]) -> None:
    """What became of a corpus."""
    account = report["account"]
    kept = account["train"] + account["validation"] + account["test"]
    print(f"read      {account['read']:>12,} pairs")
    print(
        f"kept      {kept:>12,}: {account['train']:,} to train on, {account['validation']:,} for validation, "
        f"{account['test']:,} for test"
    )
    if report["pairs_per_epoch"] != account["train"]:
        print(f"an epoch  {report['pairs_per_epoch']:>12,} pairs, by the texts' weights")
    _print_dropped(account["dropped"], account["examples"])
    if report["dropped_list"]:
        print(f"          all of them with file and line: {report['dropped_list']}")
    _print_tokens(report["train"], report["vocabulary"])
    unknown = (f"{_unknown(counts)} of the {side}'s tokens" for side, counts in report["validation"].items())
    print(f"unknown   {' and '.join(unknown)} in the validation part")
    for each in report["advice"]:
        print(f"advice    {each}")
    print(f"on disk   {report['bytes'] / 1e6:>12,.1f} MB, in {format_seconds(report['seconds'])}")
    print(f"train it with: diptych train {report['run']}")


def print_inspection(report: Mapping[str, Any]) -> None:
    """What is in a corpus."""
    text = report["text"]
    _print_dropped(report["account"]["dropped"], report["account"]["examples"])
    if text is None:
        print(f"no pairs in the {report['part']} part")
        return
    print(f"pairs     {text['pairs']:>12,} in the {report['part']} part")
    print(f"repeated  {text['repeated_pairs']:>12,} pairs came before, {text['repeated_sources']:,} sources did")
    print(f"lengths   {'shortest':>12}{'median':>9}{'90 %':>9}{'99 %':>9}{'longest':>9}")
    for side in SIDES:
        for unit, key in (("words", "lengths"), ("characters", "characters")):
            print(f"          {_lengths(text[side][key])}  {unit} of the {side}")
    for side in SIDES:
        words = text[side]
        different = "more than could be counted" if words["different"] is None else f"{words['different']:,}"
        print(f"{side:10}{words['words']:>12,} words, {different} different; letters: {_shares(words['scripts'])}")
        if words["top"]:
            print("          " + "  ".join(f"{shown(word)} {count:,}" for word, count in words["top"].items()))
    if report.get("tokens"):
        _print_tokens(report["tokens"], report["vocabulary"])


def print_samples(samples: Sequence[Sample], as_json: bool) -> None:
    """Pairs, one a line, with the tokens of each below it if they are known; in UTF-8, whatever the terminal speaks."""
    lines = []
    for sample in samples:
        if as_json:
            known = {key: value for key, value in asdict(sample).items() if value is not None}
            lines.append(json.dumps(known, ensure_ascii=False))
            continue
        lines.append(f"{sample.source}\t{sample.target}")
        lines += [f"    {' | '.join(tokens)}" for tokens in (sample.source_tokens, sample.target_tokens) if tokens]
    write_lines(lines)


def _print_dropped(dropped: Mapping[str, int], examples: Mapping[str, Sequence[Sequence[str]]]) -> None:
    print(f"dropped   {sum(dropped.values()):>12,}")
    for reason, count in dropped.items():
        print(f"          {count:>12,}  {reason}")
        for place, text in examples.get(reason, ()):
            print(f"                          {place}  {text}")


def _print_tokens(sides: Mapping[str, Mapping[str, Any]], vocabulary: Mapping[str, int]) -> None:
    for side, counts in sides.items():
        print(f"{side:10}{counts['tokens']:>12,} tokens, {_unknown(counts)} unknown, vocabulary {vocabulary[side]:,}")
    print(f"lengths   {'shortest':>12}{'median':>9}{'90 %':>9}{'99 %':>9}{'longest':>9}")
    for side, counts in sides.items():
        print(f"          {_lengths(counts['lengths'])}  tokens of the {side}")


def _unknown(counts: Mapping[str, Any]) -> str:
    return f"{100 * counts['unknown'] / counts['tokens']:.2f} %"


def _lengths(lengths: Mapping[str, int]) -> str:
    first, *others = (lengths[key] for key in LENGTHS)
    return f"{first:>12,}" + "".join(f"{length:>9,}" for length in others)


def _shares(scripts: Mapping[str, int]) -> str:
    letters = sum(scripts.values())
    if not letters:
        return "none"
    return ", ".join(f"{script} {100 * count / letters:.1f} %" for script, count in list(scripts.items())[:5])
