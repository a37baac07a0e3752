"""The modules of the report's script as one text: a page that is one file can import nothing."""

from __future__ import annotations

import re
from pathlib import Path

IMPORT = re.compile(r'^import (\{.*\}) from "(.*)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:class|const|function) (\w+))", re.MULTILINE)


def inline(path: Path) -> str:
    """A module and what it imports, each once, in a scope of its own, and after those that it imports itself.

    Imports and exports are those that stand on a line of their own and name what they import and export. Modules must
    not import each other in a circle.
    """
    texts: dict[Path, str] = {}
    _add(path.resolve(), texts)
    return "".join(texts.values())


def _add(path: Path, texts: dict[Path, str]) -> None:
    if path in texts:
        return
    text = path.read_text(encoding="utf-8")
    for _, other in IMPORT.findall(text):
        _add((path.parent / other).resolve(), texts)
    exports = ", ".join(EXPORT.findall(text))
    text = IMPORT.sub(lambda line: f"const {line[1]} = {Path(line[2]).stem}Module;", text)
    text = EXPORT.sub("", text)
    texts[path] = f"const {path.stem}Module = (() => {{\n{text}return {{ {exports} }};\n}})();\n"
