"""The program that every process of a framework runs: it makes one object, and calls its methods when it is asked to.

    python -P -m diptych.processes.child MODULE:CLASS ARGUMENTS [SIGNAL...]

ARGUMENTS are those of the class, in JSON; it is made when the first question comes. SIGNALs are not heard: who started
this process decides when it ends. See `diptych.processes.messages` for how the two speak.

    in      {"do": "step", "arguments": {"state": 0, "tokens": ...}}      on standard input
    back    {"result": ...}                                               on what was standard output
            {"failed": {"kind": "DataError", "message": ..., "traceback": ...}}

There is one answer for each question, in order. Whatever else is printed goes to standard error. The process ends when
its standard input does, whatever it is doing then, so it never outlives the one that started it.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import time
from queue import SimpleQueue
from typing import Any, BinaryIO

from diptych.processes.failures import INTERRUPTED, tell
from diptych.processes.messages import receive, send

SECONDS_TO_END = 1.0


def answer_all(made_of: str, arguments: dict[str, Any], questions: SimpleQueue[Any], answers: BinaryIO) -> None:
    """Answer question after question until None comes.

    Args:
        made_of: "module:class" of the object that is asked.
        arguments: what it is made with.
        questions: what `receive` gives.
        answers: where the answers go.
    """
    served = None
    while (question := questions.get()) is not None:
        try:
            if served is None:
                module, _, name = made_of.partition(":")
                served = getattr(importlib.import_module(module), name)(**arguments)
            answer = {"result": getattr(served, question["do"])(**question["arguments"])}
            send(answers, answer)
        except BrokenPipeError:
            raise
        except Exception as error:
            send(answers, {"failed": tell(error)})


def _read_all(questions: SimpleQueue[Any]) -> None:
    """Put every question into the queue. When there are no more, the process has a moment to end by itself."""
    stream = os.fdopen(os.dup(0), "rb")
    try:
        while True:
            questions.put(receive(stream))
    except EOFError:
        questions.put(None)
    time.sleep(SECONDS_TO_END)
    os._exit(1)


def main(made_of: str, arguments: str, *ignored: str) -> int:
    """Answer what standard input asks; the exit status."""
    for name in ignored:
        signal.signal(signal.Signals[name], signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    questions: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_read_all, args=(questions,), daemon=True).start()
    try:
        answer_all(made_of, json.loads(arguments), questions=questions, answers=answers)
    except BrokenPipeError:  # who asked has gone
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
