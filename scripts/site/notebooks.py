"""Notebooks from the tutorial's pages: a page's prose and one framework's cells, as a script that jupytext reads."""

from __future__ import annotations

import re

from programs import EXAMPLES, PROGRAMS, ROOT, cells, text
from render import NAMES, definition

MARK = re.compile(r"<!-- ([\w-]+)(?: ([\w.]+))? -->")
WORDS = {
    "en": {
        "install": "Install Diptych with {name}; in Colab, restart the runtime afterwards if it asks for that.",
        "other": "Run the other framework's notebook up to here first, in the same folder.",
    },
    "ko": {
        "install": "Diptych를 {name}와 함께 설치합니다. Colab에서 런타임을 다시 시작하라고 하면 그렇게 하십시오.",
        "other": "먼저 다른 프레임워크의 노트북을 같은 폴더에서 여기까지 실행하십시오.",
    },
}


def page(name: str, language: str) -> str:
    """A page of the tutorial as it stands in the repository."""
    folder = ROOT / "docs" / ("tutorial" if language == "en" else "ko/tutorial")
    return (folder / f"{name}.md").read_text(encoding="utf-8")


def script(name: str, framework: str, language: str) -> str:
    """The notebook of a page in one framework, in jupytext's percent format."""
    _, head, prose = page(name, language).split("---\n", 2)
    program = re.search(r"^program: (\w+)$", head, re.MULTILINE)
    assert program
    words = WORDS[language]
    parts = [_code(f'# {words["install"].format(name=NAMES[framework])}\n%pip install -q "diptych[{framework}]"')]
    if framework == "tensorflow":
        parts.append(_code("import os\n\nos.environ['KERAS_BACKEND'] = 'tensorflow'"))
    for imported in (f"stock_{framework}", f"hinge_{framework}"):
        if imported in text(program[1], framework):
            path = (EXAMPLES if imported.startswith("stock") else PROGRAMS) / f"{imported}.py"
            parts.append(_code(f"%%writefile {imported}.py\n{path.read_text(encoding='utf-8')}"))
    parts.append(_code(cells("setup", framework)["setup"]))
    place = 0
    for mark in MARK.finditer(prose):
        parts.append(_markdown(prose[place : mark.start()]))
        parts.append(_marked(program[1], framework, mark[1], mark[2], words["other"]))
        place = mark.end()
    parts.append(_markdown(prose[place:]))
    return "\n".join(part for part in parts if part)


def _marked(program: str, framework: str, kind: str, name: str, other: str) -> str:
    """What stands in a notebook where a page has a mark."""
    if kind == "cell":
        code = cells(program, framework)[name]
        return _code(f"# {other}\n{code}" if (program, name) == ("checkpoints", "restore") else code)
    if kind == "stock":
        return _markdown(f"```python\n{definition(f'stock_{framework}.py', name)}\n```")
    if kind == "pictures":
        return _code(f'from IPython.display import Image\n\nImage("{framework}.png")')
    return ""  # the hinge is a cell already; what is interactive is for the site


def _code(code: str) -> str:
    """A code cell; a line that only IPython can read is a comment, which jupytext takes back."""
    lines = [f"# {line}" if line.startswith("%") else line for line in code.splitlines()]
    return "# %%\n" + "\n".join(lines) + "\n"


def _markdown(prose: str) -> str:
    """A cell of prose: links within the site lose their target, a box becomes a quotation."""
    prose = re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]+\)", r"\1", prose.strip())
    prose = re.sub(r'^!!! \w+ "(.*)"$', r"> **\1**  ", prose, flags=re.MULTILINE)
    prose = re.sub(r"^    (?=\S)", "> ", prose, flags=re.MULTILINE)
    return "# %% [markdown]\n" + "\n".join(f"# {line}".rstrip() for line in prose.splitlines()) + "\n" if prose else ""
