"""Notebooks from the tutorial's pages: a page's prose and one framework's cells, as a script that jupytext reads."""

from __future__ import annotations

import re

from programs import EXAMPLES, FRAMEWORKS, PROGRAMS, ROOT, cells, text
from render import NAMES, definition

MARK = re.compile(r"<!-- ([\w-]+)(?: ([\w.]+))? -->")
OTHER = {("checkpoints", "restore"): "write"}
"""Cells that read what the other framework's program has left, and the last cell of it that must have run."""
TENSORFLOW = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
"""Whatever Keras is set to elsewhere; and the command line's quiet."""
WORDS = {
    "en": {
        "and": " and ",
        "install": "Install Diptych with {name}; in Colab, restart the runtime afterwards if it asks for that.",
        "other": "{name} writes its checkpoints too, in a process of its own.",
    },
    "ko": {
        "and": ", ",
        "install": "Diptych를 {name}와 함께 설치합니다. Colab에서 런타임을 다시 시작하라고 하면 그렇게 하십시오.",
        "other": "{name}도 체크포인트를 씁니다. 프로세스는 따로입니다.",
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
    other = next(each for each in FRAMEWORKS if each != framework)
    used = [framework, *[other for pair in OTHER if pair[0] == program[1]]]
    named = words["install"].format(name=words["and"].join(NAMES[each] for each in used))
    parts = [_code(f'# {named}\n%pip install -q "diptych[{",".join(used)}]"')]
    if "tensorflow" in used:
        parts.append(_code(f"import os\n\nos.environ.update({TENSORFLOW!r})"))
    for imported in (f"stock_{framework}", f"hinge_{framework}"):
        if imported in text(program[1], framework):
            path = (EXAMPLES if imported.startswith("stock") else PROGRAMS) / f"{imported}.py"
            parts.append(_code(f"%%writefile {imported}.py\n{path.read_text(encoding='utf-8')}"))
    parts.append(_code(cells("setup", framework)["setup"]))
    place = 0
    for mark in MARK.finditer(prose):
        parts.append(_markdown(prose[place : mark.start()]))
        if (program[1], mark[2]) in OTHER:
            parts += _of_the_other(program[1], OTHER[program[1], mark[2]], other, words["other"])
        parts.append(_marked(program[1], framework, mark[1], mark[2]))
        place = mark.end()
    parts.append(_markdown(prose[place:]))
    return "\n".join(part for part in parts if part)


def _of_the_other(program: str, last: str, other: str, words: str) -> list[str]:
    """The other framework's cells, the last one included, run by a process of its own: two cells."""
    found = cells(program, other)
    wanted = list(found)[: list(found).index(last) + 1]
    code = "\n\n".join([cells("setup", other)["setup"], *(found[name] for name in wanted)])
    run = 'subprocess.run([sys.executable, "other.py"], capture_output=True, text=True, check=True)'
    return [
        _code(f"%%writefile other.py\n{code}"),
        _code(f"# {words.format(name=NAMES[other])}\nimport subprocess\nimport sys\n\nprint({run}.stdout)"),
    ]


def _marked(program: str, framework: str, kind: str, name: str) -> str:
    """What stands in a notebook where a page has a mark."""
    if kind == "cell":
        return _code(cells(program, framework)[name])
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
