"""`diptych evaluate`: how good a run's translations are."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Literal

import typer

from diptych.cli.options import AnyBackend, Device, Json, Run, Threads, Tokenize


def evaluate(
    run_folder: Run,
    backend: AnyBackend = "pytorch",
    part: Annotated[
        Literal["train", "validation", "test"], typer.Option("--part", help="Which part of the corpus.")
    ] = "test",
    tokenize: Tokenize = "13a",
    threads: Threads = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Score a run's translations: BLEU, chrF and exact match.

    A part of the corpus is translated with the run's own search; the scores come with sacreBLEU's signatures.
    """
    from diptych.evaluate import score
    from diptych.translation import load

    translator = load(run_folder, backend, threads=threads, device=device)
    pairs = getattr(translator.run.corpus(), part)
    found = translator.translate([source for source, _ in pairs])
    references = [translator.run.target_tokenizer.form(target) for _, target in pairs]
    scores = score([each.text for each in found], references, tokenize)
    if as_json:
        print(json.dumps(dataclasses.asdict(scores) | {"part": part, "backend": backend}))
        return
    print(f"BLEU         {scores.bleu:6.2f}  {scores.signatures['bleu']}")
    print(f"chrF         {scores.chrf:6.2f}  {scores.signatures['chrf']}")
    print(f"exact match  {scores.exact_match:6.2f} %")
    print(f"sentences    {scores.sentences:,}, {part} part, translated with {backend}")
