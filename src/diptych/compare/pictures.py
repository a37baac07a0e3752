"""The pictures of a comparison: both loss curves, and the attention maps of a few sentences, side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from diptych import plots

LOSS_CURVES, ATTENTION_MAPS = "loss_curves.png", "attention_maps.png"


def draw_losses(losses: Mapping[str, Sequence[float]], folder: Path, title: str) -> str:
    """Draw both loss curves and the gap between them; return the picture's name."""
    plots.loss_curves(losses, folder / LOSS_CURVES, title)
    return LOSS_CURVES


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
            plots.attention_maps(each["source_tokens"], maps, path, each["source"])
            images.append(_read(path))
    _write(_stacked(images), folder / ATTENTION_MAPS)
    return ATTENTION_MAPS


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

    imsave(path, image, metadata={"Software": "Diptych"})
