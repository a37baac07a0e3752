"""Requests that schemathesis makes from the OpenAPI document, right and wrong ones: answered as the document says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

from diptych.data.tokens.vocabulary import EOS
from diptych.parameters.checkpoint import Checkpoint
from trials.row import Counts, Row, kept_folder
from trials.small_run import make_run

SCHEMATHESIS = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
CASES = 500
"""At random, beside those that cover each part of the document."""
# Too much is refused with 413, which is a refusal too.
CONFIG = "[checks.negative_data_rejection]\nexpected-statuses = [400, 413, 415, 422]\n"


@cache
def brief() -> Path:
    """A run that soon says eos: it is not translating that is tried."""
    run = make_run(kept_folder() / "run", precision="float64")
    parameters = run.initial_parameters()
    parameters["output_layer.bias"][EOS] = 6.0
    run.record("pytorch").write_checkpoint(Checkpoint(parameters, {}, {"step": 1}))
    return run.folder


def trial(number: int, folder: Path) -> Counts:
    """Five hundred requests, others for each number."""
    assert SCHEMATHESIS, "schemathesis is not installed: pip install 'diptych[dev]'"
    (folder / "schemathesis.toml").write_text(CONFIG, encoding="utf-8")
    said = folder / "said"
    command = [sys.executable, "-m", "diptych", "serve", str(brief()), "--backend", "reference", "--port", "0"]
    with said.open("wb") as heard, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=heard) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline().decode()
            assert "http://" in line, said.read_text(encoding="utf-8")[-300:]
            url = line.split(": ", 1)[1].split()[0]
            command = [SCHEMATHESIS, "run", f"{url}openapi.json", "--checks", "all", "--seed", str(1 + number)]
            command += ["--max-examples", str(CASES + 20)]
            # The machine may be busy: what it takes is not what is checked here.
            command += ["--max-response-time", "120", "--request-timeout", "120", "--no-color"]
            found = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)
            assert found.returncode == 0, found.stdout[-6000:]
            assert process.poll() is None, f"the server ended with {process.returncode}"
            process.terminate()
            assert process.wait(60) == 0, f"ended with {process.returncode}"
        finally:
            process.kill()
    assert not said.read_bytes(), said.read_text(encoding="utf-8")[-300:]
    generated = re.search(r"([\d,]+) generated", found.stdout)
    assert generated is not None, found.stdout[-2000:]
    cases = int(generated[1].replace(",", ""))
    assert cases >= CASES, f"{cases} cases only"
    return Counter({"requests": cases})


ROW = Row(
    "10,000 requests and more that schemathesis makes from the OpenAPI document, right and wrong",
    "every check of schemathesis: no 5xx, what is wrong is refused, every answer is of the documented form; nothing in "
    "the log",
    20,
    trial,
)
