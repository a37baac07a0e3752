"""The page: the template filled with the weights, the painting's script and what there is to say of the model."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from diptych import __version__
from diptych.data.builtin.examples import examples
from diptych.export.card import TASKS, model_line, training_lines
from diptych.export.certificate import Check
from diptych.export.trained import Trained
from diptych.javascript.packed import Kind, pack, settings
from diptych.pages.report.script import inline
from diptych.pages.self_contained import font_face, json_text, policy
from diptych.search.finding import ROOM

HERE = Path(__file__).parent
THEME = HERE.parents[1] / "pages" / "theme.css"


def render(trained: Trained, kind: Kind, checks: Sequence[Check], notes: Sequence[str]) -> str:
    """The page's text.

    Args:
        trained: the model.
        kind: in which the weights are inside.
        checks: what was compared with the reference.
        notes: what else is to be said of that.
    """
    run = trained.run
    layout, weights = pack(trained.parameters, kind)
    data = {
        "config": settings(run.config.model),
        "search": run.config.search.model_dump(mode="json"),
        "source": run.source.to_values(),
        "target": run.target.to_values(),
        "layout": layout,
        "finer": run.finer,
        "room": ROOM,
        "examples": examples(run.config.data),
    }
    data_text = json_text(data)
    script = inline(HERE / "page.js")
    style = THEME.read_text(encoding="utf-8") + (HERE / "page.css").read_text(encoding="utf-8") + font_face(data_text)
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    facts = [
        model_line(trained),
        f"weights inside: {kind}, computed with in float64",
        *training_lines(trained),
        *(f"{one.what}: {one.gap:.1e} apart, of {one.limit:g} allowed" for one in checks),
        *notes,
        f"made by Diptych {__version__}",
    ]
    return environment.get_template("page.html").render(
        name=run.config.name,
        task=TASKS[run.config.data.corpus],
        examples=data["examples"],
        facts=facts,
        policy=policy(script, style),
        style=Markup(style),
        script=Markup(script),
        data=Markup(data_text),
        weights=base64.b64encode(weights).decode("ascii"),
    )
