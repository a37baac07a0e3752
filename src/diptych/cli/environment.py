"""`diptych environment`: what a report of a fault needs beside it."""

from __future__ import annotations

import json

from diptych import __version__
from diptych.cli.options import Json


def environment(as_json: Json = False) -> None:
    """Say where Diptych runs: versions, processor, system; what a report of a fault needs beside it.

    It imports no framework.
    """
    from diptych.processes.environment import environment as look

    found = look()
    found["packages"] |= {"diptych": __version__}
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    lines = {name: value for name, value in found.items() if name != "packages"} | found["packages"]
    width = max(map(len, lines))
    print("\n".join(f"{name:{width}}  {value}" for name, value in lines.items()))
