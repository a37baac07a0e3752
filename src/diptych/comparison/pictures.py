"""The pictures of a comparison: loss curves, attention maps of a few sentences, quality by length, speeds."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych import plots
from diptych.storage.place import replace_file

LOSS_CURVES, ATTENTION_MAPS = "loss_curves.png", "attention_maps.png"
LENGTHS, SPEEDS = "quality_by_length.png", "speeds.png"

Report = Mapping[str, Any]


def draw_pictures(report: Report, folder: Path) -> list[str]:
    """Draw everything a report has a picture of; return the pictures' names."""
    pictures = [draw_losses(report, folder), draw_attention(report["examples"], folder)]
    pictures += [draw_lengths(report, folder), draw_speeds(report, folder)]
    return [name for name in pictures if name]


def draw_losses(report: Report, folder: Path) -> str:
    """Draw both loss curves and the gap between them; return the picture's name."""
    training = {backend: values["training"] for backend, values in report["backends"].items()}
    plots.loss_curves(
        {backend: values["losses"] for backend, values in training.items()},
        folder / LOSS_CURVES,
        title=f"{report['config']['name']}: loss per target token",
        validation={backend: values.get("validation_losses", ()) for backend, values in training.items()},
    )
    return LOSS_CURVES


def draw_lengths(report: Report, folder: Path) -> str | None:
    """Draw quality by length; return the picture's name, None where a report has none of it."""
    ranges = report.get("quality_by_length")
    if not ranges:
        return None
    plots.length_and_quality(
        [(each["shortest"], each["longest"]) for each in ranges],
        [each["sentences"] for each in ranges],
        scores={backend: [each["chrf"][backend] for each in ranges] for backend in report["backends"]},
        path=folder / LENGTHS,
        title=f"{report['config']['name']}: chrF and its 95 % interval",
    )
    return LENGTHS


def draw_speeds(report: Report, folder: Path) -> str:
    """Draw training and decoding speed with their spread; return the picture's name."""
    rates = {
        "training": ("training, target tokens/s", "target_tokens_per_second"),
        "decoding": ("decoding, sentences/s", "sentences_per_second"),
    }
    speeds = {
        name: {
            backend: values[key].get("speeds") or [values[key][rate]] for backend, values in report["backends"].items()
        }
        for key, (name, rate) in rates.items()
    }
    ceilings = {
        name: {backend: each["value"] for backend, each in report.get("ceilings", {}).get(key, {}).items()}
        for key, (name, _) in rates.items()
    }
    config, threads = report["config"], report["environment"]["threads"]
    title = f"{config['name']}: speed in {config['training']['precision']}, threads: {threads}"
    plots.speed_bars(speeds, folder / SPEEDS, title=title, ceilings=ceilings)
    return SPEEDS


def draw_attention(examples: Sequence[Mapping[str, Any]], folder: Path) -> str | None:
    """Draw the attention maps of a few sentences, one below the other; return the picture's name.

    Args:
        examples: for each sentence its `source`, its `source_tokens` and, by backend, its `tokens` and `attention`.
        folder: where the picture goes.

    Returns:
        None where there is nothing to draw: a model without attention.
    """
    drawn = [each for each in examples if any(np.any(weights) for weights in each["attention"].values())]
    if not drawn:
        return None
    images = []
    with tempfile.TemporaryDirectory(prefix="diptych-") as name:
        path = Path(name) / "map.png"
        for each in drawn:
            maps = {backend: (each["tokens"][backend], weights) for backend, weights in each["attention"].items()}
            plots.attention_maps(each["source_tokens"], maps, path, title=each["source"], difference=_difference(each))
            images.append(_read(path))
    _write(_stacked(images), folder / ATTENTION_MAPS)
    return ATTENTION_MAPS


def _difference(translation: Mapping[str, Any]) -> npt.NDArray[np.float64] | None:
    """(T, S) by what the two maps differ, from before they were rounded; None where a report does not tell."""
    difference = translation.get("difference")
    if difference is None:
        return None
    return np.array(difference["hundredths"], np.float64) / 100.0 * float(difference["largest"])


def _stacked(images: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """Images (height, width, colours) one below the other on white, flush left."""
    width = max(image.shape[1] for image in images)
    rows = [np.pad(image, ((0, 0), (0, width - image.shape[1]), (0, 0)), constant_values=255) for image in images]
    return np.concatenate(rows)


def _read(path: Path) -> npt.NDArray[np.uint8]:
    from matplotlib.image import imread

    return np.asarray(np.rint(imread(path) * 255.0), np.uint8)


def _write(image: npt.NDArray[np.uint8], path: Path) -> None:
    from matplotlib.image import imsave

    buffer = BytesIO()
    imsave(buffer, image, format="png", metadata={"Software": "Diptych"})
    replace_file(path, buffer.getvalue())
