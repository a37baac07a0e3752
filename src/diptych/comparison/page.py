"""What goes into report.html: a report, and beside it the code, the differences and the config that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from diptych.comparison.relevance import EVERY, relevant
from diptych.comparison.report import check_schema
from diptych.comparison.table import columns, elsewhere_lines, exactness_lines, headline
from diptych.config import RunConfig, parse_config
from diptych.differences.document import read_record
from diptych.differences.render import number
from diptych.pages.report.page import Contents
from diptych.pages.report.page import render as render_page
from diptych.panel import BACKENDS
from diptych.side_by_side.html import coloured, components
from diptych.storage.place import replace_file

PAGE = "report.html"


def write_page(report: Mapping[str, Any], folder: Path) -> str:
    """Write report.html into a run's folder; return its name.

    Raises:
        RunError: the report is of another version of Diptych.
    """
    replace_file(folder / PAGE, render(report))
    return PAGE


def render(report: Mapping[str, Any]) -> str:
    """The page of a report.

    Raises:
        RunError: the report is of another version of Diptych.
    """
    check_schema(report)
    config = parse_config(dict(report["config"]), origin="report.json")
    contents = Contents(
        config=config,
        columns={name: str(values["version"]) for name, values in columns(report).items()},
        headline=headline(report),
        elsewhere=elsewhere_lines(report),
        exactness=exactness_lines(report),
        code=components(),
        differences=_differences(config, report["environment"].get("device", "auto")),
        record=read_record(),
        number=number,
    )
    return render_page(report, contents)


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
