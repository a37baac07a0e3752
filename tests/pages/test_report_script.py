"""The report's script: its modules as one text."""

import re
from pathlib import Path

import pytest

from diptych.pages.report import page, script


def test_a_module_stands_once_after_those_that_it_imports(tmp_path):
    modules = {
        "low.js": "export const shown = 1;\nexport function width() {}\n",
        "middle.js": 'import { shown, width } from "./low.js";\nexport class Drawing {}\n',
        "inside/top.js": 'import { shown } from "../low.js";\nimport { Drawing } from "../middle.js";\nuse(Drawing);\n',
    }
    (tmp_path / "inside").mkdir()
    for name, text in modules.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert script.inline(tmp_path / "inside" / "top.js").splitlines() == [
        "const lowModule = (() => {",
        "const shown = 1;",
        "function width() {}",
        "return { shown, width };",
        "})();",
        "const middleModule = (() => {",
        "const { shown, width } = lowModule;",
        "class Drawing {}",
        "return { Drawing };",
        "})();",
        "const topModule = (() => {",
        "const { shown } = lowModule;",
        "const { Drawing } = middleModule;",
        "use(Drawing);",
        "return {  };",
        "})();",
    ]


def test_nothing_is_left_to_import_or_to_export():
    text = script.inline(page.HERE / "report.js")
    assert text.count("class Attention") == 1
    assert not re.search(r"^\s*(import|export)\b", text, re.MULTILINE)


@pytest.mark.parametrize("path", sorted(Path(page.PAGES).rglob("*.js")), ids=lambda path: path.name)
def test_an_import_leads_to_what_is_exported_there(path):
    """In the tree; a browser that is served the files side by side takes ../ at the root for the root."""
    for names, other in script.IMPORT.findall(path.read_text(encoding="utf-8")):
        exported = script.EXPORT.findall((path.parent / other).read_text(encoding="utf-8"))
        assert set(re.findall(r"\w+", names)) <= set(exported)
