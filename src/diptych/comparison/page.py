"""report.html: everything report.json says, as one page that asks for nothing from anywhere.

Every text is escaped by Jinja or becomes JSON without a `<`; the script only ever makes text nodes of it. Beside that
the page's content-security policy forbids every request, and every script and style but the two it was written with.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from diptych.comparison.relevance import EVERY, relevant
from diptych.comparison.table import ROWS
from diptych.config import RunConfig, parse_config
from diptych.differences.document import read_record
from diptych.differences.render import number
from diptych.errors import RunError
from diptych.pages.report.font import font_address
from diptych.pages.report.ladder import rungs
from diptych.pages.report.lengths import length_chart
from diptych.pages.report.losses import describe, loss_chart
from diptych.pages.report.measures import quantities
from diptych.pages.report.sentences import map_data, sentences
from diptych.panel import BACKENDS, NAMES
from diptych.side_by_side.html import coloured, components
from diptych.storage.place import replace_file

PAGE = "report.html"
LARGEST = 3_000_000
"""How many bytes the page may have; attention maps that would make it larger are left out."""
HERE = Path(__file__).parents[1] / "pages" / "report"
FONT_FACE = '@font-face { font-family: "Diptych Hangul"; src: url("%s"); unicode-range: U+1100-11FF, U+3000-D7FF; }\n'
SCHEMA = 1


def write_page(report: Mapping[str, Any], folder: Path) -> str:
    """Write report.html into a run's folder; return its name.

    Raises:
        RunError: the report is of another version of Diptych.
    """
    replace_file(folder / PAGE, render(report))
    return PAGE


def render(report: Mapping[str, Any]) -> str:
    """The page, no larger than it may be where leaving out maps can do that.

    Maps of sentences that the backends translate differently stay longest, then those of the first sentences.

    Raises:
        RunError: the report is of another version of Diptych.
    """
    if report.get("schema") != SCHEMA:
        raise RunError(
            f"the report has schema {report.get('schema')!r}, this version of Diptych reads {SCHEMA}: "
            f"compute it again with `diptych compare`"
        )
    translations = report["translations"]
    maps = [map_data(each) for each in translations]
    text = _render(report, maps)
    over = len(text.encode("utf-8")) - LARGEST
    if over > 0:
        for row in sorted(range(len(maps)), key=lambda row: (not _differ(translations[row]), row), reverse=True):
            if over <= 0:
                break
            if maps[row] is not None:
                over -= len(_json(maps[row]).encode("utf-8"))
                maps[row] = None
        text = _render(report, maps)
    return text


def read_report(path: Path) -> dict[str, Any]:
    """What a report.json holds.

    Raises:
        RunError: it is not there, or is no report.
    """
    if not path.is_file():
        raise RunError(f"{path.parent} has no {path.name}: `diptych compare --run {path.parent}` trains and writes one")
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{path} is no report: {error}; compute it again with `diptych compare`") from error
    if not isinstance(report, dict):
        raise RunError(f"{path} is no report, got {type(report).__name__}; compute it again with `diptych compare`")
    return report


def _render(report: Mapping[str, Any], maps: Sequence[dict[str, Any] | None]) -> str:
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": number, "when": _when, "prose": _prose}
    config = parse_config(dict(report["config"]), origin="report.json")
    chart = loss_chart(report["backends"])
    shown = [map_data(each) for each in report["examples"]]
    rows = sentences(report["translations"], maps)
    data = {"names": [NAMES[backend] for backend in BACKENDS], "stops": chart.stops, "examples": shown, "maps": maps}
    data_text = _json(data)
    script = Markup((HERE / "attention.js").read_text(encoding="utf-8") + (HERE / "report.js").read_text("utf-8"))
    style = Markup((HERE / "theme.css").read_text(encoding="utf-8") + (HERE / "report.css").read_text("utf-8"))
    font = font_address(data_text + _json(report["translations"]) + _json(report["examples"]))
    if font:
        style += Markup(FONT_FACE) % Markup(font)
    return environment.get_template("report.html").render(
        report=report,
        backends=BACKENDS,
        names=NAMES,
        policy=_policy(script, style),
        script=script,
        style=style,
        data=Markup(data_text),
        model=describe_model(config),
        headline=[(name, [show(values) for values in report["backends"].values()]) for name, show in ROWS],
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
        code=components(),
        differences=_differences(config, report["environment"].get("device", "auto")),
        record=read_record(),
        config_text=config.to_toml(),
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


def _differences(config: RunConfig, device: str) -> list[dict[str, Any]]:
    """The catalogue's entries that matter to the run, with their programs coloured and what was measured of them."""
    measured = read_record().get("entries", {})
    return [
        {
            "entry": each.entry,
            "reason": "" if each.reason == EVERY else each.reason,
            "measured": measured.get(each.entry.name),
            "programs": [
                Markup("\n").join(coloured(each.entry.program(backend).read_text(encoding="utf-8").strip()))
                for backend in BACKENDS
            ],
        }
        for each in relevant(config, device)
    ]


def _differ(translation: Mapping[str, Any]) -> bool:
    return len(set(translation["outputs"].values())) > 1


def _policy(script: str, style: str) -> str:
    """The content-security policy: no request, and no script or style but these."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode() for text in (script, style)]
    return (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; font-src data:; "
        f"img-src data:; base-uri 'none'; form-action 'none'"
    )


def _json(value: Any) -> str:
    """JSON that can stand inside a `<script>`: no text in it can end the element or begin a comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _prose(text: str) -> Markup:
    """A text whose `words between ticks` are code."""
    parts = text.split("`")
    return Markup().join(Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts))


def _when(time: str) -> str:
    """A time as people write it."""
    return f"{datetime.fromisoformat(time):%d %B %Y, %H:%M} UTC"
