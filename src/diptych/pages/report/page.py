"""report.html: everything report.json says, as one page that asks for nothing from anywhere.

Every text is escaped by Jinja or becomes JSON without a `<`; the script only ever makes text nodes of it. Beside that
the page's content-security policy forbids every request, and every script and style but the two it was written with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from diptych.config import RunConfig
from diptych.pages.report.ladder import rungs
from diptych.pages.report.lengths import length_chart
from diptych.pages.report.losses import describe, loss_chart
from diptych.pages.report.measures import quantities
from diptych.pages.report.script import inline
from diptych.pages.report.sentences import LARGEST, kept_maps, map_data, sentences
from diptych.pages.self_contained import font_face, json_text, policy
from diptych.panel import BACKENDS, NAMES

HERE = Path(__file__).parent
PAGES = HERE.parent


@dataclass(frozen=True)
class Contents:
    """What the page shows beside the report's own numbers.

    Attributes:
        config: of the run.
        columns: of the first table: the backends and what else translates, each with its version.
        headline: its rows: a name and, for each column, what is in it.
        elsewhere: how far what else translates agrees with the backends, in sentences.
        exactness: whether all weights are equal to the last bit, in sentences.
        code: by file, the components of both panels, see `diptych.side_by_side.html.components`.
        differences: the catalogue's entries that matter to the run, with programs and what was measured.
        record: when and where that was measured.
        number: writes a number of the catalogue.
    """

    config: RunConfig
    columns: Mapping[str, str]
    headline: Sequence[tuple[str, Sequence[str]]]
    elsewhere: Sequence[str]
    exactness: Sequence[str]
    code: Mapping[str, Any]
    differences: Sequence[Mapping[str, Any]]
    record: Mapping[str, Any]
    number: Callable[..., str]


def render(report: Mapping[str, Any], contents: Contents) -> str:
    """The page, no larger than it may be where leaving out maps can do that."""
    translations = report["translations"]
    maps = [map_data(each) for each in translations]
    text = _render(report, contents, maps)
    over = len(text.encode("utf-8")) - LARGEST
    if over > 0:
        sizes = [0 if each is None else len(json_text(each).encode("utf-8")) for each in maps]
        kept = kept_maps(translations, sizes, sum(sizes) - over)
        text = _render(report, contents, [each if row in kept else None for row, each in enumerate(maps)])
    return text


def _render(report: Mapping[str, Any], contents: Contents, maps: Sequence[dict[str, Any] | None]) -> str:
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": contents.number, "when": _when, "prose": _prose}
    chart = loss_chart(report["backends"])
    shown = [map_data(each) for each in report["examples"]]
    rows = sentences(report["translations"], maps)
    data = {"names": [NAMES[backend] for backend in BACKENDS], "stops": chart.stops, "examples": shown, "maps": maps}
    data_text = json_text(data)
    script = Markup(inline(HERE / "report.js"))
    style = Markup("".join(path.read_text(encoding="utf-8") for path in (PAGES / "theme.css", HERE / "report.css")))
    style += Markup(font_face(data_text + json_text(report["translations"]) + json_text(report["examples"])))
    return environment.get_template("report.html").render(
        report=report,
        backends=BACKENDS,
        names=NAMES,
        policy=policy(script, style),
        script=script,
        style=style,
        data=Markup(data_text),
        model=describe_model(contents.config),
        columns=contents.columns,
        headline=contents.headline,
        elsewhere=contents.elsewhere,
        chart=chart,
        chart_words=describe(report["backends"]),
        rungs=rungs(report["parity"]["levels"]),
        lengths=length_chart(report["quality_by_length"]) if report.get("quality_by_length") else None,
        quantities=quantities(report),
        sentences=rows,
        counts={
            "all": len(rows),
            "differ": sum(row.differ for row in rows),
            "wrong": sum(row.wrong for row in rows),
        },
        exactness=contents.exactness,
        code=contents.code,
        differences=contents.differences,
        record=contents.record,
        config_text=contents.config.to_toml(),
    )


def describe_model(config: RunConfig) -> list[tuple[str, str]]:
    """What was compared, in a few words each."""
    model, training, data = config.model, config.training, config.data
    directions = "bidirectional" if model.bidirectional else "one-way"
    attention = f"{model.attention} attention" if model.attention != "none" else "no attention"
    steps = f", at most {training.maximum_steps:,} steps" if training.maximum_steps else ""
    return [
        (
            "model",
            f"{model.cell.upper()}; encoder {model.encoder_layers} × {model.encoder_size}, {directions}; decoder "
            f"{model.decoder_layers} × {model.decoder_size}; {attention}; embeddings {model.embedding_size}; "
            f"dropout {model.dropout:g}",
        ),
        (
            "training",
            f"{training.optimizer}, learning rate {training.learning_rate:g} ({training.schedule}), batches of "
            f"{training.batch_size}, {training.epochs} epochs{steps}, {training.precision}, seed {training.seed}",
        ),
        ("data", f"{data.corpus}, {data.source_tokenizer} tokens to {data.target_tokenizer} tokens"),
    ]


def _prose(text: str) -> Markup:
    """A text whose `words between ticks` are code."""
    parts = text.split("`")
    return Markup().join(Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts))


def _when(time: str) -> str:
    """A time as people write it."""
    return f"{datetime.fromisoformat(time):%d %B %Y, %H:%M} UTC"
