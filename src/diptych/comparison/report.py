"""report.json: what was compared, under which circumstances, and all that came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from jinja2 import UndefinedError

from diptych.comparison.quality import agreement, quality
from diptych.data.corpus.corpus import Corpus
from diptych.data.pairs import Pair
from diptych.errors import RunError
from diptych.evaluation.lengths import quality_by_length
from diptych.pages.report.sentences import LARGEST, kept_maps
from diptych.runs.run import Run
from diptych.storage.json_text import parse_json, read_at_most
from diptych.storage.place import replace_file

SCHEMA = 1
FRAMEWORKS = {"tensorflow": "tensorflow", "pytorch": "torch"}
# What of a worker's measurements goes into the report as it is.
MEASURED = ("versions", "training", "memory", "startup_seconds", "compile_seconds", "decoding")
REPORT = "report.json"


def build_report(
    run: Run,
    corpus: Corpus,
    trained: Mapping[str, Mapping[str, Any]],
    tokenize: str,
    elsewhere: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """What came of a run: all but its circumstances.

    Args:
        run: the run.
        corpus: its corpus; what was translated is its test part.
        trained: by backend, what `training.train_and_translate` returned.
        tokenize: how BLEU cuts a text.
        elsewhere: by runtime, what `decode_elsewhere` returned.
    """
    texts = {backend: [each["text"] for each in values["translations"]] for backend, values in trained.items()}
    references = [run.target_tokenizer.form(target) for _, target in corpus.test]
    lengths = [len(each["source_tokens"]) for each in next(iter(trained.values()))["translations"]]
    others = {name: values for name, values in elsewhere.items() if "missing" not in values}
    scores = quality(texts | {name: values["texts"] for name, values in others.items()}, references, tokenize)
    return {
        "schema": SCHEMA,
        "config": run.config.model_dump(mode="json"),
        "data": {
            "train": len(corpus.train),
            "validation": len(corpus.validation),
            "test": len(corpus.test),
            "source_vocabulary": len(run.source_vocabulary),
            "target_vocabulary": len(run.target_vocabulary),
            "dropped": next(iter(trained.values()))["dropped"],
        },
        "backends": {
            backend: {
                "version": values["versions"][FRAMEWORKS[backend]],
                **{key: values[key] for key in MEASURED},
                "quality": scores[backend],
            }
            for backend, values in trained.items()
        },
        "decoders": {
            name: {key: value for key, value in values.items() if key != "texts"} | {"quality": scores[name]}
            for name, values in others.items()
        },
        "without": {name: values["missing"] for name, values in elsewhere.items() if "missing" in values},
        "ceilings": {"training": {backend: _ceiling(values) for backend, values in trained.items()}},
        "agreement": agreement({backend: values["training"]["losses"] for backend, values in trained.items()}, texts),
        "quality_by_length": quality_by_length(lengths, texts, references),
        "translations": translation_entries(
            corpus.test, {backend: values["translations"] for backend, values in trained.items()}
        ),
    }


def _ceiling(values: Mapping[str, Any]) -> dict[str, Any]:
    """A backend's ceiling as the page shows it."""
    return {"value": values["ceiling"]["target_tokens_per_second"], "what": "what its matrix products alone allow"}


def translation_entries(
    pairs: Sequence[Pair], by_backend: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[dict[str, Any]]:
    """For each sentence an entry, from each backend's list of translations."""
    return [
        translation_entry(pair, dict(zip(by_backend, translations, strict=True)))
        for pair, *translations in zip(pairs, *by_backend.values(), strict=True)
    ]


def translation_entry(pair: Pair, by_backend: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One sentence: its reference, and what each backend made of it."""
    source, reference = pair
    return {
        "source": source,
        "source_tokens": next(iter(by_backend.values()))["source_tokens"],
        "reference": reference,
        "outputs": {backend: each["text"] for backend, each in by_backend.items()},
        "tokens": {backend: each["tokens"] for backend, each in by_backend.items()},
        "log_probability": {backend: each["log_probability"] for backend, each in by_backend.items()},
        "attention": {backend: rounded(each["attention"]) for backend, each in by_backend.items()},
        "difference": difference([(each["tokens"], each["attention"]) for each in by_backend.values()]),
    }


def difference(maps: Sequence[tuple[Sequence[str], npt.NDArray[Any]]]) -> dict[str, Any] | None:
    """The second of two attention maps less the first, of the weights as they are: in a report they are rounded.

    Returns:
        The `largest` difference, without its sign, and (T, S) `hundredths` of it, from -100 to 100. None where the two
        say something else, or there is no attention.
    """
    (said, before), (also, after) = maps
    if list(said) != list(also) or not (np.any(before) or np.any(after)):
        return None
    gaps = after.astype(np.float64) - before.astype(np.float64)
    largest = float(np.abs(gaps).max())
    return {"largest": largest, "hundredths": np.rint(100.0 * gaps / (largest or 1.0)).astype(int).tolist()}


def rounded(attention: npt.NDArray[Any]) -> list[list[float]]:
    """(T, S) weights with four decimals."""
    weights: list[list[float]] = np.round(attention.astype(np.float64), 4).tolist()
    return weights


def write_report(report: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Write report.json, no larger than it may be without maps, then without translations; return what was written."""
    whole = dict(report) | {"translations": [], "translations_left_out": 0, "attention_left_out": 0}
    room = LARGEST - len(_encode(whole)) - 100
    entries: Sequence[Mapping[str, Any]] = report["translations"]
    kept = [dict(entry) | {"attention": None, "difference": None} for entry in entries]
    sizes = [len(_encode(entry)) + 2 for entry in kept]
    while kept and sum(sizes) > room:
        kept.pop()
        sizes.pop()
    room -= sum(sizes)
    maps = [{name: entry[name] for name in ("attention", "difference")} for entry in entries[: len(kept)]]
    for row in kept_maps(entries[: len(kept)], [len(_encode(each)) for each in maps], room):
        kept[row] |= maps[row]
    whole["translations"] = kept
    whole["translations_left_out"] = len(entries) - len(kept)
    whole["attention_left_out"] = sum(entry["attention"] is None for entry in kept)
    replace_file(folder / REPORT, _encode(whole).decode("utf-8"))
    return whole


def read_report(path: Path) -> dict[str, Any]:
    """What a report.json holds.

    Raises:
        RunError: it is not there, or is no report.
    """
    if not path.is_file():
        raise RunError(f"{path.parent} has no {path.name}: `diptych compare --run {path.parent}` trains and writes one")
    try:
        report = parse_json(read_at_most(path, 2 * LARGEST))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} is no report: {error}; compute it again with `diptych compare`") from error
    if not isinstance(report, dict):
        raise RunError(f"{path} is no report, got {type(report).__name__}; compute it again with `diptych compare`")
    return report


@contextmanager
def shown_from(folder: Path) -> Iterator[None]:
    """While this lasts a report is shown: whatever its values make fail there says that it was altered.

    Raises:
        RunError: something failed.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, UndefinedError, ValueError) as error:
        raise RunError(
            f"{folder / REPORT} is damaged: {type(error).__name__}: {str(error)[:200]}; compute it again with "
            f"`diptych compare`"
        ) from error


def check_schema(report: Mapping[str, Any]) -> None:
    """Refuse a report of another version of Diptych.

    Raises:
        RunError: it is one.
    """
    if report.get("schema") != SCHEMA:
        raise RunError(
            f"the report has schema {report.get('schema')!r}, this version of Diptych reads {SCHEMA}: "
            f"compute it again with `diptych compare`"
        )


def _encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
