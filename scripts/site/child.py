"""Runs a program cell by cell as it is told: a line of JSON in, a line of JSON out. `programs.py` starts it."""

from __future__ import annotations

import io
import json
import linecache
import os
import sys
import traceback
from contextlib import redirect_stdout
from typing import Any


def answer(cell: dict[str, str], namespace: dict[str, Any]) -> dict[str, str]:
    """What a cell printed, and the traceback of its error, if any."""
    name, printed = f"<{cell['name']}>", io.StringIO()
    lines = cell["code"].splitlines(keepends=True)
    linecache.cache[name] = (len(cell["code"]), None, lines, name)  # tf.function reads a function's own text
    try:
        with redirect_stdout(printed):
            exec(compile(cell["code"], name, "exec"), namespace)
    except Exception:
        return {"output": printed.getvalue(), "error": traceback.format_exc()}
    return {"output": printed.getvalue(), "error": ""}


def main() -> None:
    """Answer until the standard input ends; only answers go to the standard output."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line), namespace)), file=answers, flush=True)


if __name__ == "__main__":
    main()
