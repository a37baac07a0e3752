"""Whether a link of the built site leads nowhere, and whether a page asks for anything from elsewhere: no network.

python scripts/site/check_links.py site
"""

from __future__ import annotations

import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Tags that load what they name; a link to elsewhere may be followed, or not.
LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src")}
NOT_LOADED = {"canonical", "prev", "next", "alternate"}


class Page(HTMLParser):
    """A page's anchors and links.

    Attributes:
        anchors: what can be linked to within it.
        links: what it links to or loads.
        outside: what it loads from elsewhere.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors, self.links, self.outside = {""}, list[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note what one tag offers and what it names."""
        values = dict(attributes)
        self.anchors |= {values[name] or "" for name in ("id", "name") if values.get(name)}
        for name in ("href", "src"):
            target = values.get(name) or ""
            if not target or target.startswith(("data:", "mailto:", "javascript:")):
                continue
            if urlsplit(target).scheme or target.startswith("//"):
                if (tag, name) in LOADED and not NOT_LOADED & set((values.get("rel") or "").split()):
                    self.outside.append(target)
            else:
                self.links.append(target)


@cache
def page(path: Path) -> Page:
    """A page, read once."""
    return Page(path.read_text(encoding="utf-8"))


def problems(folder: Path) -> list[str]:
    """What is wrong with the links of the pages in a folder, a line each."""
    found = []
    for path in sorted(folder.rglob("*.html")):
        where = path.relative_to(folder).as_posix()
        found += [f"{where} loads {target}" for target in page(path).outside]
        if path.name == "404.html":  # it is shown anywhere, so its links begin at the site's root
            continue
        for target in page(path).links:
            parts = urlsplit(target)
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            if not there.is_file():
                found.append(f"{where} links to {target}, which is not there")
            elif there.suffix == ".html" and parts.fragment and unquote(parts.fragment) not in page(there).anchors:
                found.append(f"{where} links to {target}, where no such place is")
    return found


if __name__ == "__main__":
    said = problems(Path(sys.argv[1]))
    print("\n".join(f"error: {line}" for line in said) or f"{sys.argv[1]}: every link leads somewhere")
    sys.exit(1 if said else 0)
