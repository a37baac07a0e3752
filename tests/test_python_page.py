"""docs/python.md: every block runs, in the order of the page, those after an `import diptych` in one process."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "python.md"


def programs():
    """The page's blocks, those of one process together."""
    found = []
    for block in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        if block.startswith("import diptych\n"):
            found.append(block)
        else:
            found[-1] += block
    return found


@pytest.mark.usefixtures("both_frameworks")
@pytest.mark.parametrize("count", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_the_page_runs(tmp_path, count):
    """All but the last program, which climbs a ladder and trains twice; and all of them."""
    assert len(programs()) == 3
    for program in programs()[:count]:
        finished = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=600,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr + finished.stdout
    assert (tmp_path / "moved" / "tensorflow" / "checkpoints").is_dir()
    assert (tmp_path / "runs" / "both" / "report.html").is_file() == (count == 3)


def test_the_page_names_all_that_the_front_door_offers():
    import diptych

    text = PAGE.read_text(encoding="utf-8")
    verbs = [name for name in diptych.__all__ if name[0].islower()]
    assert [name for name in verbs if f"diptych.{name}" not in text] == ["read_config"]
