"""The check of `make lint` sees a wheel that was committed by mistake, and lets pictures of the docs be."""

import importlib.util
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_what_does_not_belong_is_named(tmp_path):
    spec = importlib.util.spec_from_file_location("check_files", ROOT / "scripts" / "check_files.py")
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    files = {
        "a.py": "print('하나')\n".encode(), "docs/a.png": b"\x89PNG\0", "src/diptych/fonts/a.ttf": b"\0" * 300_000,
        "a.whl": b"PK\3\4\0", "latin.txt": b"caf\xe9", "long.txt": b"a" * 200_001, "docs/b.png": b"\0" * 200_001,
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert check.problems(tmp_path) == []  # no repository
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    assert [each.split()[0] for each in check.problems(tmp_path)] == ["a.whl", "docs/b.png", "latin.txt", "long.txt"]
    (tmp_path / "untracked.bin").write_bytes(b"\0")
    (tmp_path / "a.whl").unlink()
    assert len(check.problems(tmp_path)) == 3
