"""HTML of the tutorial: code beside code, what both print, an attention map, a chart of the gap between two losses."""

from __future__ import annotations

import base64
import difflib
import json
import re
from collections.abc import Sequence
from html import escape
from typing import Any

from programs import EXAMPLES, FRAMEWORKS, PROGRAMS, cells, results
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

NAMES = {"tensorflow": "TensorFlow", "pytorch": "PyTorch"}
RUNNING_CODE = re.compile(r"(<pre.*?</pre>)|<code>([^<]*)</code>", re.DOTALL)
OPTION = re.compile(r"(?<!\S)--[a-z][\w-]*")
WHOLE = r"<span class='dp-option'>\g<0></span>"
LONG_NAME = re.compile(r"\b[a-z_]{17,}\b")
LONG_PATH = re.compile(r"(?<=\w)/(?=\w)")
TEXT = re.compile(r"(<(?:pre|svg|script)\b.*?</(?:pre|svg|script)>|<[^>]*>)|([^<]+)", re.DOTALL)
SMALL_NUMBER = re.compile(r"\d[\d.,]*e-\d+")
WORDS = {
    "en": {
        "both": "Both print",
        "prints": "prints",
        "setup": "What every page begins with",
        "map": "Attention: the fuller the colour, the more the model looks. Point at a cell, or use the arrow keys.",
        "gap": "How far the losses of the two frameworks are apart at a step",
        "step": "Step",
        "same": "equal to the last bit",
        "picture": "the attention map it drew",
    },
    "ko": {
        "both": "두 프로그램의 출력이 같습니다",
        "prints": "출력",
        "setup": "모든 페이지의 공통 준비 코드",
        "map": "어텐션 맵: 색이 진할수록 많이 보는 곳입니다. 칸을 가리키거나 화살표 키로 옮겨 다니면 값이 나옵니다.",
        "gap": "같은 스텝에서 두 프레임워크의 손실이 얼마나 다른가",
        "step": "스텝",
        "same": "마지막 비트까지 같음",
        "picture": "프로그램이 그린 어텐션 맵",
    },
}


def cell(program: str, name: str, language: str) -> str:
    """One cell of a program in both frameworks, and below it what it printed and drew."""
    pair = side_by_side([cells(program, framework)[name] for framework in FRAMEWORKS])
    found = results(program)
    return pair + printed([found[framework].outputs[name] for framework in FRAMEWORKS], language)


def setup(language: str) -> str:
    """What every program begins with, folded."""
    pair = side_by_side([cells("setup", framework)["setup"] for framework in FRAMEWORKS])
    return f"<details class='dp-setup'><summary>{WORDS[language]['setup']}</summary>{pair}</details>"


def stock(name: str) -> str:
    """A class or function of the stock examples, in both frameworks."""
    return side_by_side([definition(f"stock_{each}.py", name) for each in FRAMEWORKS])


def hinge() -> str:
    """How Diptych's weights get into the stock layers."""
    texts = [(PROGRAMS / f"hinge_{each}.py").read_text(encoding="utf-8") for each in FRAMEWORKS]
    return side_by_side([text.split('"""\n\n', 1)[1].strip() for text in texts])


def side_by_side(codes: Sequence[str]) -> str:
    """TensorFlow left, PyTorch right, equal lines at the same height; the script lights up a line in both."""
    rows = _aligned(*(code.splitlines() for code in codes))
    coloured = [dict(enumerate(_coloured(code))) for code in codes]
    sides = []
    for side, framework in enumerate(FRAMEWORKS):
        lines = []
        for row, same in rows:
            number = row[side]
            kind = "" if same else " dp-differs" if number is not None else " dp-none"
            lines.append(f"<span class='dp-line{kind}'>{coloured[side].get(number, '')}</span>")
        sides.append(
            f"<div class='dp-side'><p class='dp-name'>{NAMES[framework]}</p>"
            f"<pre class='highlight' tabindex='0'><code>{''.join(lines)}</code></pre></div>"
        )
    return f"<div class='dp-pair'>{''.join(sides)}</div>"


def _aligned(left: Sequence[str], right: Sequence[str]) -> list[tuple[tuple[int | None, int | None], bool]]:
    """Which lines stand beside each other, and whether they are equal; None: nothing there."""
    if len(left) == len(right):
        return [((number, number), one == other) for number, (one, other) in enumerate(zip(left, right, strict=True))]
    rows: list[tuple[tuple[int | None, int | None], bool]] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        rows += [(row, kind == "equal") for row in _beside(left, range(a, b), right, range(c, d))]
    return rows


def _beside(left: Sequence[str], a: range, right: Sequence[str], c: range) -> list[tuple[int | None, int | None]]:
    """Lines of two passages in pairs: each of the shorter one beside the line that is most like it, in order."""
    if len(a) > len(c):
        return [(one, other) for other, one in _beside(right, c, left, a)]
    # best[i][j]: how like the first i lines of the shorter one are to i of the first j of the other.
    best = [[0.0] * (len(c) + 1) for _ in range(len(a) + 1)]
    alike = {(i, j): difflib.SequenceMatcher(None, left[i], right[j]).ratio() for i in a for j in c}
    for i, one in enumerate(a, 1):
        for j, other in enumerate(c, 1):
            if i <= j:
                beside = best[i - 1][j - 1] + alike[one, other]
                best[i][j] = max(beside, best[i][j - 1]) if i < j else beside
    rows: list[tuple[int | None, int | None]] = []
    i = len(a)
    for j in range(len(c), 0, -1):
        apart = i == 0 or (i < j and best[i][j] == best[i][j - 1])
        i -= 0 if apart else 1
        rows.append((None if apart else a[i], c[j - 1]))
    return rows[::-1]


def printed(outputs: Sequence[str], language: str) -> str:
    """What both printed: once where it is the same, else side by side."""
    if not any(outputs):
        return ""
    words = WORDS[language]
    if len(set(outputs)) == 1:
        name, text = words["both"], escape(outputs[0].rstrip("\n"))
        return f"<div class='dp-output dp-same'><p class='dp-name'>{name}</p><pre tabindex='0'>{text}</pre></div>"
    sides = [
        f"<div class='dp-side'><p class='dp-name'>{NAMES[each]} {words['prints']}</p>"
        f"<pre tabindex='0'>{_marked(text, other)}</pre></div>"
        for each, text, other in zip(FRAMEWORKS, outputs, reversed(outputs), strict=True)
    ]
    return f"<div class='dp-pair dp-output'>{''.join(sides)}</div>"


def pictures(program: str, language: str) -> str:
    """The pictures a program drew, beside each other."""
    found = results(program)
    parts = []
    for framework in FRAMEWORKS:
        for name, data in found[framework].files.items():
            if name.endswith(".png"):
                source = f"data:image/png;base64,{base64.b64encode(data).decode()}"
                alternative = f"{NAMES[framework]}: {WORDS[language]['picture']}"
                caption = f"<figcaption>{NAMES[framework]}</figcaption>"
                parts.append(f"<figure><img alt='{alternative}' src='{source}'>{caption}</figure>")
    return f"<div class='dp-pictures'>{''.join(parts)}</div>"


def attention(program: str, language: str) -> str:
    """The attention map of the first framework as a table; each cell says its weight in both."""
    maps = _json(program, "attention.json")
    if not maps:
        return ""
    first, second = maps
    head = "".join(f"<th scope='col'>{escape(word)}</th>" for word in first["source"])
    rows = []
    for word, left, right in zip(first["said"], first["weights"], second["weights"], strict=True):
        columns = "".join(
            f"<td tabindex='-1' style='--w:{one}' data-tensorflow='{one}' data-pytorch='{other}'></td>"
            for one, other in zip(left, right, strict=True)
        )
        rows.append(f"<tr><th scope='row'>{escape(word)}</th>{columns}</tr>")
    caption = WORDS[language]["map"]
    return (
        f"<div class='dp-map'><div class='dp-scrolled'><table><thead><tr><td></td>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div><p class='dp-caption'>{caption}</p>"
        f"<p class='dp-said' aria-live='polite'>&nbsp;</p></div>"
    )


def loss_gap(program: str, language: str) -> str:
    """How far two trainings are apart at each step, on a log axis, with a slider; the script draws it."""
    losses = _json(program, "losses.json")
    if not losses:
        return ""
    left, right = losses
    gaps = {
        kind: [float(f"{abs(one - other):.2e}") for one, other in zip(left[kind], right[kind], strict=True)]
        for kind in left
    }
    words = WORDS[language]
    steps = len(next(iter(gaps.values())))
    return (
        f"<div class='dp-gap' data-gaps='{json.dumps(gaps)}' data-same='{words['same']}' data-step='{words['step']}'>"
        f"<p>{words['gap']}</p><svg viewBox='0 0 640 300' role='img' aria-label='{words['gap']}'></svg>"
        f"<label>{words['step']} <input type='range' min='1' max='{steps}' value='{steps // 2}'></label>"
        f"<p class='dp-said' aria-live='polite'></p></div>"
    )


def breaking_well(html: str) -> str:
    """A page whose lines break where a reader would part them.

    Not within an option or a number, nor before a per cent sign; within a long name after an underscore, within a path
    after a stroke.
    """

    def replaced(match: re.Match[str]) -> str:
        if match[1]:
            return match[0]
        code = LONG_PATH.sub("/<wbr>", match[2])
        code = OPTION.sub(WHOLE, code)
        return f"<code>{LONG_NAME.sub(lambda name: name[0].replace('_', '_<wbr>'), code)}</code>"

    def kept(match: re.Match[str]) -> str:
        return match[1] or SMALL_NUMBER.sub(WHOLE, match[2]).replace(" %", "&nbsp;%")

    return TEXT.sub(kept, RUNNING_CODE.sub(replaced, html))


def _json(program: str, ending: str) -> list[Any]:
    """What each framework's program left in a JSON file; none where it was not run."""
    left = [(name, data) for each in FRAMEWORKS for name, data in results(program)[each].files.items()]
    return [json.loads(data) for name, data in left if name.endswith(ending)]


def _coloured(code: str) -> list[str]:
    """A program's lines as HTML; a string over several lines is coloured in each of them."""
    html = highlight(code, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)).rstrip("\n")
    lines = []
    opened = ""
    for line in html.split("\n"):
        whole = opened + line
        tags = re.findall(r"<span class=\"\w+\">|</span>", whole)
        left: list[str] = []
        for tag in tags:
            if tag == "</span>":
                left.pop()
            else:
                left.append(tag)
        opened = "".join(left)
        lines.append(whole + "</span>" * len(left))
    return lines


def _marked(text: str, other: str) -> str:
    """Output escaped, with the lines that the other side has otherwise marked."""
    theirs = other.splitlines()
    return "\n".join(
        escape(line) if line in theirs else f"<mark>{escape(line)}</mark>" for line in text.rstrip("\n").splitlines()
    )


def definition(file: str, name: str) -> str:
    """A class or function as it stands in an example."""
    text = (EXAMPLES / file).read_text(encoding="utf-8")
    start = re.search(rf"^(?:class|def) {name}\b", text, re.MULTILINE)
    if not start:
        raise ValueError(f"{file} defines no {name}")
    rest = text[start.start() :]
    end = re.search(r"\n\n\n", rest)
    return rest[: end.start()] if end else rest.rstrip()
