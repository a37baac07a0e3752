"""Tables that programs measure and write into a page, and by the words of korean.toml into its Korean twin."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"<!-- ([\w ]+): written by [\w/]+ -->\n\n(.*?)\n\n<!-- end of \1 -->", re.DOTALL)


def put(page: str, name: str, lines: list[str], by: str = "benchmarks/") -> None:
    """Write lines between the two marks of this name in docs/PAGE.md, and in docs/ko/PAGE.md where that is there.

    What korean.toml does not know stays English there: a measurement is not lost for want of a word, and
    tests/tutorial/test_pages.py names it.
    """
    begin, end = f"<!-- {name}: written by {by} -->", f"<!-- end of {name} -->"
    for path, told in (DOCS / f"{page}.md", lines), (DOCS / "ko" / f"{page}.md", in_korean(page, lines)[0]):
        if not path.is_file():
            continue
        before, found, rest = path.read_text("utf-8").partition(begin)
        if not found:
            raise SystemExit(f"{path} has no line {begin}: write it where the table belongs")
        path.write_text(f"{before}{begin}\n\n" + "\n".join(told) + f"\n\n{end}{rest.partition(end)[2]}", "utf-8")


def in_korean(page: str, lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines with every cell, and every line beside a table, in Korean; and what of it has words but no Korean."""
    phrases = tomllib.loads(Path(__file__).with_name("korean.toml").read_text("utf-8")).get(page, {})
    told, unknown = [], []
    for line in lines:
        if re.fullmatch(r"[|:-]*", line):
            told.append(line)
            continue
        row = line.startswith("|")
        cells = [each.strip() for each in line[1:-1].split("|")] if row else [line]
        korean = [_said(each, phrases) for each in cells]
        unknown += [cell for cell, said in zip(cells, korean) if said is None and _has_words(cell)]
        words = [cell if said is None else said for cell, said in zip(cells, korean)]
        told.append(f"| {' | '.join(words)} |" if row else words[0])
    return told, unknown


def _said(text: str, phrases: dict[str, str]) -> str | None:
    """What a text is in Korean: each of its parts between semicolons, or the whole."""
    parts = text.split("; ")
    if len(parts) > 1 and None not in (said := [_said(part, phrases) for part in parts]):
        return ", ".join(map(str, said))
    for english, korean in phrases.items():
        pattern = re.escape(english).replace(r"\{\#\}", r"([\d.,]+)").replace(r"\{\}", "(.+?)")
        if found := re.fullmatch(pattern, text):
            return korean.format(*found.groups())
    return None


def _has_words(text: str) -> bool:
    """Whether there is an English word in it that is no name, code, quotation or unit."""
    plain = re.sub(r"`[^`]*`|\"[^\"]*\"|\S*[\d_./()]\S*", "", text)
    return re.search(r"\b[a-z]{3,}\b", plain) is not None
