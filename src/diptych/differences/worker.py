"""Run programs one after another in this process, so that their framework is imported once.

Run as a script, never imported: `python worker.py RESULTS PROGRAM...`. For each program one JSON line is appended to
the file RESULTS: its path, and either what it printed or why it failed. It stands on the standard library alone.
"""

import contextlib
import io
import json
import runpy
import sys
import traceback


def run(program: str) -> dict[str, str]:
    """Run one program as if by itself; what it printed, or its error."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            runpy.run_path(program, run_name="__main__")
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        return {"program": program, "error": "".join(traceback.format_exception_only(error)).strip()}
    return {"program": program, "printed": printed.getvalue()}


if __name__ == "__main__":
    for path in sys.argv[2:]:
        line = json.dumps(run(path))
        with open(sys.argv[1], "a", encoding="utf-8") as results:
            results.write(line + "\n")
