"""Pieces of HTML in which objects show themselves in a notebook."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from diptych.plots.attention import attention_png


def picture(source_tokens: Sequence[str], hypotheses: Mapping[str, tuple[Sequence[str], npt.ArrayLike]]) -> Markup:
    """The attention maps of `attention_maps` as an image; nothing where no model attends to anything."""
    if not any(np.any(np.asarray(weights)) for _, weights in hypotheses.values()):
        return Markup()
    encoded = base64.b64encode(attention_png(source_tokens, hypotheses)).decode()
    alternative = "attention: " + " ".join(source_tokens)
    image = '<img src="data:image/png;base64,{}" alt="{}" style="max-width: 100%; background: white">'
    return Markup(image).format(encoded, alternative)


def table(rows: Sequence[Sequence[object]], head: Sequence[object] = ()) -> Markup:
    """A table of texts; the first cell of a row names it."""
    cells = [Markup("<tr>") + Markup("").join(Markup("<th>{}</th>").format(cell) for cell in head) + Markup("</tr>")]
    for name, *values in rows:
        row = Markup("").join(Markup('<td style="text-align: left">{}</td>').format(value) for value in values)
        cells.append(Markup('<tr><th style="text-align: left">{}</th>{}</tr>').format(name, row))
    return Markup("<table>{}</table>").format(Markup("").join(cells if head else cells[1:]))


def paragraph(text: str) -> Markup:
    """A line of text."""
    return Markup('<p style="overflow-wrap: anywhere">{}</p>').format(text)
