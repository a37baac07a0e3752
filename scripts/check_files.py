"""Whether what git tracks belongs into a repository: `python scripts/check_files.py [FOLDER]`, as `make lint` does.

A file has at most 200 KB and is text in UTF-8; pictures of docs/ may be binary, and fonts/ may hold a font. The demo's
page, a model inside, is larger: one file, made anew only when what it shows has changed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LARGEST, LARGER = 200_000, {"docs/demo.html": 1_600_000}  # bytes
BINARY = ("docs/",)
ANYTHING = ("src/diptych/fonts/",)


def problems(folder: Path) -> list[str]:
    """What is wrong with the files that are tracked in a folder, a line each; none where it is no git repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=folder, capture_output=True, check=False)
    if listed.returncode:
        return []
    found = []
    for name in filter(None, listed.stdout.decode("utf-8").split("\0")):
        path = folder / name
        if name.startswith(ANYTHING) or not path.is_file():  # what was deleted, but is still in the index
            continue
        content = path.read_bytes()
        largest = LARGER.get(name, LARGEST)
        if len(content) > largest:
            found.append(f"{name} has {len(content):,} bytes, at most {largest:,} are tracked")
        if not name.startswith(BINARY) and not _is_text(content):
            found.append(f"{name} is binary: only {' and '.join((*BINARY, *ANYTHING))} may hold such files")
    return found


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


if __name__ == "__main__":
    said = problems(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1])
    print("\n".join(f"error: {each}; remove it with git rm --cached" for each in said), end="\n" if said else "")
    sys.exit(1 if said else 0)
