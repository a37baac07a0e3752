"""`diptych search`: which settings are best, by validation only."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from diptych.cli.options import Assignments, Device, Json, Quiet


def search(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A TOML config.", show_default=False)],
    vary: Annotated[
        list[str],
        typer.Option(
            "--vary",
            metavar="KEY=VALUE,VALUE|LOW..HIGH",
            help="Values of a key, or a range to draw from; a range over powers of ten draws these evenly.",
            show_default=False,
        ),
    ],
    trials: Annotated[int, typer.Option("--trials", min=0, help="Draw so many at random; 0: every combination.")] = 0,
    draw_seed: Annotated[int, typer.Option("--draw-seed", min=0, help="Of the draws.")] = 1,
    by: Annotated[str, typer.Option("--by", help="loss, or a measure of `diptych evaluate`.")] = "loss",
    backend: Annotated[
        Literal["tensorflow", "pytorch"], typer.Option("--backend", help="Which framework trains.")
    ] = "pytorch",
    assignments: Assignments = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", help="Where the runs go; by default runs/NAME-batch for NAME.toml."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE.png|svg", help="Draw each training's score by each setting.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Trainings at once, each in a process of its own.")] = 1,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Of each training; by default the processors by the jobs.")
    ] = None,
    device: Device = "auto",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train a recipe with many settings, and rank them by their validation.

    The test part is not looked at. What is done is noted in batch.json in the folder: the same command given again goes
    on where it stopped, and with more trials or values does what is new.
    """
    from diptych.cli.batch import open_batch, planned
    from diptych.evaluation.measures import MEASURES, chosen_measures
    from diptych.experiments.batch import Judgement
    from diptych.experiments.plan import Variation
    from diptych.experiments.search import Range, drawn, ranked
    from diptych.plots import picture_path

    measures = chosen_measures("exact_match" if by == "loss" else by)[:1]
    picture = picture_path(plot) if plot else None
    varied = drawn([Range.read(text) or Variation.read(text) for text in vary], trials, draw_seed)
    plan = [planned(config, assignments, settings=each, backend=backend) for each in varied]
    work = open_batch(config, folder, jobs=jobs, threads=threads, device=device)
    judgement = Judgement("validation", tuple(measures))
    work.run(plan, judgement, jobs, say=lambda text: None if quiet else print(text, file=sys.stderr, flush=True))
    better = by != "loss" and MEASURES[measures[0]].higher_is_better
    order = ranked(work.results(plan, judgement), measures[0] if by != "loss" else by, better)
    if picture:
        _draw(order, by, path=picture, title=f"{config.stem}: {len(order)} trainings")
    if as_json:
        shown = [{"settings": each["settings"], by: None if math.isnan(merit) else merit} for merit, each in order]
        print(json.dumps(shown, ensure_ascii=False))
        return
    for line in _table(order, by):
        print(line)
    best = " ".join(f"--set {key}={value}" for key, value in order[0][1]["settings"].items())
    print(f"\nthe best: diptych train {config} {best}")


def _table(order: list[tuple[float, dict[str, Any]]], by: str) -> list[str]:
    """Aligned columns, the best first; of keys only the last part."""
    keys = list(order[0][1]["settings"])
    lines = [[by, *(key.rpartition(".")[2] for key in keys), "step", "minutes"]]
    for merit, each in order:
        trained = each["training"]
        cells = ["none" if math.isnan(merit) else f"{merit:.4f}" if by == "loss" else f"{merit:.2f}"]
        cells += [each["settings"][key] for key in keys]
        lines.append([*cells, f"{trained['best_step']:,}", f"{trained['seconds'] / 60.0:.1f}"])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(line, widths)) for line in lines]


def _draw(order: list[tuple[float, dict[str, Any]]], by: str, path: Path, title: str) -> None:
    from diptych.config.assignment import read_value
    from diptych.evaluation.measures import MEASURES
    from diptych.plots import settings_and_scores

    drawn = [(merit, each["settings"]) for merit, each in order if not math.isnan(merit)]
    settings = {key: [read_value(each[key]) for _, each in drawn] for key in order[0][1]["settings"]}
    name = "validation loss" if by == "loss" else MEASURES[by].title
    settings_and_scores(settings, [merit for merit, _ in drawn], name=name, path=path, title=title)
