"""`compare`: train a run in both frameworks, one process each, and put side by side what came of it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.backends import BACKENDS, is_installed
from diptych.compare.parity import climb
from diptych.compare.pictures import draw_attention, draw_losses
from diptych.compare.quality import agreement, quality
from diptych.compare.report import REPORT, SCHEMA, signature, translation_entry, write_report
from diptych.compare.worker import call
from diptych.config import RunConfig
from diptych.data.corpus import Corpus, Pair
from diptych.environment import environment
from diptych.errors import BackendError, RunError
from diptych.runs import Run

EXAMPLES = 3
# Optimizer steps of the parity ladder at the end; `diptych parity RUN` takes more.
PARITY_STEPS = 10


@dataclass(frozen=True)
class Comparison:
    """A run trained in both frameworks.

    Attributes:
        folder: the run's.
        report: what report.json holds.
        files: the names of the files in the folder that show it.
        example: a sentence to try.
    """

    folder: Path
    report: dict[str, Any]
    files: tuple[str, ...]
    example: str


def compare(
    config: RunConfig,
    folder: str | Path,
    overwrite: bool = False,
    threads: int | None = None,
    device: str = "auto",
    tokenize: str = "13a",
    quiet: bool = False,
) -> Comparison:
    """Train a run in TensorFlow and in PyTorch, translate its test part in both, climb a short parity ladder.

    A report and pictures are written into the run's folder.

    Each backend has a process of its own, one after the other, with the same number of threads. Both have the same
    initial weights, batches and dropout masks.

    Args:
        config: what to train, and on what.
        folder: the run's.
        overwrite: remove a run that is there.
        threads: how many each backend uses; None for all the processors there are.
        device: "auto", "cpu" or "cuda".
        tokenize: how BLEU cuts a text, see `diptych.evaluate`.
        quiet: whether to show no progress.

    Raises:
        BackendError: a framework is not installed, or its process failed.
        RunError: the folder holds a run that is trained already, or is of another config, or is no run.
        DataError: the corpus cannot be read.
    """
    _check_installed()
    run = Run.create(config, folder, overwrite)
    if run.trained_backends():
        raise RunError(
            f"{run.folder} is trained already with {' and '.join(run.trained_backends())}: "
            f"give another --run folder, or --overwrite to remove it and begin anew"
        )
    circumstances = environment()
    threads = threads or int(circumstances["usable_processors"])
    corpus = run.corpus()
    found = {
        backend: call(
            backend,
            "diptych.compare.training:train_and_translate",
            {
                "folder": str(run.folder),
                "backend": backend,
                "sentences": [source for source, _ in corpus.test],
                "examples": [source for source, _ in _fixed_examples(config, corpus)],
                "threads": threads,
                "device": device,
                "quiet": quiet,
                "started": time.time(),
            },
            threads,
            device,
        )
        for backend in BACKENDS
    }
    report = _report(run, corpus, found, circumstances, threads, device, tokenize)
    levels = climb(run, steps=PARITY_STEPS, threads=max(1, threads // len(BACKENDS)))
    report["parity"] = {"steps": PARITY_STEPS, "levels": [level.to_json() for level in levels]}
    examples = report["examples"]
    losses = {backend: values["training"]["losses"] for backend, values in report["backends"].items()}
    pictures = [
        draw_losses(losses, run.folder, f"{config.name}: loss per target token"),
        draw_attention(examples, run.folder),
    ]
    files = tuple(filter(None, [REPORT, *pictures]))
    return Comparison(run.folder, write_report(report, run.folder), files, examples[0]["source"])


def _check_installed() -> None:
    missing = [backend for backend in BACKENDS if not is_installed(backend)]
    if missing:
        what = "all" if len(missing) > 1 else missing[0]
        raise BackendError(
            f"a comparison needs both frameworks, and {' and '.join(missing)} is not installed here: "
            f"pip install 'diptych[{what}]'"
        )


def _fixed_examples(config: RunConfig, corpus: Corpus) -> list[Pair]:
    """A sentence that is always shown: the phrasebook's first."""
    return corpus.train[:1] if config.data.corpus == "phrasebook" else []


def _report(
    run: Run,
    corpus: Corpus,
    found: dict[str, dict[str, Any]],
    circumstances: dict[str, Any],
    threads: int,
    device: str,
    tokenize: str,
) -> dict[str, Any]:
    """The whole report; its translations are those of the test part."""
    texts = {backend: [each["text"] for each in values["translations"]] for backend, values in found.items()}
    losses = {backend: values["training"]["losses"] for backend, values in found.items()}
    references = [target for _, target in corpus.test]
    translations, fixed = (
        [
            translation_entry(pair, dict(zip(found, each, strict=True)))
            for pair, *each in zip(pairs, *lists, strict=True)
        ]
        for pairs, lists in (
            (corpus.test, [values["translations"] for values in found.values()]),
            (_fixed_examples(run.config, corpus), [values["examples"] for values in found.values()]),
        )
    )
    return {
        "schema": SCHEMA,
        "signature": signature(run.config, circumstances, threads, device, _command(run, threads, device, tokenize)),
        "config": run.config.model_dump(mode="json"),
        "environment": circumstances | {"threads": threads, "device": device},
        "data": {
            "train": len(corpus.train),
            "validation": len(corpus.validation),
            "test": len(corpus.test),
            "source_vocabulary": len(run.source_vocabulary),
            "target_vocabulary": len(run.target_vocabulary),
            "dropped": found[BACKENDS[0]]["dropped"],
        },
        "backends": {
            backend: {
                "version": values["versions"][{"tensorflow": "tensorflow", "pytorch": "torch"}[backend]],
                "versions": values["versions"],
                "training": values["training"],
                "memory": values["memory"],
                "startup_seconds": values["startup_seconds"],
                "compile_seconds": values["compile_seconds"],
                "decoding": values["decoding"],
                "quality": quality(texts[backend], references, tokenize),
            }
            for backend, values in found.items()
        },
        "agreement": agreement(losses, texts),
        "parity": {},  # measured last
        "examples": fixed + choose_examples(translations, EXAMPLES - len(fixed)),
        "translations": translations,
    }


def choose_examples(translations: Sequence[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The translations that are shown: right in both if there are such, and rather long than short.

    Of the sentences whose length only a quarter exceeds, the first; then those next in length.
    """
    lengths = sorted(len(each["source_tokens"]) for each in translations)
    wanted = lengths[3 * len(lengths) // 4]

    def rank(each: dict[str, Any]) -> tuple[int, int]:
        wrong = sum(text != each["reference"] for text in each["outputs"].values())
        return wrong, abs(len(each["source_tokens"]) - wanted)

    return sorted(translations, key=rank)[:count]


def _command(run: Run, threads: int, device: str, tokenize: str) -> str:
    """The command that computes the same again, in the same folder."""
    here = Path.cwd()
    folder = run.folder.relative_to(here) if run.folder.is_relative_to(here) else run.folder
    words = ["diptych", "compare"]
    if run.config.hash() != RunConfig().hash():
        words.append(str(folder / "config.toml"))
    words += ["--run", str(folder), "--overwrite", "--threads", str(threads)]
    words += ["--device", device] if device != "auto" else []
    words += ["--tokenize", tokenize] if tokenize != "13a" else []
    return shlex.join(words)
