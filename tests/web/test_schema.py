"""The OpenAPI document is kept: schemathesis makes thousands of requests, right and wrong, and checks them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCHEMATHESIS = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
CASES = 2000
# Too much is refused with 413, which is a refusal too.
CONFIG = "[checks.negative_data_rejection]\nexpected-statuses = [400, 413, 415, 422]\n"


@pytest.mark.slow  # making the requests takes minutes, answering them does not
@pytest.mark.skipif(SCHEMATHESIS is None, reason="schemathesis is not installed")
def test_thousands_of_requests_are_answered_as_the_document_says(run, serving, tmp_path):
    (tmp_path / "schemathesis.toml").write_text(CONFIG, encoding="utf-8")
    with serving(run.folder, "--backend", "reference") as (process, url):
        command = [SCHEMATHESIS, "run", f"{url}openapi.json", "--checks", "all", "--max-examples", "2200"]
        # The machine may be busy: what it takes is not what is checked here.
        command += ["--max-response-time", "60", "--generation-deterministic", "--no-color"]
        finished = subprocess.run(
            command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=900, check=False
        )
        assert finished.returncode == 0, finished.stdout[-6000:]
        generated = re.search(r"([\d,]+) generated", finished.stdout)
        assert int(generated[1].replace(",", "")) >= CASES, finished.stdout[-2000:]
        assert process.poll() is None
        process.terminate()
        assert process.wait(10) == 0
        assert process.stderr.read() == ""  # no traceback
