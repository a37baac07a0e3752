"""What MkDocs is told beside mkdocs.yml: the tutorial's cells, pages for linked source files, the other language."""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import Any

import jupytext
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))
import notebooks
import programs
import render

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MARK = re.compile(r"<!-- (cell|setup|stock|hinge|pictures|attention|loss-gap)(?: ([\w.]+))? -->")
LINK = re.compile(r"(\]\()(\.\./[^)#\s]+|[A-Z]+(?:\.ko)?\.md)(#[^)\s]*)?(\))")
FONTS = ROOT / "src" / "diptych" / "fonts"
FONT = {"assets/hangul.ttf": FONTS / "DiptychHangul.ttf", "assets/hangul-OFL.txt": FONTS / "OFL.txt"}
SEARCH = '<label class="md-header__button md-icon" for="__search">'
NOTEBOOKS = {"en": "This page as a notebook", "ko": "이 페이지의 노트북"}
WIDE = ("architecture.md", "benchmark.md")
"""Pages whose pictures in letters take the room of the table of contents."""
KINDS = {".py": "python", ".mjs": "javascript", ".toml": "toml", ".yaml": "yaml", ".md": "markdown"}
BACK = {"en": ("In the catalogue", "'s program"), "ko": ("목록에서 보기", " 프로그램")}
LANGUAGES = {"en": "English", "ko": "한국어"}


def on_files(files: Files, config: Any) -> Files:
    """Add what a language's folder lacks: the styles and scripts, pictures, notebooks, linked source files."""
    if _language(config) == "ko":
        present = {file.src_uri for file in files}
        for path in sorted(DOCS.rglob("*")):
            uri = path.relative_to(DOCS).as_posix()
            shared = path.is_file() and path.suffix != ".md" and not uri.startswith(("ko/", "tutorial/programs/"))
            if shared and uri not in present:
                files.append(File(uri, str(DOCS), config["site_dir"], config["use_directory_urls"]))
    for program in programs.names():
        for framework in programs.FRAMEWORKS:
            notebook = jupytext.reads(notebooks.script(program, framework, _language(config)), fmt="py:percent")
            name = f"notebooks/{program}-{framework}.ipynb"
            files.append(File.generated(config, name, content=jupytext.writes(notebook, fmt="ipynb")))
    for name, path in FONT.items():
        files.append(File.generated(config, name, abs_src_path=str(path)))
    linked = set()
    for file in list(files):
        if file.src_uri.endswith(".md"):
            for match in LINK.finditer(file.content_string):
                linked.add(_target(file.src_uri, match[2], config))
    linked.discard(None)
    linked |= {each for path in linked if path.is_dir() for each in _files(path)}
    for path in sorted(linked, key=str):
        files.append(File.generated(config, _page_of(path), content=_source_page(path, _language(config))))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Let links that leave docs/ lead to the pages made of those files; give wide pages their room."""
    if page.file.src_uri in WIDE:
        page.meta.setdefault("hide", ["toc"])

    def replaced(match: re.Match[str]) -> str:
        path = _target(page.file.src_uri, match[2], config)
        if path is None:
            return match[0]
        there = posixpath.relpath(_page_of(path), posixpath.dirname(page.file.src_uri) or ".")
        return f"{match[1]}{there}{match[4]}"

    return LINK.sub(replaced, markdown)


def on_page_content(html: str, page: Any, config: Any, files: Files) -> str:
    """Put the code, what it printed and the pictures where a page marks them."""
    program, language = page.meta.get("program", ""), _language(config)

    def replaced(match: re.Match[str]) -> str:
        kind, name = match[1], match[2] or ""
        if kind == "cell":
            return render.cell(program, name, language)
        if kind == "stock":
            return render.stock(name)
        if kind == "hinge":
            return render.hinge()
        if kind == "setup":
            return render.setup(language)
        return getattr(render, kind.replace("-", "_"))(program, language)

    html = render.breaking_well(MARK.sub(replaced, html))
    if program:
        links = " · ".join(
            f'<a href="../notebooks/{program}-{framework}.ipynb" download>{render.NAMES[framework]}</a>'
            for framework in programs.FRAMEWORKS
        )
        html += f"<p class='dp-notebooks'>{NOTEBOOKS[language]}: {links}</p>"
    return html


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Put a link to the same page in the other language into the header, before the search."""
    here, other = page.file.dest_uri, "ko" if _language(config) == "en" else "en"
    if here.startswith("files/"):  # made for the links of one language
        return output
    root = posixpath.relpath(".", posixpath.dirname(here) or ".")
    there = posixpath.normpath(f"{root}/ko/{here}" if other == "ko" else f"{root}/../{here}")
    link = f'<a class="md-header__button dp-language" href="{there}" hreflang="{other}" lang="{other}">'
    return output.replace(SEARCH, f"{link}{LANGUAGES[other]}</a>{SEARCH}", 1)


def _language(config: Any) -> str:
    return str(config["theme"]["language"])


def _target(page: str, link: str, config: Any) -> Path | None:
    """The file outside docs/ that a page links to; None where it is a page of the site."""
    base = Path(config["docs_dir"])
    base = base if (base / page).is_file() else DOCS
    path = (base / page).parent.joinpath(link).resolve()
    if DOCS in path.parents or not path.exists():
        return None
    return path if ROOT in path.parents else None


def _page_of(path: Path) -> str:
    """Where the page made of a file of the repository lies."""
    name = path.relative_to(ROOT).as_posix()
    return f"files/{name.removesuffix('.md')}.md"


def _files(folder: Path) -> list[Path]:
    """The files of a folder that have a page when the folder has one."""
    return [each for each in sorted(folder.iterdir()) if each.is_file() and each.name[0] not in "._"]


def _source_page(path: Path, language: str) -> str:
    """A page that shows a file of the repository, or lists a folder; a program of the catalogue leads back to it."""
    name = path.relative_to(ROOT).as_posix()
    head = f"---\nsearch:\n  exclude: true\nhide: [toc]\n---\n# `{name}`\n\n"
    if path.is_dir():
        here = posixpath.dirname(_page_of(path))
        pages = [(each, posixpath.relpath(_page_of(each), here)) for each in _files(path)]
        return head + "\n".join(f"- [`{each.name}`]({page})" for each, page in pages)
    if "entries" in path.parts:
        entry, other = path.parent.name, "pytorch" if path.stem == "in_tensorflow" else "tensorflow"
        back = posixpath.relpath("differences.md", posixpath.dirname(_page_of(path)))
        catalogue, program = BACK[language]
        head += f"[{catalogue}]({back}#{entry}) · [{render.NAMES[other]}{program}](in_{other}.py.md)\n\n"
    text = path.read_text(encoding="utf-8")
    kind = KINDS.get(path.suffix, "text")
    return f"{head}````{kind}\n{text}````\n"
